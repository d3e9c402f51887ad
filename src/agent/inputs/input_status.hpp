// How an input is doing, for `tideline status` and `tideline doctor`. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace tideline::agent {

struct InputStatus {
  std::string name;
  std::string type;         ///< "hwmon"
  uint64_t readings = 0;    ///< given to the sink since start
  uint64_t failures = 0;    ///< samples, or parts of one, that failed since start
  uint64_t skipped = 0;     ///< samples not taken because the one before was still under way
  Instant last_success;     ///< 0 when there was none
  std::string last_error;   ///< "" once everything works again
};

}  // namespace tideline::agent
