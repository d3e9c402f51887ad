#include "hub/mcp/device_watches.hpp"

#include "mcp/json_write.hpp"

namespace tideline::hub {

void DeviceWatches::watch(DeviceKey device, const std::string& uri, bool is_on) {
  Watched& watched = devices_[device];
  if (is_on) {
    if (watched.uris.size() >= limits::mcp_watched_uris && watched.uris.count(uri) == 0) return;
    if (++watched.uris[uri] > 1) return;
  } else {
    const auto found = watched.uris.find(uri);
    if (found == watched.uris.end() || --found->second > 0) return;
    watched.uris.erase(found);
  }
  changed_.insert(device);
}

void DeviceWatches::on_device_up(DeviceKey device) {
  if (devices_.count(device) != 0) changed_.insert(device);
}

void DeviceWatches::settle(Instant now) {
  std::set<DeviceKey> changed;
  changed.swap(changed_);
  for (const DeviceKey device : changed) {
    const auto found = devices_.find(device);
    if (found == devices_.end()) continue;
    renew(device, found->second, now);
    if (found->second.uris.empty() && found->second.listen == 0) devices_.erase(found);
  }
}

void DeviceWatches::drop(CallId& call) {
  if (call == 0) return;
  by_call_.erase(call);
  calls_.cancel(std::exchange(call, 0));
}

void DeviceWatches::renew(DeviceKey device, Watched& watched, Instant now) {
  drop(watched.fading);
  watched.fading = std::exchange(watched.listen, 0);
  if (watched.uris.empty()) return drop(watched.fading);
  std::string members = R"("notifications":{"resourceSubscriptions":[)";
  for (const auto& [uri, count] : watched.uris) {
    if (members.back() != '[') members += ',';
    mcp::append_string(members, uri);
  }
  members += "]}";
  DeviceRequest request;
  request.device = device;
  request.method = mcp::Method::listen;
  request.members = members;
  request.principal = "hub";
  request.last_deadline = {};
  const Result<CallId> started = calls_.start(request, static_cast<DeviceCalls::Caller&>(*this), now);
  if (!started) {
    if (started.error().code == ErrorCode::full) changed_.insert(device);  // when it comes back it is listened to again anyway
    return;
  }
  watched.listen = *started;
  by_call_[*started] = device;
}

void DeviceWatches::on_call_message(CallId call, mcp::Method method, mcp::Slice params) {
  const auto found = by_call_.find(call);
  if (found == by_call_.end()) return;
  const DeviceKey device = found->second;
  Watched& watched = devices_[device];
  if (method == mcp::Method::acknowledged && call == watched.listen) return drop(watched.fading);
  if (method == mcp::Method::resource_updated) on_updated_(device, mcp::find_member(params, "uri").text());
}

/// The link went down, or the device ended it: with the next hello, or the next change, there is a new one.
void DeviceWatches::on_call_end(CallId call, const CallOutcome&) {
  const auto found = by_call_.find(call);
  if (found == by_call_.end()) return;
  Watched& watched = devices_[found->second];
  if (watched.listen == call) watched.listen = 0;
  if (watched.fading == call) watched.fading = 0;
  by_call_.erase(found);
}

}  // namespace tideline::hub
