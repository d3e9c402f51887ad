// The fleet's tools about the context of devices: definitions, and what they are asked, as values. Arguments have passed the tool's schema;
// what a schema cannot say is checked here. Each reader gives "" or what is wrong and what to write instead. Pure.
#pragma once

#include <string>
#include <vector>

#include "context/change.hpp"
#include "hub/fleet/registry.hpp"
#include "mcp/definition.hpp"
#include "mcp/json_slice.hpp"
#include "model/query.hpp"

namespace tideline::hub {

namespace context_tool {
inline constexpr std::string_view get = "context_get";
inline constexpr std::string_view list = "context_list";
inline constexpr std::string_view set = "context_set";
inline constexpr std::string_view erase = "context_delete";
inline constexpr std::string_view diff = "context_diff";
}  // namespace context_tool
bool is_context_tool(std::string_view name);
std::vector<mcp::Tool> context_tools();

inline constexpr size_t context_rows_most = 1000;
inline constexpr size_t context_rows_otherwise = 100;
inline constexpr Duration context_wait_most = hours(24);

struct ContextGetRequest {
  std::string path;
  size_t history = 0;      ///< earlier writes to show
};
/// Of list and diff. A page begins after (device, path).
struct ContextListRequest {
  std::string prefix;
  bool conflicts_only = false;
  bool shows_all = false;  ///< of diff: also what is equal
  size_t limit = context_rows_otherwise;
  std::string after_device;
  std::string after_path;
};
struct ContextSetRequest {
  context::Change change;
  Duration wait;           ///< for devices to hold it; 0: not at all
};

std::string read_context_get(mcp::Slice arguments, ContextGetRequest& out);
std::string read_context_list(mcp::Slice arguments, ContextListRequest& out);
std::string read_context_set(mcp::Slice arguments, ContextSetRequest& out);
std::string read_context_delete(mcp::Slice arguments, ContextSetRequest& out);

/// Devices that an argument names: an id that stands for itself, or a glob or labels. Only those the caller sees (law 11).
struct NamedDevices {
  std::vector<const DeviceEntry*> devices;
  bool is_one = false;     ///< named by its id: the answer is about it alone
};
std::string find_named(const Registry& registry, const model::DeviceSelector& visible, const std::string& text, NamedDevices& out);

/// "pump-7 pump/7/setpoint": where the next page begins.
std::string context_cursor(const std::string& device, const std::string& path);

}  // namespace tideline::hub
