// Checks what usually goes wrong with a device, and says what to do. Works without a network and beside a running daemon.
#pragma once

#include <string>
#include <vector>

#include "agent/config.hpp"
#include "base/log.hpp"

namespace tideline::agent {

enum class Health : unsigned char { good, warning, bad };

struct Finding {
  std::string check;    ///< "store", "clock", ...
  Health health = Health::good;
  std::string what;     ///< what was seen
  std::string advice;   ///< what to do, "" when all is well
};

/// Blocks for at most limits::handshake_deadline while it tries the hub.
std::vector<Finding> diagnose(const Config& config, Log& log);

}  // namespace tideline::agent
