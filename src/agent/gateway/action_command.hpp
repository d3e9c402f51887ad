// From an [action.NAME] section to a tool definition, and from a tool call to an argument list. Pure.
//
// A placeholder "{x}" is replaced inside one element of the command and never becomes more than one. An element that holds a placeholder of
// an argument that was not given is left out. No value can make an element begin with '-' where the operator wrote none, unless the
// argument says allow_dash, lists its values, or is a number with a minimum. "{{x}}" stands for "{x}"; other braces are plain text.
#pragma once

#include <string>
#include <vector>

#include "agent/gateway/action_config.hpp"
#include "mcp/definition.hpp"
#include "mcp/json_slice.hpp"

namespace tideline::agent {

/// Empty, or what the operator must change: "command: ...".
std::string action_problem(const ActionConfig& action);

mcp::Tool action_tool(const ActionConfig& action);

/// Exactly one of the two.
struct ActionCommand {
  std::vector<std::string> arguments;  ///< program first
  std::string problem;                 ///< for the caller
};
/// `arguments` was checked against action_tool()'s schema, or is absent.
ActionCommand make_command(const ActionConfig& action, mcp::Slice arguments);

}  // namespace tideline::agent
