// Takes in connections on one listening socket and hands them over once their handshake is done.
//
// Owned by the composition root; outlives the connections it handed over. Thread: loop. Bounded by limits::hub_connections in all
// and limits::handshakes_at_once before the handshake is done: beyond them clients wait in the kernel's backlog. At most
// AcceptorBounds::steps_per_turn steps of handshakes are done in one turn, those half through first (handshake_turns.hpp), because
// each may take 8 ms with mbedTLS (law 9).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "net/connection.hpp"
#include "net/handshake_turns.hpp"
#include "wrap/tls/server.hpp"
#include "wrap/uv/listen_socket.hpp"

namespace tideline::net {

struct AcceptorBounds {
  size_t connections = limits::hub_connections;
  size_t handshakes = limits::handshakes_at_once;
  Duration handshake_deadline = limits::handshake_deadline;
  int steps_per_turn = limits::handshake_steps_per_turn;
};

struct AcceptorCounts {
  uint64_t accepted = 0;
  uint64_t resumed = 0;
  uint64_t failed = 0;   ///< handshakes
  size_t open = 0;       ///< connections now, handshakes included
  size_t opening = 0;
};

class Acceptor final : private uv::ListenSocket::Listener,
                       private Connection::Opener,
                       private Slot::Keeper,
                       private uv::Timer::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Take it and set_listener(); to refuse it, hand it to Loop::retire.
    virtual void on_connection(std::unique_ptr<Connection> connection) = 0;
    /// A handshake failed: for a log with its own rate limit.
    virtual void on_refused(const std::string& peer_address, const CloseReason& reason) = 0;
  };

  /// `server` null means no TLS: for loopback only, which the caller sees to. All references outlive the acceptor.
  Acceptor(uv::Loop& loop, tls::Server* server, CertificateClock& clock, Listener& listener, AcceptorBounds bounds = {});
  ~Acceptor() override;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Errors: those of uv::ListenSocket::listen_tcp.
  Status listen(const uv::Address& address);
  /// A Unix socket, as uv::ListenSocket::listen_local makes it.
  Status listen_local(const std::string& path);
  /// As bound, with the port that the kernel chose for 0.
  uv::Address address() const;
  /// Takes no more; what is open stays open.
  void stop_listening();
  /// For connections to come: a renewed certificate.
  void set_server(tls::Server& server) { server_ = &server; }
  const AcceptorCounts& counts() const { return counts_; }

 private:
  void on_connection(uv::ListenSocket& socket) override;
  void on_handshake_input(Connection& connection) override;
  void on_ready(Connection& connection) override;
  void on_open_failed(Connection& connection, const CloseReason& reason) override;
  void on_slot_free() override;
  void on_timer(uv::Timer& timer) override;

  bool has_room() const;
  void accept_waiting();
  std::unique_ptr<Connection> take(Connection& connection);

  uv::Loop& loop_;
  tls::Server* server_;
  CertificateClock& clock_;
  Listener& listener_;
  AcceptorBounds bounds_;
  AcceptorCounts counts_;
  std::unique_ptr<uv::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> opening_;
  HandshakeTurns<Connection> turns_;  // have handshake input
  uv::Timer next_turn_;
  bool waiting_ = false;           // a connection was announced while there was no room
};

}  // namespace tideline::net
