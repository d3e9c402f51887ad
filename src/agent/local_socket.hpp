// agent.sock: AI applications (through `tideline mcp`), other programs and our own commands connect and speak lines (local_session.hpp).
//
// Owned by Agent. Thread: loop. Bounded by limits::control_connections; one more is closed at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/local_session.hpp"
#include "base/log.hpp"
#include "wrap/uv/listen_socket.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::agent {

class LocalSocket final : private uv::ListenSocket::Listener, private uv::TurnEnd::Listener {
 public:
  LocalSocket(Gateway& gateway, Control& control, uv::Loop& loop, Log& log);
  ~LocalSocket() override;
  LocalSocket(const LocalSocket&) = delete;
  LocalSocket& operator=(const LocalSocket&) = delete;

  Status listen(const std::string& path);
  /// No new connections. Those that are there get their last messages; they are closed when this is destroyed.
  void stop();
  size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  void on_connection(uv::ListenSocket& socket) override;
  void on_turn_end() override;
  void remove(Connection& connection);

  Gateway& gateway_;
  Control& control_;
  uv::Loop& loop_;
  Log& log_;
  std::unique_ptr<uv::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> leaving_;  // to be destroyed outside of their own events
  uv::TurnEnd turn_end_;
};

}  // namespace tideline::agent
