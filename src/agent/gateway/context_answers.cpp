#include "agent/gateway/context_answers.hpp"

#include "base/table.hpp"
#include "base/text.hpp"
#include "context/path.hpp"
#include "context/version.hpp"

namespace tideline::agent {
namespace {

using context::Entry;
using context::Side;
using context::Write;

void write_origin(json::Writer& w, Side side, const Write& write) {
  w.key("version").text(context::format_version(side, write.stamp)).key("writer").text(context::side_name(side));
  if (!write.author.empty()) w.key("author").text(write.author);
  w.key("time").text(format_utc(context_time(write)));
}

/// Absent: not known, because the hub was not met since the start.
void write_at_hub(json::Writer& w, const ContextKeeper& keeper, Side side, const Write& write) {
  if (side == Side::hub) {
    w.key("at_hub").boolean(true);
  } else if (const context::Tops* held = keeper.peer_holds()) {
    w.key("at_hub").boolean(write.stamp <= (*held)[Side::device]);
  }
}

std::string age_of(const ContextKeeper& keeper, const Write& write) {
  return format_duration(std::max(Duration{}, keeper.wall_clock() - context_time(write)));
}

std::string origin_text(const ContextKeeper& keeper, Side side, const Write& write) {
  return std::string("by the ") + context::side_name(side) + (write.author.empty() ? "" : " (" + write.author + ")") + " " + age_of(keeper, write) + " ago";
}

}  // namespace

UtcNanos context_time(const Write& write) { return {context::stamp_ms(write.stamp) * 1'000'000}; }

void begin_context_entry(json::Writer& w, const ContextKeeper& keeper, std::string_view path, const Entry* entry, ContextDetail detail) {
  w.begin_object().key("path").text(path);
  const context::View view = entry == nullptr ? context::View{} : keeper.view(*entry, path);
  w.key("exists").boolean(view.value != nullptr);
  if (view.winner == nullptr) return;
  if (view.value != nullptr && (detail == ContextDetail::whole || view.value->value.size() <= context_list_value_bytes)) {
    w.key("value").raw(view.value->value);
  } else if (view.value != nullptr) {
    w.key("value_bytes").unsigned_integer(view.value->value.size());
  } else {
    w.key("gone").text(view.winner->is_deleted ? "deleted" : "expired");
  }
  write_origin(w, view.side, *view.winner);
  w.key("age_s").number((keeper.wall_clock() - context_time(*view.winner)).seconds());
  if (view.winner->expires_ms != 0) w.key("expires").text(format_utc({view.winner->expires_ms * 1'000'000}));
  write_at_hub(w, keeper, view.side, *view.winner);
  if (view.loser == nullptr) return;
  w.key("rule").text(context::rule_name(keeper.declarations().rule(path))).key("conflict");
  write_context_write(w, context::other(view.side), *view.loser);
}

void write_context_write(json::Writer& w, Side side, const Write& write) {
  w.begin_object();
  if (write.is_deleted) w.key("deleted").boolean(true);
  if (!write.is_deleted) w.key("value").raw(write.value);
  write_origin(w, side, write);
  if (write.expires_ms != 0) w.key("expires").text(format_utc({write.expires_ms * 1'000'000}));
  w.end_object();
}

std::string context_entry_text(const ContextKeeper& keeper, std::string_view path, const Entry* entry) {
  const std::string name(path);
  const context::View view = entry == nullptr ? context::View{} : keeper.view(*entry, path);
  if (view.winner == nullptr) return name + ": nothing is there.\n";
  std::string text = name + (view.value != nullptr ? " = " + view.value->value + ", set " : view.winner->is_deleted ? ": nothing is there; deleted " : ": expired; set ");
  text += origin_text(keeper, view.side, *view.winner) + ", version " + context::format_version(view.side, view.winner->stamp);
  if (view.winner->expires_ms != 0) text += ", expires " + format_utc({view.winner->expires_ms * 1'000'000});
  const context::Tops* held = keeper.peer_holds();
  if (view.side == Side::device && held != nullptr && view.winner->stamp > (*held)[Side::device]) text += ", not at the hub yet";
  text += ".\n";
  if (view.loser == nullptr) return text;
  const Side loser = context::other(view.side);
  return text + "Conflict (" + context::rule_name(keeper.declarations().rule(path)) + "): " + (view.loser->is_deleted ? "deleted " : view.loser->value + " was set ") +
         origin_text(keeper, loser, *view.loser) + " without knowing of this; set the value that is right.\n";
}

std::string context_history_text(const std::vector<context::Register>& writes) {
  Table table;
  for (const char* title : {"time", "by", "author", "version", "value"}) table.add_column(title);
  for (const context::Register& one : writes) {
    table.add_row({format_utc(context_time(one.write)), context::side_name(one.side), one.write.author, context::format_version(one.side, one.write.stamp), short_context_value(one.write, 80)});
  }
  return table.rows() == 0 ? "" : table.text();
}

std::string short_context_value(const Write& write, size_t most) {
  if (write.is_deleted) return "(deleted)";
  if (write.value.size() <= most) return write.value;
  size_t end = most;
  while (end > 0 && (static_cast<uint8_t>(write.value[end]) & 0xc0) == 0x80) --end;  // not within a character
  return write.value.substr(0, end) + "... (" + format_size(write.value.size()) + ")";
}

}  // namespace tideline::agent
