// The uplink's body: identity, TLS, one connection and one timer, driven by the Uplink state machine.
//
// Owned by Agent. Thread: loop. Durable: only the identity files. Bounded by net::Connection's send queue and one attempt at a
// time. Without an address or an identity it stays idle and says so in status().
#pragma once

#include <memory>
#include <string>

#include "agent/context_link.hpp"
#include "agent/identity.hpp"
#include "agent/link_calls.hpp"
#include "agent/link_cost.hpp"
#include "agent/uplink.hpp"
#include "net/connector.hpp"
#include "wrap/tls/context.hpp"

namespace tideline::agent {

struct HubLinkOptions {
  std::string state_directory;
  std::string device;          ///< "" takes the certificate's name
  net::Target hub;             ///< empty host: no hub configured
  LinkCost cost;
  UplinkOptions uplink;
};

class HubLink final : private UplinkWire,
                      private net::Connector::Listener,
                      private net::Connection::Listener,
                      private uv::Timer::Listener,
                      private LinkCalls::Wire,
                      private ContextLink::Wire,
                      private uv::TurnEnd::Listener {
 public:
  HubLink(HubLinkOptions options, Outbox& outbox, uv::Loop& loop, net::CertificateClock& clock, Log& log);
  ~HubLink() override;
  HubLink(const HubLink&) = delete;
  HubLink& operator=(const HubLink&) = delete;

  /// Who serves the hub's calls; before start(), and outlives the link.
  void set_calls(LinkCalls& calls);
  /// Likewise, who keeps the context in step with the hub's.
  void set_context(ContextLink& context);
  /// The catalog changed: told to the hub.
  void on_catalog_changed();
  /// Loads the identity and begins to connect. Idle (with a reason in idle_reason()) when there is no hub or no identity.
  void start();
  /// Says bye; the connection may need a loop turn more to send it.
  void stop();
  void sync_now();

  // Events of the outbox, passed on.
  void on_committed(model::Stream stream, model::Seq next);
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to);
  void on_rebased(model::Stream stream, Status status);
  void on_anchor(const model::Anchor& anchor);

  /// "" while there is an uplink; otherwise what is missing and what to do.
  const std::string& idle_reason() const { return idle_reason_; }
  UplinkStatus status() const;
  bool is_synced() const { return uplink_ != nullptr && uplink_->is_synced(); }
  /// Of the certificate in use; all empty without identity.
  const tls::CertificateInfo& certificate() const { return identity_.info; }
  /// Of the connection in use, "" when there is none.
  std::string protection() const;
  /// By which the connection in use leaves, "" when there is none.
  const std::string& interface() const { return interface_; }
  /// Bytes cost money, as far as is known.
  bool is_metered() const { return options_.cost.is_metered(interface_); }
  /// Bytes on the wire since start, TLS included.
  net::Traffic traffic() const;

 private:
  void connect() override;
  void send(Bytes payload) override;
  void close() override;
  void enrolled(const link::Enrolled& answer) override;
  void link_up(uint64_t catalog_hash) override;
  void link_down() override;
  void called(const link::CallFrame& frame) override;
  void cancelled(uint64_t call) override;
  Status context_came(const link::ContextFrame& frame) override;
  void on_reply_ready() override { turn_end_.request(); }
  void on_context_ready() override { turn_end_.request(); }
  void say(const link::ReplyFrame& frame) override;
  void say(const link::NotifyFrame& frame) override;
  void say(const link::ContextFrame& frame) override;

  void on_connected(std::unique_ptr<net::Connection> connection) override;
  void on_connect_failed(const net::CloseReason& reason) override;
  void on_frame(net::Connection& connection, Bytes payload) override;
  void on_bytes(net::Connection& connection, Bytes bytes) override;
  void on_writable(net::Connection& connection) override;
  void on_closed(net::Connection& connection, const net::CloseReason& reason) override;
  void on_timer(uv::Timer& timer) override;
  void on_turn_end() override;
  bool has_something_to_say() const;

  Status adopt_identity();
  void judge_way(const net::Connection& connection);
  void remember(const net::Connection& connection);
  void after_event();
  void renew_if_due();

  HubLinkOptions options_;
  Outbox& outbox_;
  uv::Loop& loop_;
  net::CertificateClock& clock_;
  Log& log_;
  LinkCalls* calls_ = nullptr;
  ContextLink* context_link_ = nullptr;
  DeviceIdentity identity_;
  std::unique_ptr<tls::Context> context_;
  std::unique_ptr<tls::Context> old_context_;  // of a connection made before the renewal
  std::string renewal_key_pem_;                // of the request that is under way
  net::Connector connector_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<net::Connection> closing_;   // given up; still sending its last bytes
  std::unique_ptr<Uplink> uplink_;
  uv::Timer wake_;
  uv::TurnEnd turn_end_;
  Instant renewal_checked_{};
  net::Traffic past_traffic_;                  // of connections that ended
  std::string interface_;
  std::string idle_reason_;
};

}  // namespace tideline::agent
