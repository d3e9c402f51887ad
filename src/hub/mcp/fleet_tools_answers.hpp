// Answers of the fleet's tools: the result of tools/call, with a short text for people and all of it as structured content. Pure: what is
// found in the archive and the registry comes in, JSON goes out. An answer that would be too large is a tool error that says how to ask
// for less (limits::tool_answer_bytes).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hub/fleet/registry.hpp"
#include "hub/mcp/fleet_tools_arguments.hpp"
#include "mcp/catalog.hpp"
#include "model/query.hpp"

namespace tideline::hub {

using Devices = std::vector<const DeviceEntry*>;
using DeviceGaps = std::vector<std::pair<std::string, model::Gap>>;

/// `devices`: those that match, in the order of ids (Registry::select(request.devices)); so for all below.
std::string list_devices_answer(const ListDevicesRequest& request, const Devices& devices, UtcNanos now);
/// `offer`: what the caller may see of the device's lists. `gaps`: of this device.
std::string describe_device_answer(const DeviceEntry& device, const mcp::ListCatalog& offer, const std::vector<LatestValue>& values, const DeviceGaps& gaps, UtcNanos now);
std::string latest_answer(const LatestRequest& request, const Devices& devices, const std::vector<LatestValue>& values, UtcNanos now);
std::string query_answer(const QueryRequest& request, const Devices& devices, const model::QueryAnswer& answer, UtcNanos now);
/// `gaps`: of the devices, newest first, at most limits::query_gaps.
std::string list_gaps_answer(const GapsRequest& request, const DeviceGaps& gaps, UtcNanos now);

/// What the archive could not do, in words for a model: for Router::refuse().
std::string archive_problem(const Error& error);

}  // namespace tideline::hub
