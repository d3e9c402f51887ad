// Puts readings of many series into columns: a counting sort by (series, type, time source), in order of first appearance.
// Owned by an Encoder. Bounded by limits::block_readings and block_columns.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "model/reading.hpp"

namespace tideline::block {

class Grouper {
 public:
  struct Group {
    model::Reading sample;  ///< the group's first reading
    uint32_t begin = 0;     ///< of its readings in times() and bits()
    uint32_t count = 0;
    uint32_t slot = 0;
  };

  Grouper();
  /// Replaces the groups. Errors: limit (block_columns), invalid (no such type or time source).
  Status group(std::span<const model::Reading> readings);

  std::span<const Group> groups() const { return groups_; }
  std::span<const int64_t> times(const Group& group) const { return {times_.data() + group.begin, group.count}; }
  std::span<const uint64_t> bits(const Group& group) const { return {bits_.data() + group.begin, group.count}; }

 private:
  static constexpr size_t slots = 2 * limits::block_columns;  // a power of two, at most half full
  static constexpr uint64_t no_key = UINT64_MAX;
  static_assert((slots & (slots - 1)) == 0);

  static uint64_t key_of(const model::Reading& reading) {
    return uint64_t{reading.series} | static_cast<uint64_t>(reading.type) << 32 | static_cast<uint64_t>(reading.time_source) << 40;
  }
  static size_t slot_of(uint64_t key) { return static_cast<size_t>(key * 0x9e3779b97f4a7c15 >> 53); }
  Status add_group(const model::Reading& reading, size_t slot);
  Status count_groups(std::span<const model::Reading> readings);
  void copy_all(std::span<const model::Reading> readings);
  void scatter(std::span<const model::Reading> readings);
  void forget();

  // An open hash table whose look-up is two loads and a comparison; emptied by slot, not as a whole.
  std::array<uint64_t, slots> keys_{};
  std::array<uint16_t, slots> group_at_{};
  std::array<uint32_t, limits::block_columns> counts_{};  // by group
  std::vector<Group> groups_;
  std::vector<uint16_t> group_of_;  // of each reading
  std::vector<int64_t> times_;
  std::vector<uint64_t> bits_;
};

}  // namespace tideline::block
