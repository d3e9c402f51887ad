// Makes one connection to a hub: resolves its name, tries its addresses in turn, does the TLS handshake, resuming where it can.
//
// Owned by the uplink's composition. Thread: loop. Every attempt ends by limits::handshake_deadline with exactly one event. One
// attempt at a time; backoff is the caller's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "wrap/tls/context.hpp"
#include "wrap/uv/resolver.hpp"

namespace tideline::net {

struct Target {
  std::string host;         ///< DNS name or IP address
  uint16_t port = 0;
  std::string server_name;  ///< name in the hub's certificate; "": host
};

class Connector final : private uv::Resolver::Listener,
                        private uv::Stream::Listener,
                        private uv::Timer::Listener,
                        private uv::TurnEnd::Listener,
                        private Connection::Opener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Take it and set_listener(); to give it up, hand it to Loop::retire.
    virtual void on_connected(std::unique_ptr<Connection> connection) = 0;
    virtual void on_connect_failed(const CloseReason& reason) = 0;
  };
  /// All references outlive the connector.
  Connector(uv::Loop& loop, CertificateClock& clock, Listener& listener);
  ~Connector() override;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// `context` outlives the connection.
  void connect(const Target& target, tls::Context& context);
  /// No event of the running attempt comes.
  void cancel();
  bool is_connecting() const { return step_ != Step::idle; }
  /// What Connection::save_session() gave; offered to the hub on the next connect(). Empty: a full handshake.
  void set_session(ByteBuffer saved) { saved_ = std::move(saved); }

 private:
  enum class Step : uint8_t { idle, resolving, connecting, handshaking };

  void on_resolved(uv::Resolver& resolver, Result<std::vector<uv::Address>> addresses) override;
  void on_connected(uv::Stream& stream) override;
  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream& stream) override;
  void on_failed(uv::Stream& stream, Error error) override;
  void on_timer(uv::Timer& timer) override;
  void on_turn_end() override;
  void on_handshake_input(Connection& connection) override;
  void on_ready(Connection& connection) override;
  void on_open_failed(Connection& connection, const CloseReason& reason) override;

  void try_next_address(Error last_error);
  void fail(Error error, std::string text);
  void retire_attempt();

  uv::Loop& loop_;
  CertificateClock& clock_;
  Listener& listener_;
  tls::Context* context_ = nullptr;
  Target target_;
  ByteBuffer saved_;
  uv::Resolver resolver_;
  uv::Timer overall_;           // limits::handshake_deadline for all of it
  uv::Timer attempt_;           // limits::connect_attempt for one address
  uv::TurnEnd begin_;
  std::vector<uv::Address> addresses_;  // left to try, the next one last
  uv::Address address_;
  std::unique_ptr<uv::Stream> stream_;
  std::unique_ptr<Connection> connection_;
  Step step_ = Step::idle;
};

}  // namespace tideline::net
