#include "hub/mcp/device_calls.hpp"

#include <algorithm>
#include <optional>

#include "mcp/envelope.hpp"
#include "mcp/json_write.hpp"
#include "mcp/message.hpp"

namespace tideline::hub {

const char* call_failure_text(CallFailure failure) {
  switch (failure) {
    case CallFailure::device_gone: return "the device's connection ended before it answered";
    case CallFailure::timed_out: return "the device did not answer in time";
    case CallFailure::too_long: return "the device's answer is longer than this hub takes";
    case CallFailure::malformed: return "the device's answer is not a JSON-RPC response";
  }
  return "";
}

std::string DeviceCalls::request_line(CallId call, const DeviceRequest& request) const {
  std::string meta = mcp::envelope_members(name_, version_, request.capabilities_json);
  const std::string id = std::to_string(call);
  if (request.wants_progress) meta += ",\"progressToken\":" + id;
  if (!request.log_level.empty()) {
    meta += ',';
    mcp::append_string(meta, mcp::key::log_level);
    meta += ':';
    mcp::append_string(meta, request.log_level);
  }
  if (!request.meta.empty()) meta.append(",").append(request.meta);
  std::string params = "{";
  params += request.members;
  params += request.members.empty() ? R"("_meta":{)" : R"(,"_meta":{)";
  params += meta + "}}";
  return mcp::request_line(id, mcp::method_text(request.method), params);
}

Result<CallId> DeviceCalls::start(const DeviceRequest& request, Caller& caller, Instant now) {
  const size_t room = links_.call_room(request.device);
  if (room == 0) {
    return by_device_.count(request.device) != 0 ? Error{ErrorCode::full, 0, "the device does not read what it was sent; try again later"}
                                                 : Error{ErrorCode::closed, 0, "the device is not online"};
  }
  if (under_way(request.device) >= limits::hub_calls_per_device) {
    return Error{ErrorCode::full, 0, "the device has as many calls under way as it may have; try again later"};
  }
  if (calls_.size() >= limits::hub_calls || held_bytes_ >= limits::hub_reply_bytes) {
    return Error{ErrorCode::full, 0, "this hub has as many calls under way as it can hold; try again later"};
  }
  const CallId id = last_ + 1;
  const std::string line = request_line(id, request);
  if (line.size() > limits::link_call_queue_bytes) return Error{ErrorCode::limit, 0, "the request is longer than 384 KiB, the most that a device is sent"};
  if (line.size() > room) return Error{ErrorCode::full, 0, "the device does not read what it was sent; try again later"};
  last_ = id;
  link::CallFrame frame;
  frame.call = id;
  frame.task = request.task;
  frame.principal = request.principal;
  frame.deadline = request.last_deadline;
  frame.reply_bytes = limits::mcp_line_bytes;
  for (size_t at = 0; at < line.size(); at += limits::link_piece_bytes) {
    const std::string_view piece = std::string_view(line).substr(at, limits::link_piece_bytes);
    frame.is_last = at + piece.size() == line.size();
    frame.text = as_bytes(piece);
    RETURN_IF_ERROR(links_.send(request.device, frame));
  }
  Call call;
  call.device = request.device;
  call.caller = &caller;
  call.patience = request.deadline;
  call.last_deadline = request.last_deadline.nanos == 0 ? never : now + request.last_deadline;
  call.deadline = request.last_deadline.nanos == 0 ? never : std::min(now + request.deadline, call.last_deadline);
  calls_.emplace(id, std::move(call));
  ++by_device_[request.device];
  return id;
}

size_t DeviceCalls::under_way(DeviceKey device) const {
  const auto found = by_device_.find(device);
  return found == by_device_.end() ? 0 : found->second;
}

void DeviceCalls::forget(std::map<CallId, Call>::iterator call) {
  held_bytes_ -= call->second.text.size();
  const auto count = by_device_.find(call->second.device);
  if (--count->second == 0) by_device_.erase(count);
  calls_.erase(call);
}

void DeviceCalls::cancel(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const DeviceKey device = found->second.device;
  forget(found);
  (void)links_.send(device, link::CancelFrame{id});  // of a device that has gone the call is over anyway
}

void DeviceCalls::end(CallId id, CallFailure failure, bool tell_device) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const DeviceKey device = found->second.device;
  Caller& caller = *found->second.caller;
  forget(found);
  if (tell_device) (void)links_.send(device, link::CancelFrame{id});
  caller.on_call_end(id, {{}, {}, failure});
}

void DeviceCalls::on_reply(DeviceKey device, const link::ReplyFrame& frame, Instant now) {
  const auto found = calls_.find(frame.call);
  if (found == calls_.end() || found->second.device != device) return;  // it was cancelled, or ended while this was on its way
  Call& call = found->second;
  if (call.text.size() + frame.text.size() > limits::mcp_line_bytes) return end(frame.call, CallFailure::too_long, true);
  call.text.append(as_text(frame.text));
  held_bytes_ += frame.text.size();
  if (call.last_deadline != never) call.deadline = std::min(now + call.patience, call.last_deadline);
  if (frame.part == link::ReplyPart::more) return;
  std::string text;
  text.swap(call.text);
  held_bytes_ -= text.size();
  on_message(frame.call, std::move(text), frame.part == link::ReplyPart::answer);
}

void DeviceCalls::on_message(CallId id, std::string text, bool is_answer) {
  const mcp::Message message = mcp::parse_message(text);
  if (!is_answer) {
    if (message.kind == mcp::MessageKind::notification) return calls_.at(id).caller->on_call_message(id, message.method, message.params);
    return end(id, CallFailure::malformed, true);
  }
  if (message.kind != mcp::MessageKind::response || (message.result.is_present() && !message.result.is(mcp::JsonKind::object))) {
    return end(id, CallFailure::malformed, false);
  }
  const auto found = calls_.find(id);
  Caller& caller = *found->second.caller;
  forget(found);
  caller.on_call_end(id, {message.result, message.error, std::nullopt});
}

void DeviceCalls::on_device_down(DeviceKey device) {
  std::vector<CallId> lost;
  for (const auto& [id, call] : calls_) {
    if (call.device == device) lost.push_back(id);
  }
  for (const CallId id : lost) end(id, CallFailure::device_gone, false);
}

void DeviceCalls::on_tick(Instant now) {
  std::vector<CallId> late;
  for (const auto& [id, call] : calls_) {
    if (call.deadline <= now) late.push_back(id);
  }
  for (const CallId id : late) end(id, CallFailure::timed_out, true);
}

}  // namespace tideline::hub
