// ChildServer: calls both ways.
#include <algorithm>

#include "agent/gateway/child_server.hpp"
#include "mcp/content.hpp"
#include "mcp/envelope.hpp"
#include "mcp/json_write.hpp"
#include "mcp/result_shape.hpp"

namespace tideline::agent {
namespace {

bool is_task_method(mcp::Method method) { return method == mcp::Method::get_task || method == mcp::Method::update_task || method == mcp::Method::cancel_task; }

/// A member with its key as it was.
void add_member(std::string& members, std::string_view raw_key, std::string_view raw_value) {
  if (!members.empty()) members.push_back(',');
  members += raw_key;
  members.push_back(':');
  members += raw_value;
}

/// `object` with one member replaced, as it was otherwise.
std::string with_member(mcp::Slice object, std::string_view name, const std::string& raw_value) {
  std::string members;
  for (mcp::Walk walk(object); walk.next();) add_member(members, walk.key().raw(), walk.key().equals(name) ? raw_value : std::string(walk.value().raw()));
  return "{" + members + "}";
}

/// What a caller can be asked for, as the newest revision declares it.
std::string capabilities_of(const mcp::Call& call) {
  if (!call.capabilities_json.empty()) return std::string(call.capabilities_json);
  const mcp::ClientCapabilities& can = call.capabilities;
  std::string out;
  mcp::ObjectWriter writer(out);
  if (can.sampling) writer.raw("sampling", "{}");
  if (can.roots) writer.raw("roots", "{}");
  if (can.elicitation_form || can.elicitation_url) {
    writer.raw("elicitation", can.elicitation_form && can.elicitation_url ? R"({"form":{},"url":{}})" : can.elicitation_url ? R"({"url":{}})" : R"({"form":{}})");
  }
  writer.end();
  return out;
}

}  // namespace

bool ChildServer::takes(const mcp::Call& call) const {
  switch (call.method) {
    case mcp::Method::call_tool: return lists_.find_tool(call.target) != nullptr;
    case mcp::Method::get_prompt: return lists_.find_prompt(call.target) != nullptr;
    case mcp::Method::read_resource: return lists_.has_uri(call.target);
    case mcp::Method::complete:
      return mcp::find_member(mcp::find_member(call.params, "ref"), "type").equals("ref/prompt")
                 ? lists_.find_prompt(call.target) != nullptr
                 : lists_.has_template(call.target) || lists_.has_uri(call.target);
    default: return is_task_method(call.method) && call.target.starts_with(task_prefix());
  }
}

/// The caller's params in the child's words, without _meta.
std::string ChildServer::members_for(const mcp::Call& call) const {
  const bool is_prompt_ref = call.method == mcp::Method::complete && lists_.find_prompt(call.target) != nullptr;
  std::string members;
  for (mcp::Walk walk(call.params); walk.next();) {
    const mcp::Slice key = walk.key();
    if (key.equals("_meta")) continue;
    std::string value(walk.value().raw());
    if (key.equals("name") && call.method == mcp::Method::call_tool) value = mcp::json_string(*lists_.find_tool(call.target));
    if (key.equals("name") && call.method == mcp::Method::get_prompt) value = mcp::json_string(*lists_.find_prompt(call.target));
    if (key.equals("ref") && is_prompt_ref) value = with_member(walk.value(), "name", mcp::json_string(*lists_.find_prompt(call.target)));
    if (key.equals("taskId") && is_task_method(call.method)) value = mcp::json_string(call.target.substr(task_prefix().size()));
    add_member(members, key.raw(), value);
  }
  // A legacy caller answered a question: its request comes again as it was, and the answers beside it.
  const auto has = [&](std::string_view name) { return mcp::find_member(call.params, name).is_present(); };
  if (call.input_responses.is_present() && !has("inputResponses")) add_member(members, "\"inputResponses\"", call.input_responses.raw());
  if (!call.state.empty() && !has("requestState")) add_member(members, "\"requestState\"", mcp::json_string(call.state));
  return members;
}

void ChildServer::on_call(const CallKey& key, const mcp::Call& call) {
  Relay relay;
  relay.key = key;
  relay.method = call.method;
  relay.principal = call.principal;
  relay.target = call.target;
  if (is_task_method(call.method) && !may_see_task(call.target.substr(task_prefix().size()), call.principal)) return (void)answers_.fail_not_found(key, call.target);
  const Instant now = options_.now();
  if (is_stopped_) return fail(relay, "the agent is closing down");
  if (state_ == State::waiting && retry_at_ > now + limits::child_retry_wait) return fail(relay, unavailable());
  if (relays_.size() >= limits::mcp_in_flight) return fail(relay, format("busy: %zu requests are under way at the server %s; try again", relays_.size(), config_.name.c_str()));
  size_t waiting_bytes = port_.queued_bytes();
  for (const Relay& other : relays_) waiting_bytes += other.tag == 0 ? other.members.size() : 0;
  if (waiting_bytes + call.params.raw().size() > limits::child_queue_bytes) return fail(relay, "busy: the server " + config_.name + " does not read its requests; try again");
  relay.members = members_for(call);
  relay.meta = mcp::passing_meta(call.meta);
  relay.capabilities = capabilities_of(call);
  relay.wants_progress = call.wants_progress;
  if (call.log_level) relay.log_level = mcp::severity_text(*call.log_level);
  used_at_ = now;
  relays_.push_back(std::move(relay));
  if (state_ == State::ready) {
    send(relays_.back());
    return set_alarm();
  }
  start_soon();
}

/// `relay` is gone afterwards when it could not be sent.
void ChildServer::send(Relay& relay) {
  const bool is_modern = mcp::era_of(client_->revision()) == mcp::Era::modern;
  std::string meta = relay.meta;
  if (is_modern && !relay.log_level.empty()) {
    meta += (meta.empty() ? "" : ",") + mcp::json_string(mcp::key::log_level) + ":" + mcp::json_string(relay.log_level);
  }
  const Result<uint64_t> tag = client_->request({relay.method, relay.members, meta, relay.capabilities, relay.wants_progress}, options_.now());
  if (tag) {
    relay.tag = *tag;
    relay.members = relay.meta = relay.capabilities = {};
    return;
  }
  const Relay refused = std::move(relay);
  std::erase_if(relays_, [&](const Relay& one) { return &one == &relay; });
  if (tag.error().code == ErrorCode::unsupported) answers_.fail_not_found(refused.key, refused.target);
  else fail(refused, std::string(tag.error().context) + ": " + config_.name);
}

void ChildServer::fail(const Relay& relay, const std::string& why) {
  if (relay.method == mcp::Method::call_tool) answers_.reply(relay.key, mcp::tool_error(why));
  else answers_.fail(relay.key, {mcp::RpcCode::internal_error, why, {}});
}

void ChildServer::on_cancel(const CallKey& key) {
  const auto found = std::find_if(relays_.begin(), relays_.end(), [&](const Relay& relay) { return relay.key == key; });
  if (found == relays_.end()) return;
  if (found->tag != 0) client_->cancel(found->tag, "cancelled by the caller");
  relays_.erase(found);
  used_at_ = options_.now();
  set_alarm();
}

void ChildServer::on_outcome(const mcp::Outcome& outcome) {
  const auto found = std::find_if(relays_.begin(), relays_.end(), [&](const Relay& relay) { return relay.tag == outcome.tag; });
  if (found == relays_.end()) return;
  const Relay relay = std::move(*found);
  relays_.erase(found);
  used_at_ = options_.now();
  if (outcome.failure) {
    const bool is_down = outcome.failure->code == ErrorCode::closed;
    return fail(relay, is_down ? "the server " + config_.name + " ended before it answered; whether the call had its effect is not known"
                               : "the server " + config_.name + ": " + outcome.failure->context);
  }
  if (outcome.error.is_present()) return pass_error(relay, outcome.error);
  backoff_.reset();
  pass_result(relay, outcome.result);
}

void ChildServer::pass_error(const Relay& relay, mcp::Slice error) {
  const int64_t code = mcp::find_member(error, "code").integer().value_or(static_cast<int>(mcp::RpcCode::internal_error));
  const std::string text = mcp::find_member(error, "message").text();
  const mcp::Slice data = mcp::find_member(error, "data");
  const mcp::Slice missing = mcp::find_member(data, "requiredCapabilities");
  // The capabilities in our envelope were the caller's own, so the complaint is its own as well.
  if (code == static_cast<int>(mcp::RpcCode::missing_capability) && missing.is(mcp::JsonKind::object)) {
    return (void)answers_.fail_missing(relay.key, text, missing.raw());
  }
  const bool is_small = code >= INT32_MIN && code <= INT32_MAX;
  answers_.fail(relay.key, {is_small ? static_cast<mcp::RpcCode>(code) : mcp::RpcCode::internal_error, text, std::string(data.raw())});
}

void ChildServer::pass_result(const Relay& relay, mcp::Slice result) {
  const bool is_new_task = relay.method == mcp::Method::call_tool && mcp::era_of(client_->revision()) == mcp::Era::modern && mcp::result_type(result) == mcp::ResultType::task;
  if (!is_new_task && !is_task_method(relay.method)) return (void)answers_.reply(relay.key, result.raw());
  const mcp::Slice id = mcp::find_member(result, "taskId");
  if (!id.is(mcp::JsonKind::string)) return (void)answers_.reply(relay.key, result.raw());
  if (is_new_task) {
    if (tasks_.size() == limits::child_tasks) tasks_.pop_front();
    tasks_.emplace_back(id.text(), relay.principal);
  }
  answers_.reply(relay.key, with_member(result, "taskId", mcp::json_string(task_prefix() + id.text())));
}

/// Of a task that is not remembered (there were many since, or the agent was restarted) its id, which cannot be guessed, is proof enough.
bool ChildServer::may_see_task(std::string_view id, std::string_view principal) const {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& task) { return task.first == id; });
  return found == tasks_.end() || found->second == principal;
}

void ChildServer::on_progress(uint64_t tag, mcp::Slice params) {
  const auto found = std::find_if(relays_.begin(), relays_.end(), [&](const Relay& relay) { return relay.tag == tag; });
  const std::optional<double> done = mcp::find_member(params, "progress").real();
  if (found == relays_.end() || !done) return;
  const std::string text = mcp::find_member(params, "message").text();
  answers_.progress(found->key, {*done, mcp::find_member(params, "total").real(), text});
}

/// A log line does not say which call it belongs to: with one under way it is clear, with more nobody's lines go to somebody else.
void ChildServer::on_log(mcp::Slice params) {
  const std::optional<mcp::Severity> severity = mcp::parse_severity(mcp::find_member(params, "level"));
  const mcp::Slice data = mcp::find_member(params, "data");
  if (!severity || !data.is_present() || relays_.size() != 1 || relays_.front().tag == 0) return;
  const mcp::Slice logger = mcp::find_member(params, "logger");
  answers_.log(relays_.front().key, *severity, logger.is_present() ? logger.text() : config_.name, data.raw());
}

/// Whose answer it was is not known, but for one call under way; of several the one it belongs to will time out.
void ChildServer::on_long_line() {
  if (!std::exchange(has_told_long_line_, true)) {
    log_warning(log_, "child", "%s: it wrote a line of more than %zu bytes, which was passed over", config_.name.c_str(), limits::mcp_line_bytes);
  }
  if (relays_.size() != 1 || relays_.front().tag == 0) return;
  const Relay relay = std::move(relays_.front());
  relays_.clear();
  client_->cancel(relay.tag, "the answer is too long");
  fail(relay, format("the server %s answered with more than %zu bytes: ask for less", config_.name.c_str(), limits::mcp_line_bytes));
}

/// Nothing of the kind is declared, so the client answers for us; this cannot come.
void ChildServer::on_request(std::string_view id, mcp::Method, mcp::Slice) {
  const mcp::RpcError error{mcp::RpcCode::method_not_found, "method not found", {}};
  client_->answer(id, {}, &error);
}

}  // namespace tideline::agent
