// ingest.sock: programs connect, write lines, and may ask with #sync (agent/inputs/ingest_session.hpp says what they hear).
//
// Owned by Agent. Thread: loop. Bounded by limits::ingest_connections; a connection that cannot be served is closed at once. A
// producer is not read while the outbox has no room: it waits in its own write().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/collector.hpp"
#include "agent/inputs/ingest_session.hpp"
#include "agent/inputs/stamp_clock.hpp"
#include "base/log.hpp"
#include "wrap/uv/listen_socket.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::agent {

struct IngestTotals {
  uint64_t connections = 0;  ///< now
  uint64_t accepted = 0;     ///< lines since start
  uint64_t rejected = 0;
};

class IngestServer final : private uv::ListenSocket::Listener {
 public:
  IngestServer(const SeriesRules& rules, LineOptions options, Collector& collector, StampClock& clock, uv::Loop& loop, Log& log);
  ~IngestServer() override;
  IngestServer(const IngestServer&) = delete;
  IngestServer& operator=(const IngestServer&) = delete;

  /// Errors as of uv::ListenSocket::listen_local.
  Status listen(const std::string& path);
  void close();

  /// Events of the collector. False when the ticket is not of one of these connections.
  bool on_synced(Collector::Ticket ticket, const Status& status);
  void on_room();
  IngestTotals totals() const;

 private:
  class Connection;
  void on_connection(uv::ListenSocket& socket) override;
  void remove(Connection& connection);

  const SeriesRules& rules_;
  LineOptions options_;
  Collector& collector_;
  StampClock& clock_;
  uv::Loop& loop_;
  Log& log_;
  std::unique_ptr<uv::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  IngestTotals past_;
  uint64_t next_number_ = 1;
};

}  // namespace tideline::agent
