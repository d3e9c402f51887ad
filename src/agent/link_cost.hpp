// What bytes cost on the way to the hub, by the interface they leave by. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/config.hpp"

namespace tideline::agent {

struct LinkCost {
  Metered metered = Metered::automatic;
  std::vector<std::string> metered_interfaces;  ///< globs
  uint64_t rate = 0;          ///< bytes a second; 0 means no limit
  uint64_t metered_rate = 0;  ///< 0 means that of `rate`

  /// `interface` is "" while there is no link, or no telling.
  bool is_metered(const std::string& interface) const;
  uint64_t rate_on(const std::string& interface) const { return is_metered(interface) && metered_rate > 0 ? metered_rate : rate; }
};

}  // namespace tideline::agent
