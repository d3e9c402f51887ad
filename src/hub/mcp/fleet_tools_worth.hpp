// Judges what an answer about the fleet is worth: whether "no data" means that sensors were silent, that readings were lost, or that they
// still wait on a device that is offline or behind. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hub/fleet/registry.hpp"
#include "model/query.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::hub {

/// What was asked and what was found.
struct FleetHeard {
  const std::vector<const DeviceEntry*>& devices;  ///< that match
  int64_t from_ns = INT64_MIN;
  int64_t to_ns = INT64_MAX;
  bool has_data = false;
  uint64_t lost_readings = 0;      ///< in gaps that may touch the time
  bool is_truncated = false;
  uint64_t blocks_unreadable = 0;
};

enum class FleetWorth : uint8_t { complete, partial, silent, lost, waiting, future, no_device };
const char* fleet_worth_name(FleetWorth worth);

struct FleetJudgement {
  FleetWorth worth = FleetWorth::complete;
  std::string explanation;                  ///< for people and models, whole sentences
  std::vector<const DeviceEntry*> waiting;  ///< whose readings of this time may still come
};
FleetJudgement judge(const FleetHeard& heard, UtcNanos now);

/// The member "completeness" of an open object.
void write_completeness(json::Writer& w, const FleetHeard& heard, const FleetJudgement& judgement);

/// "online", "offline", "never_seen", "revoked".
const char* device_state(const DeviceEntry& device);
/// Of the last contact; 0 when there was none.
int64_t last_seen_ns(const DeviceEntry& device, UtcNanos now);
uint64_t backlog_of(const DeviceEntry& device);
/// Readings lost, of gaps of all reasons that lose any.
uint64_t lost_in(const std::vector<std::pair<std::string, model::Gap>>& gaps);

}  // namespace tideline::hub
