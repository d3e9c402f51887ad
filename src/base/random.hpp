// A small deterministic generator for jitter, sampling phases and tests. Not for keys: those come from wrap/tls.
#pragma once

#include <cstdint>

namespace tideline {

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, passes BigCrush. The caller seeds it.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound); 0 when bound is 0. The bias of the modulo is below 2^-32 for bounds below 2^32.
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

}  // namespace tideline
