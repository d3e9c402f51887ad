#include "block/times.hpp"

#include <algorithm>

namespace tideline::block {
namespace {

/// Offsets from the first time in `Unit`; false when one is not a whole number of it. A template, because division by a
/// constant is a multiplication.
template <int64_t Unit>
bool divide(std::span<const int64_t> times, uint64_t base_ns, uint64_t* offsets) {
  const uint64_t first = static_cast<uint64_t>(static_cast<int64_t>(static_cast<uint64_t>(times[0]) - base_ns) / Unit);
  int64_t rest = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    const auto distance = static_cast<int64_t>(static_cast<uint64_t>(times[i]) - base_ns);
    rest |= distance % Unit;
    offsets[i] = static_cast<uint64_t>(distance / Unit) - first;
  }
  return rest == 0;
}

bool divide(uint8_t unit, std::span<const int64_t> times, uint64_t base_ns, uint64_t* offsets) {
  switch (unit) {
    case 3: return divide<time_units_ns[3]>(times, base_ns, offsets);
    case 2: return divide<time_units_ns[2]>(times, base_ns, offsets);
    case 1: return divide<time_units_ns[1]>(times, base_ns, offsets);
    default: return divide<time_units_ns[0]>(times, base_ns, offsets);
  }
}

}  // namespace

uint8_t* put_times(std::span<const int64_t> times, uint64_t base_ns, Column& column, std::span<uint64_t> offsets,
                   std::span<uint64_t> residuals, uint8_t* to) {
  constexpr size_t tried = 4;  // a few times tell the unit nearly always
  uint8_t unit = 3;
  while (!divide(unit, times.first(std::min(tried, times.size())), base_ns, offsets.data()) ||
         !divide(unit, times, base_ns, offsets.data())) {
    --unit;  // unit 0 is always exact
  }
  column.coding.time_unit = unit;
  column.time_first_ns = times.front();
  column.time_last_ns = times.back();
  int64_t least = times[0];
  int64_t most = times[0];
  for (const int64_t time : times) {
    least = std::min(least, time);
    most = std::max(most, time);
  }
  column.time_min_ns = least;
  column.time_max_ns = most;
  const uint64_t range = (static_cast<uint64_t>(most) - static_cast<uint64_t>(least)) / static_cast<uint64_t>(time_units_ns[unit]);
  return put_ints(offsets, range < line_range ? IntsOf::times : IntsOf::distant_times, residuals, to);
}

bool take_times(const Column& column, std::span<int64_t> times) {
  // int64_t and uint64_t may alias (C++20 [basic.lval] 11).
  const std::span<uint64_t> offsets(reinterpret_cast<uint64_t*>(times.data()), times.size());
  const auto unit = static_cast<uint64_t>(time_units_ns[column.coding.time_unit]);
  const auto first = static_cast<uint64_t>(column.time_first_ns);
  if (column.time_bytes.empty()) {
    const int64_t last = static_cast<int64_t>(static_cast<uint64_t>(column.time_last_ns) - first) / static_cast<int64_t>(unit);
    if (!fill_progression(static_cast<uint64_t>(last), offsets)) return false;
  } else {
    Input in(column.time_bytes);
    if (!take_ints(in, offsets) || in.left() != 0) return false;
  }
  bool outside = false;
  for (int64_t& time : times) {
    time = static_cast<int64_t>(first + static_cast<uint64_t>(time) * unit);
    outside |= time < column.time_min_ns || time > column.time_max_ns;
  }
  return !outside && times.back() == column.time_last_ns;
}

}  // namespace tideline::block
