// Limits the bytes per second that a link costs. Control frames are always sent and may put the bucket into debt; data waits
// until the debt is paid. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace tideline::link {

class TokenBucket {
 public:
  /// 0 bytes per second: no limit. `burst` is what may be sent at once after a pause.
  TokenBucket(uint64_t bytes_per_second, uint64_t burst)
      : rate_(static_cast<int64_t>(bytes_per_second)), burst_(static_cast<int64_t>(burst)), level_(burst_) {}

  /// Goes on with another rate; what was spent stays spent. No limit forgives a debt.
  void set_rate(uint64_t bytes_per_second, uint64_t burst, Instant now) {
    refill(now);
    rate_ = static_cast<int64_t>(bytes_per_second);
    burst_ = static_cast<int64_t>(burst);
    level_ = is_limited() ? std::min(level_, burst_) : burst_;
    refilled_ = now;
  }

  bool is_limited() const { return rate_ > 0; }
  /// True when data may be sent now: the level is above zero, however large the frame.
  bool is_open(Instant now) {
    refill(now);
    return !is_limited() || level_ > 0;
  }
  void spend(uint64_t bytes, Instant now) {
    refill(now);
    if (is_limited()) level_ -= static_cast<int64_t>(bytes);
  }
  /// When is_open() becomes true.
  Instant open_at(Instant now) {
    if (is_open(now)) return now;
    const int64_t debt = 1 - level_;
    return now + Duration{debt / rate_ * 1'000'000'000 + (debt % rate_ * 1'000'000'000 + rate_ - 1) / rate_};
  }

 private:
  void refill(Instant now) {
    const int64_t passed = std::max<int64_t>(now.nanos - refilled_.nanos, 0);
    if (!is_limited() || passed == 0) return;
    const int64_t to_full = burst_ - level_;
    if (passed / 1'000'000'000 >= to_full / rate_ + 1) {  // also keeps the product below from overflowing
      level_ = burst_;
      refilled_ = now;
      return;
    }
    const int64_t gained = passed / 1'000'000'000 * rate_ + passed % 1'000'000'000 * rate_ / 1'000'000'000;
    if (gained == 0) return;  // keep the fraction of a byte
    level_ = std::min(burst_, level_ + gained);
    refilled_ = now;
  }

  int64_t rate_;
  int64_t burst_;
  int64_t level_;
  Instant refilled_{};
};

}  // namespace tideline::link
