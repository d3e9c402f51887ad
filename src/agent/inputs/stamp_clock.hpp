// Tells the wall time that the agent believes, with which it stamps readings. Thread: loop.
#pragma once

#include "base/time.hpp"

namespace tideline::agent {

class StampClock {
 public:
  virtual ~StampClock() = default;
  virtual UtcNanos stamp() = 0;
};

}  // namespace tideline::agent
