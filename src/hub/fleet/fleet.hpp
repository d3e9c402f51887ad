// The devices that are connected: their links, who they proved to be, the way of what they send to the store and of the answers
// back.
//
// Owned by Hub. Thread: loop. One DeviceLink per connection (bounded by the acceptor), the registry (limits::hub_devices). Holds
// nothing durable: the archive does. The hub passes on the answers of the store; what comes for a link that has gone is dropped.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/fleet/context_events.hpp"
#include "hub/fleet/device_link.hpp"
#include "hub/fleet/enrolment.hpp"
#include "hub/fleet/intake.hpp"
#include "hub/fleet/quiet_log.hpp"
#include "hub/fleet/registry.hpp"
#include "hub/fleet/slots.hpp"
#include "hub/http/metrics.hpp"
#include "hub/store/store_thread.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

/// What of the links concerns MCP: which devices can be called, and what they say.
class CallEvents {
 public:
  virtual ~CallEvents() = default;
  virtual void on_device_up(DeviceKey device, const link::Hello& hello) = 0;
  virtual void on_device_down(DeviceKey device) = 0;
  virtual void on_reply(DeviceKey device, const link::ReplyFrame& frame) = 0;
  virtual void on_notify(DeviceKey device, const link::NotifyFrame& frame) = 0;
  /// Of the catalog kept of this device, 0 when there is none.
  virtual uint64_t catalog_hash(DeviceKey device) const = 0;
};

class Fleet final : public ContextLinks, private DeviceLink::Host, private IntakeActions, private uv::TurnEnd::Listener {
 public:
  /// All references outlive the fleet; `store` is closed before the fleet goes.
  Fleet(uv::Loop& loop, StoreThread& store, const Enrolment& enrolment, SessionOptions options, Log& log);
  ~Fleet() override;
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  Registry& registry() { return registry_; }
  /// Null: devices are not called. It outlives the fleet.
  void set_call_events(CallEvents* events) { call_events_ = events; }
  /// Null: what devices say of their context is passed over. It outlives the fleet.
  void set_context_events(ContextEvents* events) { context_events_ = events; }
  /// Bytes of calls that may be queued to a device now: 0 when it is not online or does not read what it was sent.
  size_t call_room(DeviceKey device) override;
  /// Queues a piece of a call, within call_room(). Errors: closed.
  Status send(DeviceKey device, const link::CallFrame& frame);
  Status send(DeviceKey device, const link::CancelFrame& frame);
  Status send(DeviceKey device, const link::ContextFrame& frame) override;
  void dismiss(DeviceKey device, link::ByeCode code, const std::string& reason) override;
  void accept(std::unique_ptr<net::Connection> connection);
  /// A handshake failed.
  void on_refused(const std::string& peer_address, const net::CloseReason& reason);
  void on_tick(Instant now);
  /// A command changed the record: a device that was revoked is sent away.
  void on_record_changed(const DeviceRecord& record);
  /// "The hub is stopping, come back after ...".
  void dismiss_all(const std::string& reason, Duration retry_after);
  size_t links() const { return links_.size(); }

  // Answers of the store.
  void on_state_loaded(StoreToken token, Result<DeviceState> state);
  void on_applied(Verdicts verdicts);
  /// False when the token is not one of ours.
  bool on_command(StoreToken token);

  void add_to(Metrics& metrics) const;
  /// {"devices":{"pump-7":{"since_seconds","backlog_readings","address"}}}
  std::string online_json() const;

 private:
  struct Member {
    std::unique_ptr<DeviceLink> link;
    bool is_online = false;
    bool was_welcome = false;  ///< served or enrolled: its end is no refusal
  };
  /// Work on the store thread, which writes the result; read here when its answer comes.
  struct Decision {
    uint64_t link = 0;
    bool is_renewal = false;
    bool is_confirmation = false;
    bool is_done = false;              ///< false: the archive was not open
    EnrolmentOutcome outcome;
    Result<DeviceRecord> record = Error{};
  };
  struct GapCount {
    uint64_t gaps = 0;
    uint64_t readings = 0;
  };

  // Host
  Instant now() override;
  UtcNanos wall_time() override;
  bool may_send_backlog(DeviceLink& link) override { return slots_.ask(link.id(), now()); }
  void load_state(DeviceLink& link, DeviceKey device, const std::string& epoch) override;
  void store(DeviceLink& link, IntakeBatch&& batch) override;
  void enroll(DeviceLink& link, const link::Enroll& request, bool is_renewal) override;
  void on_presence(DeviceLink& link, bool is_online) override;
  void on_reply(DeviceLink& link, const link::ReplyFrame& frame) override;
  void on_notify(DeviceLink& link, const link::NotifyFrame& frame) override;
  void on_context(DeviceLink& link, const link::ContextFrame& frame) override;
  template <class Frame>
  Status pass_on(DeviceKey device, const Frame& frame);
  void on_link_closed(DeviceLink& link) override;
  // IntakeActions
  void apply(std::vector<IntakeBatch>&& batches) override;
  void load_state(SessionId session, DeviceKey device, const std::string& epoch) override;
  void deliver(SessionId session, Result<std::vector<BlockVerdict>> verdicts) override;
  void on_turn_end() override;

  SessionPeer identify(const net::Connection& connection) const;
  void judge(DeviceLink& link, const tls::Peer& peer);
  void confirm_renewed(DeviceLink& link);
  void decide(std::unique_ptr<Decision> decision, StoreThread::Command command);
  void on_confirmed(DeviceLink& link, const Decision& decision);
  void on_enrolment_decided(DeviceLink* link, const Decision& decision);
  void send_away_others(const DeviceRecord& record);
  Session* find_session(uint64_t id);
  void grant_slots(Instant now);
  DeviceLink* find_online(DeviceKey device);
  bool is_current(const DeviceLink& link) const;

  uv::Loop& loop_;
  StoreThread& store_;
  const Enrolment& enrolment_;
  SessionOptions options_;
  Log& log_;
  QuietLog quiet_log_;
  Registry registry_;
  CallEvents* call_events_ = nullptr;
  ContextEvents* context_events_ = nullptr;
  Intake intake_;
  Slots slots_;
  uv::TurnEnd turn_end_;
  std::unordered_map<uint64_t, Member> links_;
  std::unordered_map<std::string, uint64_t> current_;  ///< the link whose hello was accepted last, by device
  std::unordered_map<StoreToken, std::unique_ptr<Decision>> decisions_;
  std::vector<uint64_t> without_room_;                 ///< links whose batch the intake could not take
  std::vector<uint64_t> held_;                         ///< links not read from until the store has caught up
  GapCount applying_gaps_;
  uint64_t next_id_ = 1;
  Metrics past_;                                       ///< counters of links that ended, and of enrolment
};

}  // namespace tideline::hub
