#include "hub/mcp/router.hpp"

#include "base/log.hpp"
#include "clock.hpp"
#include "mcp/content.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

constexpr size_t digest_digits = 32;

bool is_task_method(mcp::Method method) {
  return method == mcp::Method::get_task || method == mcp::Method::update_task || method == mcp::Method::cancel_task;
}

AuditEntry audit_entry(const Conversation& conversation, const mcp::Call& call, Instant now) {
  AuditEntry entry;
  entry.principal = conversation.principal().id;
  entry.device = conversation.target().device_id;
  entry.method = mcp::method_text(call.method);
  entry.target = call.target;
  if (call.arguments.is_present()) entry.arguments_digest = tls::sha256_hex(as_bytes(call.arguments.raw())).substr(0, digest_digits);
  entry.trace = mcp::find_member(call.meta, "traceparent").text();
  entry.begun = platform::wall_clock();
  entry.started = now;
  return entry;
}

std::string_view outcome_of(mcp::Slice result) {
  if (mcp::find_member(result, "isError").is_true()) return "tool_error";
  switch (mcp::result_type(result)) {
    case mcp::ResultType::input_required: return "input_required";
    case mcp::ResultType::task: return "task";
    case mcp::ResultType::complete:
    case mcp::ResultType::other: break;
  }
  return "ok";
}

}  // namespace

std::string absence_text(const DeviceEntry& entry, UtcNanos now) {
  if (entry.record.last_seen_ns == 0) return "has never been online";
  const UtcNanos seen{entry.record.last_seen_ns / 1'000'000'000 * 1'000'000'000};
  const Duration age{(now - seen).nanos / 1'000'000'000 * 1'000'000'000};
  return "is offline since " + format_utc(seen) + (age < seconds(1) ? "" : " (" + format_duration(age) + ")");
}

void Router::on_call(Conversation& conversation, const mcp::Call& call, Instant now) {
  const CallRef ref{conversation.id(), call.token};
  Running& running = running_[ref];
  if (running.audit.method.empty()) running.audit = audit_entry(conversation, call, now);  // else it comes back with answers to a question
  running.method = call.method;
  running.revision = call.revision;
  if (is_task_method(call.method) && call.target.starts_with(own_task)) return host_.on_task_call(ref, conversation, call);
  if (conversation.target().is_fleet()) return host_.on_fleet_call(ref, conversation, call);
  relay(ref, call, conversation.target(), {}, now);
}

void Router::on_cancel(const CallRef& ref, Instant now) {
  const auto found = running_.find(ref);
  if (found == running_.end()) return;
  if (found->second.device_call != 0) {
    by_call_.erase(found->second.device_call);
    calls_.cancel(found->second.device_call);
  }
  host_.on_call_cancelled(ref);
  finish(ref, "cancelled", now);
}

void Router::about(const CallRef& ref, const std::string& device) {
  if (const auto found = running_.find(ref); found != running_.end()) found->second.audit.device = device;
}

void Router::relay(const CallRef& ref, const mcp::Call& call, const Target& device, const RelayChange& change, Instant now) {
  Conversation* conversation = host_.find_conversation(ref.conversation);
  const auto found = running_.find(ref);
  const DeviceEntry* entry = registry_.find(device.device);
  if (conversation == nullptr || found == running_.end() || entry == nullptr) return;
  found->second.audit.device = device.device_id;
  if (!entry->presence.is_online) return host_.on_offline_call(ref, *conversation, call, device, change);
  const std::string members = relay_members(call, change);
  const std::string meta = mcp::passing_meta(call.meta);
  const std::string capabilities = relay_capabilities(call);
  DeviceRequest request;
  request.device = device.device;
  request.method = call.method;
  request.members = members;
  request.meta = meta;
  request.capabilities_json = capabilities;
  request.wants_progress = call.wants_progress;
  if (call.log_level) request.log_level = mcp::severity_text(*call.log_level);
  request.principal = conversation->principal().id;
  const Result<CallId> started = calls_.start(request, static_cast<DeviceCalls::Caller&>(*this), now);
  if (!started) return refuse(ref, "device '" + device.device_id + "' was not asked: " + started.error().context, now);
  found->second.device_call = *started;
  if (conversation->target().is_fleet()) found->second.task_prefix = "d." + device.device_id + ".";
  by_call_[*started] = ref;
}

// ---- What devices say

void Router::on_call_message(CallId call, mcp::Method method, mcp::Slice params) {
  const auto found = by_call_.find(call);
  mcp::Server* server = found == by_call_.end() ? nullptr : server_of(found->second);
  if (server == nullptr) return;
  if (method == mcp::Method::progress) {
    mcp::Progress progress;
    const std::string text = mcp::find_member(params, "message").text();
    progress.done = mcp::find_member(params, "progress").real().value_or(0);
    progress.total = mcp::find_member(params, "total").real();
    progress.text = text;
    (void)server->progress(found->second.token, progress, platform::now());
  } else if (method == mcp::Method::message) {
    const auto severity = mcp::parse_severity(mcp::find_member(params, "level"));
    if (!severity) return;
    (void)server->log(found->second.token, *severity, mcp::find_member(params, "logger").text(), mcp::find_member(params, "data").raw());
  }
}

void Router::on_call_end(CallId call, const CallOutcome& outcome) {
  const auto found = by_call_.find(call);
  if (found == by_call_.end()) return;
  const CallRef ref = found->second;
  by_call_.erase(found);
  const auto running = running_.find(ref);
  if (running == running_.end()) return;
  running->second.device_call = 0;
  const Instant now = platform::now();
  if (outcome.failure) {
    std::string text = "device '" + running->second.audit.device + "': " + call_failure_text(*outcome.failure);
    if (running->second.method == mcp::Method::call_tool) text += "; whether the tool ran is not known";
    return refuse(ref, text, now);
  }
  if (outcome.error.is_present()) return fail(ref, relayed_error(outcome.error), now);
  const bool is_foreign_task = !running->second.task_prefix.empty() && mcp::find_member(outcome.result, "taskId").is_present();
  if (!is_foreign_task) return reply(ref, outcome.result.raw(), outcome_of(outcome.result), now);
  reply(ref, with_task_prefix(outcome.result, running->second.task_prefix), outcome_of(outcome.result), now);
}

// ---- Answers

mcp::Server* Router::server_of(const CallRef& ref) {
  Conversation* conversation = host_.find_conversation(ref.conversation);
  return conversation == nullptr ? nullptr : &conversation->server();
}

/// The line of the audit comes before the answer is on its way, so that an answer cannot be seen of which there is no line.
void Router::finish(const CallRef& ref, std::string_view outcome, Instant now) {
  const auto found = running_.find(ref);
  if (found == running_.end()) return;
  audit_.add(std::move(found->second.audit), std::string(outcome), now);
  running_.erase(found);
  host_.on_audit();
}

void Router::reply(const CallRef& ref, std::string_view result_json, std::string_view outcome, Instant now) {
  if (!is_open(ref)) return;
  mcp::Server* server = server_of(ref);
  // A question to a legacy client keeps the call open: it comes back with the answers.
  const bool comes_back = outcome == "input_required" && mcp::era_of(running_[ref].revision) == mcp::Era::legacy;
  if (!comes_back) finish(ref, outcome, now);
  if (server != nullptr) (void)server->reply(ref.token, result_json, now);
}

void Router::reply_own(const CallRef& ref, std::string_view result_json, std::string_view outcome, Instant now) {
  if (!is_open(ref)) return;
  finish(ref, outcome, now);
  if (mcp::Server* server = server_of(ref)) (void)server->reply_own(ref.token, result_json);
}

void Router::reply_task(const CallRef& ref, const mcp::Task& task, Instant now) {
  if (!is_open(ref)) return;
  finish(ref, "queued", now);
  if (mcp::Server* server = server_of(ref)) (void)server->reply_task(ref.token, task, now);
}

void Router::fail(const CallRef& ref, const mcp::RpcError& error, Instant now) {
  if (!is_open(ref)) return;
  finish(ref, "error " + std::to_string(static_cast<int>(error.code)), now);
  if (mcp::Server* server = server_of(ref)) (void)server->fail(ref.token, error);
}

void Router::fail_not_found(const CallRef& ref, std::string_view what, Instant now) {
  if (!is_open(ref)) return;
  const std::string name(what);  // it may be part of what finish() forgets
  finish(ref, "not_found", now);
  if (mcp::Server* server = server_of(ref)) (void)server->fail_not_found(ref.token, name);
}

void Router::refuse(const CallRef& ref, const std::string& text, Instant now) {
  const auto found = running_.find(ref);
  if (found == running_.end()) return;
  if (found->second.method != mcp::Method::call_tool) return fail(ref, {mcp::RpcCode::internal_error, text, {}}, now);
  reply_own(ref, mcp::tool_error(text), "tool_error", now);
}

void Router::progress(const CallRef& ref, const mcp::Progress& progress, Instant now) {
  if (mcp::Server* server = server_of(ref)) (void)server->progress(ref.token, progress, now);
}

}  // namespace tideline::hub
