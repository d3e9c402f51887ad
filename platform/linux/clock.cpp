#include "clock.hpp"

#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>

namespace tideline::platform {
namespace {

int64_t read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Instant now() { return {read_clock(CLOCK_BOOTTIME)}; }
UtcNanos wall_clock() { return {read_clock(CLOCK_REALTIME)}; }

uint64_t boot_id() {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bit
  if (std::FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re")) {
    for (int c = std::fgetc(file); c != EOF && c != '\n'; c = std::fgetc(file)) {
      hash = (hash ^ static_cast<uint64_t>(c)) * 0x100000001b3;
    }
    std::fclose(file);
  }
  return hash == 0 ? 1 : hash;
}

uint64_t random_u64() {
  uint64_t value = 0;
  if (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) std::abort();
  return value;
}

ClockState clock_state() {
  timex state{};
  const int answer = adjtimex(&state);
  if (answer < 0 || answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) return {};
  return {true, nanoseconds(static_cast<int64_t>(state.maxerror) * 1000)};
}

model::Anchor make_anchor(const ClockState& state, Instant mono, UtcNanos wall, UtcNanos floor) {
  model::Anchor anchor;
  anchor.mono_ns = mono.nanos;
  anchor.utc_ns = wall.nanos;
  if (state.is_synced) {
    anchor.quality = model::TimeQuality::synced;
    anchor.error_ns = state.error.nanos;
  } else if (anchor.utc_ns > floor.nanos) {
    anchor.quality = model::TimeQuality::rtc;
  } else {
    anchor.utc_ns = floor.nanos;
    anchor.quality = floor.nanos > 0 ? model::TimeQuality::floor : model::TimeQuality::none;
  }
  return anchor;
}

model::Anchor take_anchor(UtcNanos floor) {
  model::Anchor anchor = make_anchor(clock_state(), now(), wall_clock(), floor);
  anchor.boot_id = boot_id();
  return anchor;
}

}  // namespace tideline::platform
