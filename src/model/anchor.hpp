// What ties monotonic time to wall time. Plain values.
//
// Every agent-stamped reading is stored with the wall time that the agent believed: monotonic time plus the offset of the
// anchor in force, which stands in the block header. When a better anchor for the same boot arrives later, the reading's
// time is corrected by the difference of the two offsets (DESIGN.md section 9).
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace tideline::model {

/// Where an anchor came from, worst first: a higher value replaces a lower one. Stored and sent: never renumber.
enum class TimeQuality : uint8_t {
  none = 0,    ///< no idea: counts from the floor
  floor = 1,   ///< not earlier than the newest date the device has seen
  rtc = 2,     ///< a battery clock, not disciplined
  hub = 3,     ///< told by the hub over the link
  synced = 4,  ///< NTP, PTP or GPS says so (adjtimex)
};
const char* time_quality_name(TimeQuality quality);

struct Anchor {
  uint64_t boot_id = 0;     ///< hash of the kernel's boot id: the domain of monotonic time
  int64_t mono_ns = 0;      ///< monotonic time at which the anchor was taken
  int64_t utc_ns = 0;       ///< wall time at that moment
  int64_t error_ns = 0;     ///< bound of |utc error|, 0 when unknown
  TimeQuality quality = TimeQuality::none;

  int64_t offset_ns() const { return utc_ns - mono_ns; }
  bool operator==(const Anchor&) const = default;
};

/// True when `candidate` should replace `current` (same boot): better source, or the same source and newer.
bool is_better(const Anchor& candidate, const Anchor& current);

}  // namespace tideline::model
