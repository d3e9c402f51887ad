// Checks what usually goes wrong with a device, and says what to do. Works without a network and beside a running daemon.
#pragma once

#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/gateway/agent_services.hpp"
#include "base/log.hpp"

namespace tideline::agent {

/// Blocks for at most limits::handshake_deadline while it tries the hub.
std::vector<Finding> diagnose(const Config& config, Log& log);

}  // namespace tideline::agent
