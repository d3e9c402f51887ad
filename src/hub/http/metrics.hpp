// What the hub counts about itself, and the page /metrics made of it (Prometheus text format 0.0.4). Plain values, loop thread.
// Counters start at 0 with the process. Label values are ours alone: no device ids, so the page does not grow with the fleet.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/series.hpp"

namespace tideline::hub {

/// Cumulative histogram of seconds. The bounds cover a sync on NVMe (1 ms) to one on a dying disk (15 s and more).
class SecondsHistogram {
 public:
  static constexpr std::array<double, 10> bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 30};
  void add(Duration duration);
  uint64_t count() const { return count_; }
  double sum() const { return sum_seconds_; }
  /// Observations of at most bounds[i].
  uint64_t at_most(size_t i) const { return buckets_[i]; }

 private:
  std::array<uint64_t, bounds.size()> buckets_{};
  uint64_t count_ = 0;
  double sum_seconds_ = 0;
};

struct Metrics {
  // Devices
  uint64_t devices_known = 0;
  uint64_t devices_online = 0;
  uint64_t enrolments = 0;
  uint64_t enrolments_refused = 0;
  uint64_t links_refused = 0;         ///< unknown, revoked or expired devices
  uint64_t links_closed = 0;

  // Data
  uint64_t readings_accepted = 0;
  uint64_t blocks_accepted = 0;
  uint64_t blocks_duplicate = 0;
  uint64_t blocks_refused = 0;        ///< nacked
  uint64_t gaps_accepted = 0;
  uint64_t readings_declared_lost = 0;
  std::array<uint64_t, model::stream_count> backlog_readings{};  ///< declared by the devices online, not held yet
  uint64_t commits = 0;
  uint64_t commits_failed = 0;
  SecondsHistogram commit_seconds;

  // Network
  uint64_t device_connections = 0;    ///< open now
  uint64_t http_connections = 0;      ///< open now
  uint64_t bytes_in = 0;              ///< plaintext, after TLS
  uint64_t bytes_out = 0;
  uint64_t handshakes_full = 0;
  uint64_t handshakes_resumed = 0;
  uint64_t handshakes_failed = 0;
  uint64_t http_requests = 0;

  uint64_t resident_bytes = 0;        ///< of this process
  Duration uptime;
};

/// The page, about 6 KB.
std::string prometheus_text(const Metrics& metrics);

/// Resident set of this process, 0 when /proc is not there. Cost: one small file read.
uint64_t read_resident_bytes();

}  // namespace tideline::hub
