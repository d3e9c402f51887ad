#include "block/group.hpp"

#include <cassert>

namespace tideline::block {

Grouper::Grouper() : group_of_(limits::block_readings), times_(limits::block_readings), bits_(limits::block_readings) {
  static_assert(slots == size_t{1} << (64 - 53), "slot_of() keeps 11 bits");
  keys_.fill(no_key);
  groups_.reserve(limits::block_columns);
}

Status Grouper::group(std::span<const model::Reading> readings) {
  assert(!readings.empty() && readings.size() <= limits::block_readings);
  groups_.clear();
  size_t alike = 1;
  while (alike < readings.size() && key_of(readings[alike]) == key_of(readings[0])) ++alike;
  if (alike == readings.size()) {
    RETURN_IF_ERROR(add_group(readings[0], slot_of(key_of(readings[0]))));
    groups_[0].count = static_cast<uint32_t>(readings.size());
    copy_all(readings);
    return {};
  }
  const Status status = count_groups(readings);
  if (status) scatter(readings);
  forget();
  return status;
}

Status Grouper::add_group(const model::Reading& reading, size_t slot) {
  if (groups_.size() == limits::block_columns) return Error{ErrorCode::limit, 0, "block: too many columns"};
  if (reading.type > model::ValueType::text || reading.time_source > model::TimeSource::producer) {
    return Error{ErrorCode::invalid, 0, "block: no such type of reading"};
  }
  counts_[groups_.size()] = 0;
  groups_.push_back({reading, 0, 0, static_cast<uint32_t>(slot)});
  return {};
}

Status Grouper::count_groups(std::span<const model::Reading> readings) {
  for (size_t i = 0; i < readings.size(); ++i) {
    const uint64_t key = key_of(readings[i]);
    size_t slot = slot_of(key);
    while (keys_[slot] != key) {
      if (keys_[slot] != no_key) {
        slot = (slot + 1) % slots;
        continue;
      }
      const auto number = static_cast<uint16_t>(groups_.size());
      RETURN_IF_ERROR(add_group(readings[i], slot));
      keys_[slot] = key;
      group_at_[slot] = number;
    }
    const uint16_t number = group_at_[slot];
    group_of_[i] = number;
    ++counts_[number];
  }
  return {};
}

void Grouper::copy_all(std::span<const model::Reading> readings) {
  for (size_t i = 0; i < readings.size(); ++i) {
    times_[i] = readings[i].time_ns;
    bits_[i] = readings[i].bits;
  }
}

void Grouper::scatter(std::span<const model::Reading> readings) {
  uint32_t begin = 0;
  for (size_t number = 0; number < groups_.size(); ++number) {
    groups_[number].begin = begin;
    groups_[number].count = counts_[number];
    counts_[number] = begin;  // from here on: where the next reading goes
    begin += groups_[number].count;
  }
  for (size_t i = 0; i < readings.size(); ++i) {
    const uint32_t at = counts_[group_of_[i]]++;
    times_[at] = readings[i].time_ns;
    bits_[at] = readings[i].bits;
  }
}

void Grouper::forget() {
  for (const Group& group : groups_) keys_[group.slot] = no_key;
}

}  // namespace tideline::block
