// Whether the hub does its work, as told by /healthz. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace tideline::hub {

struct Health {
  bool store_ok = true;
  std::string store_error;                   ///< why not, for people
  std::optional<Duration> last_commit_age;   ///< nothing was committed since the start when empty
  uint64_t devices_online = 0;
  Duration uptime;
};

/// One JSON object.
std::string health_json(const Health& health);

}  // namespace tideline::hub
