// What a command's end reads like as the result of a tool call. Pure.
#pragma once

#include <string>

#include "agent/gateway/action_config.hpp"
#include "agent/gateway/action_runs.hpp"

namespace tideline::agent {

/// The body of the tools/call result, at most about `most_bytes`: output beyond is cut and said so. isError unless it ended well in time.
std::string action_result(const ActionConfig& action, const RunOutcome& outcome, size_t most_bytes);

}  // namespace tideline::agent
