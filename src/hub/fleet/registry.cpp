#include "hub/fleet/registry.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::hub {

void Registry::load(const std::vector<DeviceRecord>& records) {
  std::map<std::string, DeviceEntry> old;
  old.swap(devices_);
  by_key_.clear();
  online_ = 0;
  ++version_;
  for (const DeviceRecord& record : records) {
    DeviceEntry& made = devices_[record.id];
    made.record = record;
    if (const auto known = old.find(record.id); known != old.end()) made.presence = known->second.presence;
    by_key_[record.key] = &made;
    online_ += made.presence.is_online;
  }
}

Status Registry::put(const DeviceRecord& record) {
  if (devices_.count(record.id) == 0 && devices_.size() >= limits::hub_devices) return Error{ErrorCode::limit, 0, "hub has 20000 devices already"};
  DeviceEntry& known = devices_[record.id];
  known.record = record;
  ++version_;
  by_key_[record.key] = &known;
  return {};
}

const DeviceEntry* Registry::find(const std::string& id) const {
  const auto found = devices_.find(id);
  return found == devices_.end() ? nullptr : &found->second;
}

const DeviceEntry* Registry::find(DeviceKey key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

DeviceEntry* Registry::entry(DeviceKey key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

std::vector<const DeviceEntry*> Registry::select(const model::DeviceSelector& selector) const {
  std::vector<const DeviceEntry*> chosen;
  const model::DeviceSelector::IdRange range = selector.id_range();
  for (auto at = devices_.lower_bound(std::string(range.begin)); at != devices_.end() && range.contains(at->first); ++at) {
    if (selector.matches(at->first, at->second.record.labels)) chosen.push_back(&at->second);
  }
  return chosen;
}

std::array<uint64_t, model::stream_count> Registry::backlog() const {
  std::array<uint64_t, model::stream_count> sum{};
  for (const auto& [id, device] : devices_) {
    if (!device.presence.is_online) continue;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += device.presence.backlog[i];
  }
  return sum;
}

void Registry::go_online(DeviceKey key, SessionId session, const std::string& agent_version, UtcNanos now) {
  DeviceEntry* device = entry(key);
  if (device == nullptr) return;
  online_ += !device->presence.is_online;
  device->presence = {true, session, now, {}};
  device->record.agent_version = agent_version;
  device->record.last_seen_ns = now.nanos;
}

bool Registry::go_offline(DeviceKey key, SessionId session, UtcNanos now) {
  DeviceEntry* device = entry(key);
  if (device == nullptr || !device->presence.is_online || device->presence.session != session) return false;
  --online_;
  device->presence.is_online = false;
  device->presence.session = 0;
  device->presence.since = now;
  device->record.last_seen_ns = now.nanos;
  return true;
}

void Registry::note_seen(DeviceKey key, UtcNanos now) {
  if (DeviceEntry* device = entry(key)) device->record.last_seen_ns = now.nanos;
}

void Registry::set_backlog(DeviceKey key, const std::array<uint64_t, model::stream_count>& readings) {
  if (DeviceEntry* device = entry(key)) device->presence.backlog = readings;
}

void Registry::reduce_backlog(DeviceKey key, model::Stream stream, uint64_t readings) {
  DeviceEntry* device = entry(key);
  if (device == nullptr) return;
  uint64_t& left = device->presence.backlog[index_of(stream)];
  left -= std::min(left, readings);
}

}  // namespace tideline::hub
