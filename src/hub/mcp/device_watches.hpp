// Resources of devices that clients watch: one listen on the link per device for all its watchers. Its set of URIs is fixed when it is
// made, so a change makes a new one before the old one goes (nothing is missed in between).
//
// Owned by McpService. Thread: loop. Memory only. Bounds: limits::mcp_watched_uris a device; the others are not heard of.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "hub/mcp/device_calls.hpp"

namespace tideline::hub {

class DeviceWatches final : private DeviceCalls::Caller {
 public:
  using Updated = std::function<void(DeviceKey device, const std::string& uri)>;
  DeviceWatches(DeviceCalls& calls, Updated on_updated) : calls_(calls), on_updated_(std::move(on_updated)) {}

  void watch(DeviceKey device, const std::string& uri, bool is_on);
  void on_device_up(DeviceKey device);
  /// Makes the listens that changed; call after events, at most every limits::hub_announce_interval.
  void settle(Instant now);
  bool is_settled() const { return changed_.empty(); }

 private:
  struct Watched {
    std::map<std::string, size_t> uris;  ///< with the number of watchers
    CallId listen = 0;
    CallId fading = 0;                   ///< the one before, until the new one is acknowledged
  };
  void on_call_message(CallId call, mcp::Method method, mcp::Slice params) override;
  void on_call_end(CallId call, const CallOutcome& outcome) override;
  void renew(DeviceKey device, Watched& watched, Instant now);
  void drop(CallId& call);

  DeviceCalls& calls_;
  Updated on_updated_;
  std::unordered_map<DeviceKey, Watched> devices_;
  std::unordered_map<CallId, DeviceKey> by_call_;
  std::set<DeviceKey> changed_;
};

}  // namespace tideline::hub
