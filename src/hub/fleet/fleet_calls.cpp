// Pieces of calls and of the context on their way to devices and back.
#include "hub/fleet/fleet.hpp"

#include "base/limits.hpp"

namespace tideline::hub {

DeviceLink* Fleet::find_online(DeviceKey device) {
  const DeviceEntry* entry = registry_.find(device);
  if (entry == nullptr || !entry->presence.is_online) return nullptr;
  const auto found = links_.find(entry->presence.session);
  return found == links_.end() ? nullptr : found->second.link.get();
}

bool Fleet::is_current(const DeviceLink& link) const {
  const DeviceEntry* entry = registry_.find(link.session().peer().record.key);
  return entry != nullptr && entry->presence.session == link.id();
}

/// What is beyond is left for what keeps the link going: a device that does not read must not lose its link because of callers.
size_t Fleet::call_room(DeviceKey device) {
  DeviceLink* link = find_online(device);
  if (link == nullptr) return 0;
  const size_t queued = link->connection().queued_bytes();
  return queued < limits::link_call_queue_bytes ? limits::link_call_queue_bytes - queued : 0;
}

template <class Frame>
Status Fleet::pass_on(DeviceKey device, const Frame& frame) {
  DeviceLink* link = find_online(device);
  if (link == nullptr) return Error{ErrorCode::closed, 0, "the device is not online"};
  link->session().pass_on(frame);
  return {};
}
Status Fleet::send(DeviceKey device, const link::CallFrame& frame) { return pass_on(device, frame); }
Status Fleet::send(DeviceKey device, const link::CancelFrame& frame) { return pass_on(device, frame); }
Status Fleet::send(DeviceKey device, const link::ContextFrame& frame) { return pass_on(device, frame); }
void Fleet::dismiss(DeviceKey device, link::ByeCode code, const std::string& reason) {
  if (DeviceLink* link = find_online(device)) link->session().dismiss(code, reason, options_.unavailable_retry, now());
}

void Fleet::on_reply(DeviceLink& link, const link::ReplyFrame& frame) {
  if (call_events_ != nullptr && is_current(link)) call_events_->on_reply(link.session().peer().record.key, frame);
}

void Fleet::on_notify(DeviceLink& link, const link::NotifyFrame& frame) {
  if (call_events_ != nullptr && is_current(link)) call_events_->on_notify(link.session().peer().record.key, frame);
}

void Fleet::on_context(DeviceLink& link, const link::ContextFrame& frame) {
  if (context_events_ != nullptr && is_current(link)) context_events_->on_context(link.session().peer().record.key, frame);
}

}  // namespace tideline::hub
