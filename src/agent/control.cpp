#include "agent/control.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "context/path.hpp"
#include "mcp/message.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

// JSON-RPC 2.0, section 5.1.
constexpr int parse_error = -32700;
constexpr int invalid_request = -32600;
constexpr int method_not_found = -32601;
constexpr int invalid_params = -32602;
constexpr int internal_error = -32603;
constexpr int access_denied = -32001;  // ours: not from here

constexpr std::string_view context_prefix = "tideline/context_";

std::string text_of(const json::Value& value, std::string_view otherwise) {
  const auto text = value.text();
  return text ? std::string(*text) : std::string(otherwise);
}

/// Times are texts of decimal digits: a double cannot hold nanoseconds since 1970.
bool read_nanos(const json::Value& value, int64_t& out) {
  if (!value.is_present()) return true;
  const auto text = value.text();
  if (!text) return false;
  char* end = nullptr;
  const std::string digits(*text);
  out = std::strtoll(digits.c_str(), &end, 10);
  return !digits.empty() && *end == '\0';
}

/// "" when `params` is a question that can be asked.
std::string read_query(const json::Value& params, model::Query& query) {
  const auto selector = model::parse_series_selector(text_of(params["series"], "*"));
  if (!selector) return std::string("series: ") + selector.error().context;
  query.series = *selector;
  if (!read_nanos(params["from"], query.from_ns)) return "from: not nanoseconds since 1970 as text";
  if (!read_nanos(params["to"], query.to_ns)) return "to: not nanoseconds since 1970 as text";
  if (query.from_ns >= query.to_ns) return "the range is empty: from is not before to";
  if (!read_nanos(params["step"], query.step.nanos) || query.step.nanos < 0) return "step: not nanoseconds as text";
  if (!model::parse_aggregate(text_of(params["aggregate"], "none"), query.aggregate)) return "aggregate: none, mean, min, max, sum, count, first or last";
  if (query.step.nanos > 0 && query.aggregate == model::Aggregate::none) return "step needs an aggregate";
  if (params["limit"].is_present()) {
    const auto limit = params["limit"].integer();
    if (!limit || *limit < 1 || *limit > static_cast<int64_t>(limits::query_rows)) return "limit: 1 to 100000";
    query.limit = static_cast<uint32_t>(*limit);
  }
  return "";
}

std::string wrap_text(std::string_view text) {
  std::string out;
  json::Writer(out).begin_object().key("text").text(text).end_object();
  return out;
}

}  // namespace

Control::~Control() {
  if (keeper_ != nullptr) keeper_->remove_watcher(*this);
}

void Control::set_context(ContextKeeper& keeper, ContextCommands& commands) {
  keeper_ = &keeper;
  context_ = &commands;
  keeper.add_watcher(*this);
}

void Control::handle(std::string_view line, Caller& caller) {
  Pending pending{&caller, "null", false, false};
  const auto document = json::Document::parse(line);
  if (!document) return refuse(pending, parse_error, std::string("not JSON: ") + document.error().context);
  const json::Value request = document->root();
  const auto id = request["id"].integer();
  if (id) pending.id = std::to_string(*id);
  const auto method = request["method"].text();
  if (!id || !method) return refuse(pending, invalid_request, "a request needs an integer id and a method");
  const json::Value params = request["params"];
  pending.wants_text = text_of(params["format"], "json") == "text";
  if (*method == "tideline/query") return ask(params, pending);
  if (method->starts_with(context_prefix)) {
    if (context_ == nullptr) return refuse(pending, internal_error, "the context is switched off: [context] enabled = false");
    const std::string_view command = method->substr(context_prefix.size());
    return command == "watch" ? watch_context(params, pending) : ask_context(command, line, pending);
  }
  if (*method == "tideline/status") {
    const StatusReport report = host_.report();
    return reply(pending, pending.wants_text ? wrap_text(status_text(report)) : status_json(report));
  }
  if (*method == "tideline/sync_now") {
    host_.sync_now();
    return reply(pending, "{}");
  }
  refuse(pending, method_not_found, "unknown method '" + std::string(*method) + "'");
}

void Control::ask(const json::Value& params, Pending pending) {
  model::Query query;
  const std::string problem = read_query(params, query);
  if (!problem.empty()) return refuse(pending, invalid_params, problem);
  if (pending_.size() >= limits::control_requests) return refuse(pending, internal_error, "too many questions are under way; ask again");
  const auto gaps = params["gaps"].boolean();
  pending.gaps_only = gaps && *gaps;
  const Outbox::Token token = next_token_++;
  pending_.emplace(token, std::move(pending));
  outbox_.ask(std::move(query), token);
}

void Control::forget(const Caller& caller) {
  std::erase_if(watches_, [&](const Watch& watch) { return watch.caller == &caller; });
  std::erase_if(pending_, [&](const auto& entry) { return entry.second.caller == &caller; });
}

/// The arguments are read where they stand: a value keeps its digits.
void Control::ask_context(std::string_view command, std::string_view line, Pending pending) {
  if (pending_.size() >= limits::control_requests) return refuse(pending, internal_error, "too many questions are under way; ask again");
  const mcp::Message message = mcp::parse_message(line);
  const Outbox::Token token = next_token_++;
  const Pending unknown = pending;
  pending_.emplace(token, std::move(pending));
  const bool is_known = context_->run(command, message.params, "command line", [this, token](const ContextAnswer& answer) {
    const auto found = pending_.extract(token);
    if (!found) return;
    const Pending& waiting = found.mapped();
    if (!answer.is_done) return refuse(waiting, answer.code == ErrorCode::denied ? access_denied : answer.code == ErrorCode::invalid ? invalid_params : internal_error, answer.text);
    reply(waiting, waiting.wants_text ? wrap_text(answer.text) : answer.json);
  });
  if (is_known) return;
  pending_.erase(token);
  refuse(unknown, method_not_found, "unknown method 'tideline/context_" + std::string(command) + "'");
}

void Control::watch_context(const json::Value& params, const Pending& pending) {
  if (watches_.size() >= limits::control_requests) return refuse(pending, internal_error, "as many watch the context as may; end one of them");
  watches_.push_back({pending.caller, text_of(params["prefix"], "")});
  reply(pending, "{}");
}

void Control::on_context_changed(const std::string& path) {
  std::string line;
  for (const Watch& watch : watches_) {
    if (!context::is_under(path, watch.prefix)) continue;
    if (line.empty()) line = R"({"jsonrpc":"2.0","method":"tideline/context_changed","params":)" + context_->entry_json(path) + "}\n";
    watch.caller->on_reply(line);
  }
}

void Control::on_answer(Outbox::Token token, const Result<model::QueryAnswer>& answer) {
  const auto found = pending_.find(token);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  if (!answer) return refuse(pending, internal_error, std::string(answer.error().context) + ": " + error_name(answer.error().code));
  model::QueryAnswer shown = *answer;
  if (pending.gaps_only) shown.series.clear();
  const auto parts = pending.gaps_only ? model::AnswerParts::gaps_only : model::AnswerParts::everything;
  reply(pending, pending.wants_text ? wrap_text(model::answer_text(shown, parts)) : json::answer_json(shown));
}

void Control::reply(const Pending& pending, std::string_view result) {
  std::string line = R"({"jsonrpc":"2.0","id":)" + pending.id + R"(,"result":)";
  line.append(result).append("}\n");
  pending.caller->on_reply(std::move(line));
}

void Control::refuse(const Pending& pending, int code, std::string_view problem) {
  std::string line = R"({"jsonrpc":"2.0","id":)" + pending.id + R"(,"error":{"code":)" + std::to_string(code) + R"(,"message":)";
  json::append_quoted(problem, line);
  pending.caller->on_reply(line + "}}\n");
}

}  // namespace tideline::agent
