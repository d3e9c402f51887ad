// Reads the clocks and the machine's random numbers: only composition roots, command lines and the store thread do (cores take
// `now` as an argument).
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"
#include "model/anchor.hpp"

namespace tideline::platform {

/// CLOCK_BOOTTIME: counts through suspend, never jumps.
Instant now();
/// CLOCK_REALTIME as it is, right or wrong.
UtcNanos wall_clock();
/// 64-bit hash (FNV-1a) of /proc/sys/kernel/random/boot_id; 0 never. The domain of now().
uint64_t boot_id();
/// From getrandom(2); blocks until the kernel's pool is ready.
uint64_t random_u64();
/// What the kernel says of its wall clock (adjtimex(2)).
struct ClockState {
  bool is_synced = false;  ///< NTP, PTP or GPS disciplines it
  Duration error;          ///< most that it is wrong by; of use when synced
};
ClockState clock_state();
/// What to make of a wall clock that says `wall`; the boot id is left out. Pure.
model::Anchor make_anchor(const ClockState& state, Instant mono, UtcNanos wall, UtcNanos floor);
/// The best anchor the machine can give now: `synced` if adjtimex says so, else `rtc` if the wall clock is later than
/// `floor`, else the floor itself.
model::Anchor take_anchor(UtcNanos floor);

}  // namespace tideline::platform
