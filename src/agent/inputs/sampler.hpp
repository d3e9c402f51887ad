// Which input is due when: a fixed grid per input, so that nothing drifts, with a phase of its own, so that not all are read in
// the same instant. A grid point that was missed is skipped: after a stall each input is due once, not many times. Pure.
//
// Owned by Inputs. Bounds: limits::inputs; cost linear in their number.
#pragma once

#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"

namespace tideline::agent {

class Sampler {
 public:
  explicit Sampler(uint64_t seed) : random_(seed) {}

  /// Adds an input, due first within the shorter of `interval` and one second after `now`. Returns its number, from 0.
  size_t add(Duration interval, Instant now);
  /// Appends the numbers of those due at `now` and moves them to their next grid point after `now`.
  void take_due(Instant now, std::vector<size_t>& out);
  /// When the next one is due; never if there is none.
  Instant next() const;

 private:
  struct Entry {
    Duration interval;
    Instant due;
  };
  Random random_;
  std::vector<Entry> entries_;
};

}  // namespace tideline::agent
