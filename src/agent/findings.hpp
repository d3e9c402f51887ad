// What the running agent's own status says is wrong, and what to do: the doctor without leaving the loop. `tideline doctor` (doctor.hpp)
// looks from outside and also tries the hub. Pure.
#pragma once

#include <vector>

#include "agent/config.hpp"
#include "agent/gateway/agent_services.hpp"
#include "agent/status_report.hpp"

namespace tideline::agent {

std::vector<Finding> findings_of(const StatusReport& report, const Config& config);

}  // namespace tideline::agent
