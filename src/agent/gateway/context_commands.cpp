#include "agent/gateway/context_commands.hpp"

#include <algorithm>
#include <cmath>

#include "agent/gateway/context_answers.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "context/limits.hpp"
#include "context/path.hpp"
#include "mcp/query_arguments.hpp"

namespace tideline::agent {
namespace {

using mcp::Slice;
using mcp::text_argument;

ContextAnswer refusal(ErrorCode code, std::string why) { return {false, code, std::move(why), {}}; }

/// What to do about it, where the text does not say so by itself.
std::string advice(const context::Refusal& refusal) {
  if (refusal.code == ErrorCode::exists) return refusal.what + "; read it again and decide anew.";
  if (refusal.code == ErrorCode::io || refusal.code == ErrorCode::full) return refusal.what + "; doctor tells more.";
  return refusal.what + ".";
}

}  // namespace

bool ContextCommands::run(std::string_view command, Slice arguments, const std::string& who, Done done) {
  if (command == "get") return get(arguments, std::move(done)), true;
  if (command == "set") return set(arguments, who + " (context_set)", std::move(done)), true;
  if (command == "delete") return erase(arguments, who + " (context_delete)", std::move(done)), true;
  if (command == "list") return done(list(arguments)), true;
  return false;
}

std::string ContextCommands::entry_json(std::string_view path) const {
  std::string out;
  json::Writer w(out);
  begin_context_entry(w, keeper_, path, keeper_.book().find(path), ContextDetail::whole);
  w.end_object();
  return out;
}

void ContextCommands::get(Slice arguments, Done done) {
  const std::string path = text_argument(arguments, "path");
  if (!context::is_path(path)) return done(refusal(ErrorCode::invalid, "path: " + std::string(context::path_problem(path)) + "."));
  const auto wanted = mcp::find_member(arguments, "history").integer();
  if (!wanted || *wanted <= 0) return done({true, {}, context_entry_text(keeper_, path, keeper_.book().find(path)), entry_json(path)});
  const size_t most = static_cast<size_t>(std::min<int64_t>(*wanted, context::limits::history));
  keeper_.read_history(path, [this, path, most, done = std::move(done)](const Result<std::vector<context::Register>>& read) {
    if (!read) return done(refusal(read.error().code, path + ": the history cannot be read: " + read.error().context + "."));
    std::vector<context::Register> writes = *read;
    writes.resize(std::min(writes.size(), most));
    ContextAnswer answer{true, {}, context_entry_text(keeper_, path, keeper_.book().find(path)) + context_history_text(writes), {}};
    json::Writer w(answer.json);
    begin_context_entry(w, keeper_, path, keeper_.book().find(path), ContextDetail::whole);
    w.key("history").begin_array();
    for (const context::Register& one : writes) write_context_write(w, one.side, one.write);
    w.end_array().end_object();
    done(answer);
  });
}

void ContextCommands::set(Slice arguments, const std::string& who, Done done) {
  context::Change change;
  change.path = text_argument(arguments, "path");
  change.author = who;
  const Slice value = mcp::find_member(arguments, "value");
  if (!value.is_present()) return done(refusal(ErrorCode::invalid, "value: is missing; null is a value too."));
  change.value = value.raw();
  if (mcp::find_member(arguments, "merge").is_true()) change.operation = context::Operation::patch;
  if (const Slice version = mcp::find_member(arguments, "if_version"); version.is_present()) change.if_version = version.text();
  if (const Slice given = mcp::find_member(arguments, "ttl_seconds"); given.is_present()) {
    const auto seconds = given.real();
    // Beyond the most is said by who judges the change.
    if (!seconds || !(*seconds >= 0.001) || *seconds > 1e12) return done(refusal(ErrorCode::invalid, "ttl_seconds: a number of seconds above 0."));
    change.time_to_live_ms = static_cast<int64_t>(std::llround(*seconds * 1000));
  }
  this->change(std::move(change), std::move(done));
}

void ContextCommands::erase(Slice arguments, const std::string& who, Done done) {
  context::Change change;
  change.operation = context::Operation::erase;
  change.path = text_argument(arguments, "path");
  change.author = who;
  if (const Slice version = mcp::find_member(arguments, "if_version"); version.is_present()) change.if_version = version.text();
  this->change(std::move(change), std::move(done));
}

void ContextCommands::change(context::Change change, Done done) {
  keeper_.change(std::move(change), [this, done = std::move(done)](const context::Register* made, const context::Refusal& why) {
    if (made == nullptr) return done(refusal(why.code, advice(why)));
    done({true, {}, "Durable here. " + context_entry_text(keeper_, made->path, keeper_.book().find(made->path)), entry_json(made->path)});
  });
}

ContextAnswer ContextCommands::list(Slice arguments) const {
  const std::string prefix = text_argument(arguments, "prefix");
  const std::string cursor = text_argument(arguments, "cursor");
  const bool conflicts_only = mcp::find_member(arguments, "conflicts_only").is_true();
  const size_t most = static_cast<size_t>(std::clamp<int64_t>(mcp::find_member(arguments, "limit").integer().value_or(list_otherwise), 1, list_most));
  const context::Book& book = keeper_.book();
  const std::string start(prefix.substr(0, prefix.ends_with('/') ? prefix.size() - 1 : prefix.size()));
  Table table;
  for (const char* title : {"path", "value", "by", "time", ""}) table.add_column(title);
  ContextAnswer answer;
  json::Writer w(answer.json);
  w.begin_object().key("entries").begin_array();
  std::string last;
  std::string next;
  auto at = cursor.empty() || cursor < start ? book.entries().lower_bound(start) : book.entries().upper_bound(cursor);
  for (; at != book.entries().end() && at->first.starts_with(start); ++at) {
    const auto& [path, entry] = *at;
    if (!context::is_under(path, start)) continue;
    const context::View view = keeper_.view(entry, path);
    if ((view.value == nullptr && view.loser == nullptr) || (conflicts_only && view.loser == nullptr)) continue;
    if (table.rows() == most || answer.json.size() > list_bytes) {
      next = last;
      break;
    }
    begin_context_entry(w, keeper_, path, &entry, ContextDetail::listed);
    w.end_object();
    table.add_row({path, view.value == nullptr ? "(deleted)" : short_context_value(*view.value, 60), context::side_name(view.side), format_utc(context_time(*view.winner)),
                   view.loser == nullptr ? "" : "conflict: the " + std::string(context::side_name(context::other(view.side))) + " has " + short_context_value(*view.loser, 60)});
    last = path;
  }
  w.end_array();
  if (!next.empty()) w.key("next_cursor").text(next);
  w.key("total").unsigned_integer(book.totals().entries).key("bytes").unsigned_integer(book.totals().bytes).key("conflicts").unsigned_integer(keeper_.conflicts()).end_object();
  answer.text = table.rows() == 0 ? "No entries.\n" : table.text() + (next.empty() ? "" : "More follow after " + next + ".\n");
  return answer;
}

}  // namespace tideline::agent
