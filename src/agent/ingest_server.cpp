#include "agent/ingest_server.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {
namespace {

// A ticket is the connection's number and the session's own sync id.
constexpr unsigned sync_bits = 32;
Collector::Ticket ticket_of(uint64_t connection, IngestSession::SyncId sync) { return connection << sync_bits | (sync & 0xffffffff); }

}  // namespace

class IngestServer::Connection final : public uv::Stream::Listener, public IngestSession::Owner {
 public:
  Connection(IngestServer& server, uint64_t number) : server_(server), number_(number), session_(server.rules_, server.collector_, *this, server.options_), since_(server.collector_.position()) {}

  void adopt(std::unique_ptr<uv::Stream> stream) {
    stream_ = std::move(stream);
    stream_->start_reading();
  }

  uint64_t number() const { return number_; }
  const IngestSession::Counts& counts() const { return session_.totals(); }

  void on_synced(IngestSession::SyncId sync, const Status& status) {
    session_.on_durable(sync, status);
    go_on();
  }

  /// There may be room again: first what was left over, then the socket.
  void go_on() {
    if (!left_.empty()) {
      const size_t used = session_.feed(left_, server_.clock_.stamp());
      left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(used));
    }
    if (!left_.empty() || stream_->is_closed()) return;
    if (has_ended_) {
      finish();
    } else {
      stream_->start_reading();
    }
  }

 private:
  void on_read(uv::Stream& stream, Bytes bytes) override {
    if (!left_.empty()) {  // bytes that were under way when reading stopped
      append(left_, bytes);
      return;
    }
    const size_t used = session_.feed(bytes, server_.clock_.stamp());
    if (used == bytes.size() && stream.queued_bytes() < limits::send_queue_bytes) return;
    append(left_, bytes.subspan(used));
    stream.stop_reading();
  }

  void on_end(uv::Stream&) override {
    has_ended_ = true;
    go_on();
  }

  void on_failed(uv::Stream&, Error) override { server_.remove(*this); }
  void on_drained(uv::Stream&) override { go_on(); }

  void request_sync(IngestSession&, IngestSession::SyncId id) override { since_ = server_.collector_.sync(ticket_of(number_, id), since_); }
  void send_reply(IngestSession&, std::string line) override {
    if (stream_->is_closed()) return;
    const Bytes bytes = as_bytes(line);
    stream_->write(ByteBuffer(bytes.begin(), bytes.end()));
  }

  void finish() {
    if (!is_finished_ && !session_.finish(server_.clock_.stamp())) return;  // no room for the last line yet
    is_finished_ = true;
    // The last answers must be with the kernel; on_drained() comes back here.
    if (session_.syncs_in_flight() == 0 && stream_->queued_bytes() == 0) server_.remove(*this);
  }

  IngestServer& server_;
  uint64_t number_;
  IngestSession session_;
  std::unique_ptr<uv::Stream> stream_;
  ByteBuffer left_;              // received, not yet taken by the session
  Collector::Position since_;
  bool has_ended_ = false;
  bool is_finished_ = false;
};

IngestServer::IngestServer(const SeriesRules& rules, LineOptions options, Collector& collector, StampClock& clock, uv::Loop& loop, Log& log)
    : rules_(rules), options_(options), collector_(collector), clock_(clock), loop_(loop), log_(log) {}

IngestServer::~IngestServer() = default;

Status IngestServer::listen(const std::string& path) {
  ASSIGN_OR_RETURN(socket_, uv::ListenSocket::listen_local(loop_, *this, path));
  return {};
}

void IngestServer::close() {
  socket_.reset();
  connections_.clear();
}

void IngestServer::on_connection(uv::ListenSocket& socket) {
  auto connection = std::make_unique<Connection>(*this, next_number_++);
  auto stream = socket.accept(*connection);
  if (!stream) return;
  if (connections_.size() >= limits::ingest_connections) {
    log_warning(log_, "ingest", "a producer was turned away: %zu are connected already", connections_.size());
    return;
  }
  connection->adopt(std::move(*stream));
  connections_.push_back(std::move(connection));
}

void IngestServer::remove(Connection& connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const auto& known) { return known.get() == &connection; });
  if (found == connections_.end()) return;
  past_.accepted += connection.counts().accepted;
  past_.rejected += connection.counts().rejected;
  loop_.retire(std::move(*found));
  connections_.erase(found);
}

bool IngestServer::on_synced(Collector::Ticket ticket, const Status& status) {
  const uint64_t number = ticket >> sync_bits;
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const auto& known) { return known->number() == number; });
  if (found != connections_.end()) (*found)->on_synced(ticket & 0xffffffff, status);
  return number != 0;
}

void IngestServer::on_room() {
  for (size_t i = 0; i < connections_.size(); ++i) connections_[i]->go_on();
}

IngestTotals IngestServer::totals() const {
  IngestTotals sum = past_;
  sum.connections = connections_.size();
  for (const auto& connection : connections_) {
    sum.accepted += connection->counts().accepted;
    sum.rejected += connection->counts().rejected;
  }
  return sum;
}

}  // namespace tideline::agent
