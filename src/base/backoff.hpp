// How long to wait before the next connection attempt: decorrelated jitter, so that a fleet does not come back in step.
// Formula: sleep = min(cap, uniform(base, 3 * previous)) (M. Brooker, "Exponential Backoff And Jitter", AWS 2015).
// Reset only after progress that the peer acknowledged: "connected" is not success (DESIGN.md section 6).
#pragma once

#include "base/random.hpp"
#include "base/time.hpp"

namespace tideline {

class Backoff {
 public:
  Backoff(Duration base, Duration cap, uint64_t seed) : base_(base), cap_(cap), previous_(base), random_(seed) {}

  /// The wait before the next attempt, within [base, cap].
  Duration next();
  /// Call after acknowledged progress: the next wait starts near `base` again.
  void reset() { previous_ = base_; }

 private:
  Duration base_;
  Duration cap_;
  Duration previous_;
  Random random_;
};

}  // namespace tideline
