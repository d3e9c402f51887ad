#include "agent/link_cost.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace tideline::agent {

bool LinkCost::is_metered(const std::string& interface) const {
  if (metered != Metered::automatic) return metered == Metered::yes;
  return std::any_of(metered_interfaces.begin(), metered_interfaces.end(), [&](const std::string& glob) { return matches_glob(glob, interface); });
}

}  // namespace tideline::agent
