#include "net/acceptor.hpp"

#include <algorithm>

namespace tideline::net {

Acceptor::Acceptor(uv::Loop& loop, tls::Server* server, CertificateClock& clock, Listener& listener, AcceptorBounds bounds)
    : loop_(loop), server_(server), clock_(clock), listener_(listener), bounds_(bounds), next_turn_(loop, *this) {}

Acceptor::~Acceptor() {
  stop_listening();
  opening_.clear();  // gives slots back: the members must still be whole
}

Status Acceptor::listen(const uv::Address& address) {
  ASSIGN_OR_RETURN(socket_, uv::ListenSocket::listen_tcp(loop_, *this, address));
  return {};
}

Status Acceptor::listen_local(const std::string& path) {
  ASSIGN_OR_RETURN(socket_, uv::ListenSocket::listen_local(loop_, *this, path));
  return {};
}

uv::Address Acceptor::address() const { return socket_ != nullptr ? socket_->address() : uv::Address(); }

void Acceptor::stop_listening() {
  waiting_ = false;
  socket_.reset();
}

bool Acceptor::has_room() const { return counts_.open < bounds_.connections && opening_.size() < bounds_.handshakes; }

void Acceptor::on_connection(uv::ListenSocket&) {
  waiting_ = true;
  accept_waiting();
}

/// Until it is taken, the kernel keeps the connection and all that come after it.
void Acceptor::accept_waiting() {
  if (!waiting_ || !has_room()) return;
  waiting_ = false;
  std::unique_ptr<tls::Session> session;
  if (server_ != nullptr) {
    auto made = server_->make_session(clock_.certificate_time());
    if (made) session = std::move(*made);
  }
  const bool is_refused = server_ != nullptr && session == nullptr;  // out of memory: take it, to let it go
  ++counts_.open;
  std::unique_ptr<Connection> connection(new Connection(loop_, *this, std::move(session), Slot(*this)));
  auto stream = socket_->accept(*connection);
  if (!stream || is_refused) return;
  ++counts_.accepted;
  connection->start(std::move(*stream), bounds_.handshake_deadline);
  if (server_ == nullptr) return listener_.on_connection(std::move(connection));
  opening_.push_back(std::move(connection));
  counts_.opening = opening_.size();
}

void Acceptor::on_handshake_input(Connection& connection) {
  turns_.add(connection, connection.traffic().sent_bytes > 0);
  if (!next_turn_.is_active()) next_turn_.start({});
}

void Acceptor::on_timer(uv::Timer&) {
  for (int step = 0; step < bounds_.steps_per_turn; ++step) {
    Connection* const connection = turns_.take();
    if (connection == nullptr) break;
    connection->continue_handshake();
  }
  if (!turns_.is_empty()) next_turn_.start({});
}

void Acceptor::on_ready(Connection& connection) {
  if (connection.was_resumed()) ++counts_.resumed;
  listener_.on_connection(take(connection));
  accept_waiting();
}

void Acceptor::on_open_failed(Connection& connection, const CloseReason& reason) {
  ++counts_.failed;
  const std::string peer = connection.peer_address();
  loop_.retire(take(connection));
  listener_.on_refused(peer, reason);
  accept_waiting();
}

std::unique_ptr<Connection> Acceptor::take(Connection& connection) {
  const auto found = std::find_if(opening_.begin(), opening_.end(), [&](const auto& item) { return item.get() == &connection; });
  std::unique_ptr<Connection> taken = std::move(*found);
  opening_.erase(found);
  turns_.remove(connection);
  counts_.opening = opening_.size();
  return taken;
}

void Acceptor::on_slot_free() {
  --counts_.open;
  accept_waiting();
}

}  // namespace tideline::net
