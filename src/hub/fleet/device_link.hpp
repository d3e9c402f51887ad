// One device's connection: net::Connection below, the Session state machine in it, the hub around it as Host.
//
// Owned by the hub by id; given up with Loop::retire after on_link_closed(). Thread: loop. What comes in during one turn of the loop
// is flushed to the store at its end. No timer of its own: the hub's tick calls on_tick(). Memory beside TLS: the session's
// (limits::credit_bytes while data is under way, under 2 KiB idle).
#pragma once

#include <memory>
#include <string>

#include "hub/fleet/session.hpp"
#include "net/connection.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

class DeviceLink final : private net::Connection::Listener, private SessionActions, private uv::TurnEnd::Listener {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    virtual Instant now() = 0;
    virtual UtcNanos wall_time() = 0;
    virtual bool may_send_backlog(DeviceLink& link) = 0;
    /// Answered by session().on_state_loaded(), on_applied(), on_enrolled() or on_enrol_refused() while the link lives.
    virtual void load_state(DeviceLink& link, DeviceKey device, const std::string& epoch) = 0;
    virtual void store(DeviceLink& link, IntakeBatch&& batch) = 0;
    virtual void enroll(DeviceLink& link, const link::Enroll& request, bool is_renewal) = 0;
    virtual void on_presence(DeviceLink& link, bool is_online) = 0;
    virtual void on_reply(DeviceLink& link, const link::ReplyFrame& frame) = 0;
    virtual void on_notify(DeviceLink& link, const link::NotifyFrame& frame) = 0;
    virtual void on_context(DeviceLink& link, const link::ContextFrame& frame) = 0;
    /// The last event.
    virtual void on_link_closed(DeviceLink& link) = 0;
  };

  DeviceLink(uv::Loop& loop, uint64_t id, std::unique_ptr<net::Connection> connection, SessionOptions options, SessionPeer peer,
             Host& host, Log& log);
  DeviceLink(const DeviceLink&) = delete;
  DeviceLink& operator=(const DeviceLink&) = delete;

  uint64_t id() const { return id_; }
  Session& session() { return session_; }
  const Session& session() const { return session_; }
  const net::Connection& connection() const { return *connection_; }

  /// Nothing is read until admit(): the device's record has still to be confirmed.
  void hold();
  void admit();
  void on_tick(Instant now);
  /// Ends it without a word.
  void drop() { connection_->close(); }

 private:
  void on_frame(net::Connection& connection, Bytes payload) override;
  void on_bytes(net::Connection& connection, Bytes bytes) override;
  void on_closed(net::Connection& connection, const net::CloseReason& reason) override;
  void on_turn_end() override;

  void send(Bytes payload) override;
  void close() override;
  void load_state(DeviceKey device, const std::string& epoch) override { host_.load_state(*this, device, epoch); }
  void intake(IntakeBatch&& batch) override { host_.store(*this, std::move(batch)); }
  UtcNanos utc_now() override { return host_.wall_time(); }
  bool may_send_backlog() override { return host_.may_send_backlog(*this); }
  void enroll(const link::Enroll& request, bool is_renewal) override { host_.enroll(*this, request, is_renewal); }
  void presence(bool is_online) override { host_.on_presence(*this, is_online); }
  void replied(const link::ReplyFrame& frame) override { host_.on_reply(*this, frame); }
  void notified(const link::NotifyFrame& frame) override { host_.on_notify(*this, frame); }
  void context_came(const link::ContextFrame& frame) override { host_.on_context(*this, frame); }

  uint64_t id_;
  std::unique_ptr<net::Connection> connection_;
  Host& host_;
  Session session_;
  uv::TurnEnd turn_end_;
};

}  // namespace tideline::hub
