// agent.sock: local programs and commands connect and send requests, one a line (control.hpp).
//
// Owned by Agent. Thread: loop. Bounded by limits::control_connections and limits::request_bytes a line; a peer that does not
// read its answers is not read either.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/control.hpp"
#include "base/log.hpp"
#include "wrap/uv/listen_socket.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::agent {

class ControlServer final : private uv::ListenSocket::Listener {
 public:
  ControlServer(Control& control, uv::Loop& loop, Log& log);
  ~ControlServer() override;
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  Status listen(const std::string& path);
  void close();

 private:
  class Connection;
  void on_connection(uv::ListenSocket& socket) override;
  void remove(Connection& connection);

  Control& control_;
  uv::Loop& loop_;
  Log& log_;
  std::unique_ptr<uv::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace tideline::agent
