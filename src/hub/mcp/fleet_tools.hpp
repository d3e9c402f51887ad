// The hub's own tools about the fleet, as clients see them: definitions with schemas. What they are asked is read in fleet_tools_arguments,
// answers are written in fleet_tools_answers and fleet_tools_search. All only read. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "mcp/definition.hpp"

namespace tideline::hub {

namespace fleet_tool {
inline constexpr std::string_view list_devices = "list_devices";
inline constexpr std::string_view describe_device = "describe_device";
inline constexpr std::string_view latest = "latest";
inline constexpr std::string_view query = "query";
inline constexpr std::string_view list_gaps = "list_gaps";
inline constexpr std::string_view find_tools = "find_tools";
}  // namespace fleet_tool

std::vector<mcp::Tool> fleet_tools();

}  // namespace tideline::hub
