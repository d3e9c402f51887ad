#include "block/group.hpp"

#include <cassert>

namespace tideline::block {

Grouper::Grouper() : group_of_(limits::block_readings), times_(limits::block_readings), bits_(limits::block_readings) {
  static_assert(slots == size_t{1} << (64 - 53), "slot_of() keeps 11 bits");
  keys_.fill(no_key);
  groups_.reserve(limits::block_columns);
}

Status Grouper::group(std::span<const model::Reading> readings) {
  assert(readings.size() <= limits::block_readings);
  const Status status = count_groups(readings);
  if (status) scatter(readings);
  forget();
  return status;
}

Status Grouper::count_groups(std::span<const model::Reading> readings) {
  groups_.clear();
  for (size_t i = 0; i < readings.size(); ++i) {
    const uint64_t key = key_of(readings[i]);
    size_t slot = slot_of(key);
    while (keys_[slot] != key) {
      if (keys_[slot] != no_key) {
        slot = (slot + 1) % slots;
        continue;
      }
      const model::Reading& reading = readings[i];
      if (groups_.size() == limits::block_columns) return Error{ErrorCode::limit, 0, "block: too many columns"};
      if (reading.type > model::ValueType::text || reading.time_source > model::TimeSource::producer) {
        return Error{ErrorCode::invalid, 0, "block: no such type of reading"};
      }
      keys_[slot] = key;
      group_at_[slot] = static_cast<uint16_t>(groups_.size());
      groups_.push_back({reading, 0, 0, static_cast<uint32_t>(slot)});
    }
    group_of_[i] = group_at_[slot];
    ++groups_[group_of_[i]].count;
  }
  return {};
}

void Grouper::scatter(std::span<const model::Reading> readings) {
  uint32_t begin = 0;
  for (Group& group : groups_) {
    group.begin = begin;
    begin += group.count;
  }
  if (groups_.size() == 1) {
    for (size_t i = 0; i < readings.size(); ++i) {
      times_[i] = readings[i].time_ns;
      bits_[i] = readings[i].bits;
    }
    return;
  }
  for (size_t i = 0; i < readings.size(); ++i) {
    const uint32_t at = groups_[group_of_[i]].begin++;
    times_[at] = readings[i].time_ns;
    bits_[at] = readings[i].bits;
  }
  for (Group& group : groups_) group.begin -= group.count;
}

void Grouper::forget() {
  for (const Group& group : groups_) keys_[group.slot] = no_key;
}

}  // namespace tideline::block
