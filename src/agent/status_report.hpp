// One look at the agent: what `tideline status` shows, as values, as JSON for programs and as text for people. Pure.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/gateway/child_status.hpp"
#include "agent/ingest_server.hpp"
#include "agent/inputs/input_status.hpp"
#include "agent/machine_report.hpp"
#include "agent/store/outbox.hpp"
#include "agent/uplink.hpp"
#include "base/time.hpp"
#include "net/connection.hpp"

namespace tideline::agent {

struct ContextReport {
  bool is_kept = false;           ///< [context] enabled
  uint64_t entries = 0;           ///< with a value
  uint64_t bytes = 0;             ///< of all paths and values held
  uint64_t conflicts = 0;
  uint64_t unsent = 0;            ///< written here, not at the hub; all of them while it was not met
  bool is_hub_known = false;      ///< the hub was met since the start
  std::string last_failure;       ///< to store, or to bring across
};

struct StatusReport {
  std::string device;
  std::string version;
  MachineReport machine;
  UtcNanos now;
  Instant mono_now;
  Duration uptime;
  std::string state_directory;
  StoreStatus store;
  uint64_t backlog_readings = 0;  ///< held or pending, not yet acknowledged by the hub, all classes
  std::array<uint64_t, model::stream_count> backlog_of{};  ///< the same per class
  bool backlog_is_upper_bound = false;  ///< no hub was met since start: it may hold some of them already
  Duration loss_window;           ///< what a power cut may cost readings whose producer does not wait
  std::string hub;                ///< "host:port", "" without one
  std::string idle_reason;        ///< why there is no uplink, "" if there is one
  UplinkStatus link;
  bool is_synced = false;
  std::string protection;         ///< TLS version and suite of the connection
  std::string interface;          ///< by which the connection leaves, "" without one
  bool is_metered = false;
  net::Traffic traffic;
  UtcNanos certificate_ends;      ///< 0 without a certificate
  IngestTotals ingest;
  std::vector<InputStatus> inputs;
  std::vector<ChildStatus> children;
  ContextReport context;
};

/// Readings of `status` that the hub has not acknowledged; those in `gaps` are lost, not waiting.
uint64_t count_backlog(const StreamStatus& status, const std::vector<model::Gap>& gaps);

std::string status_json(const StatusReport& report);
std::string status_text(const StatusReport& report);
/// "online, 0 to send" for the supervisor's status line.
std::string status_line(const StatusReport& report);

}  // namespace tideline::agent
