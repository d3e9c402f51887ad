// The fleet as the loop sees it: every device with its record and whether it is connected now. Filled from the archive at
// start, kept up by the sessions.
//
// Pure; owned by the hub's composition. Thread: loop. Presence is memory only; what must survive (last seen, version) goes to
// the archive with touch_device(). Bounded by limits::hub_devices.
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/store/archive.hpp"
#include "hub/fleet/intake.hpp"

namespace tideline::hub {

struct Presence {
  bool is_online = false;
  SessionId session = 0;                                ///< 0 when offline
  UtcNanos since;                                       ///< of the present connection, or of its end
  std::array<uint64_t, model::stream_count> backlog{};  ///< readings that the device said it still holds for us
};

struct DeviceEntry {
  DeviceRecord record;   ///< last_seen_ns and agent_version as known now
  Presence presence;
};

class Registry {
 public:
  /// Replaces all records; presence of devices that stay is kept.
  void load(const std::vector<DeviceRecord>& records);
  /// Adds or replaces one record (enrolled, relabelled, revoked). Errors: limit.
  Status put(const DeviceRecord& record);

  const DeviceEntry* find(const std::string& id) const;
  const DeviceEntry* find(DeviceKey key) const;
  /// In the order of ids.
  std::vector<const DeviceEntry*> select(const model::DeviceSelector& selector) const;
  size_t size() const { return devices_.size(); }
  size_t online() const { return online_; }
  /// Grows when a record changes, not with presence.
  uint64_t version() const { return version_; }
  /// Over the devices online.
  std::array<uint64_t, model::stream_count> backlog() const;

  /// A session took over. An older session's end must not take the device offline: go_offline() names its session.
  void go_online(DeviceKey key, SessionId session, const std::string& agent_version, UtcNanos now);
  /// True when the device went offline by this: then its record is worth touch_device().
  bool go_offline(DeviceKey key, SessionId session, UtcNanos now);
  void note_seen(DeviceKey key, UtcNanos now);
  void set_backlog(DeviceKey key, const std::array<uint64_t, model::stream_count>& readings);
  /// Fewer by `readings`, not below 0: what was just stored.
  void reduce_backlog(DeviceKey key, model::Stream stream, uint64_t readings);

 private:
  DeviceEntry* entry(DeviceKey key);

  std::map<std::string, DeviceEntry> devices_;   // by id; entries stay in place
  std::unordered_map<DeviceKey, DeviceEntry*> by_key_;
  size_t online_ = 0;
  uint64_t version_ = 1;
};

}  // namespace tideline::hub
