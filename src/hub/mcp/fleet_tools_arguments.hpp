// What the fleet's tools are asked, as values. Arguments have passed the tool's schema (mcp::Server checks them); what a schema cannot say
// is checked here. Each reader gives "" or what is wrong and what to write instead. What the caller may see is put into every selector
// (law 11). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "mcp/json_slice.hpp"
#include "model/query.hpp"

namespace tideline::hub {

inline constexpr size_t devices_otherwise = 100;
inline constexpr size_t gaps_otherwise = 100;
inline constexpr size_t tools_otherwise = 10;

struct ListDevicesRequest {
  enum class Show : uint8_t { any, online, offline };
  model::DeviceSelector devices;
  Show show = Show::any;
  size_t limit = devices_otherwise;
  std::string after;  ///< device id
};
struct LatestRequest {
  model::DeviceSelector devices;
  model::SeriesSelector series;
  size_t limit = 0;
};
struct QueryRequest {
  model::Query query;
  std::vector<std::string> group_by;  ///< as given, for the answer
};
struct GapsRequest {
  model::DeviceSelector devices;
  int64_t from_ns = INT64_MIN;
  int64_t to_ns = INT64_MAX;
  std::optional<model::Stream> stream;
  size_t limit = gaps_otherwise;
};
struct FindToolsRequest {
  std::string words;
  size_t limit = tools_otherwise;
};

/// The member `devices`, of those that are `visible`; all of them when absent.
std::string read_devices(mcp::Slice arguments, const model::DeviceSelector& visible, model::DeviceSelector& out);
std::string read_list_devices(mcp::Slice arguments, const model::DeviceSelector& visible, ListDevicesRequest& out);
/// The member `device`; whether there is one, and the caller may see it, is for the registry to say.
std::string read_describe_device(mcp::Slice arguments, std::string& device);
std::string read_latest(mcp::Slice arguments, const model::DeviceSelector& visible, LatestRequest& out);
std::string read_query(mcp::Slice arguments, const model::DeviceSelector& visible, UtcNanos now, QueryRequest& out);
std::string read_list_gaps(mcp::Slice arguments, const model::DeviceSelector& visible, UtcNanos now, GapsRequest& out);
std::string read_find_tools(mcp::Slice arguments, FindToolsRequest& out);

}  // namespace tideline::hub
