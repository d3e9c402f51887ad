// What a device would have answered to latest, list_series and query, from what the hub holds of it while it is away: the same members, so that
// they fit the device's own output schemas, and words that say whose knowledge this is and how old. Pure.
#pragma once

#include <string>
#include <vector>

#include "hub/fleet/registry.hpp"
#include "model/query.hpp"

namespace tideline::hub {

std::string offline_latest(const DeviceEntry& device, const std::vector<LatestValue>& values, UtcNanos now);
std::string offline_query(const DeviceEntry& device, const model::QueryAnswer& answer, UtcNanos now);

}  // namespace tideline::hub
