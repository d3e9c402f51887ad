// A connection as the protocols above see it: a stream, TLS on it (or none, on loopback and Unix sockets), and link frames or
// plain bytes inside, as the negotiated ALPN says.
//
// Owned by its session (hub) or uplink (agent), given to them by Acceptor or Connector when it is ready. Thread: loop. Bounded by
// limits::send_queue_bytes unsent; what is queued in one turn is sent together at its end. An idle connection holds TLS's own
// buffers and less than 2 KiB of ours. Must not be destroyed inside one of its own events: Loop::retire; after close() or
// destruction no event comes but on_closed(), and that only for close().
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "link/framer.hpp"
#include "wrap/tls/session.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::net {

inline constexpr const char* link_protocol = "tideline/1";
inline constexpr const char* http_protocol = "http/1.1";

/// Wall time for certificates, as the composition root knows it.
class CertificateClock {
 public:
  virtual ~CertificateClock() = default;
  virtual tls::CertificateTime certificate_time() = 0;
};

/// Why a connection ended, or was never made.
struct CloseReason {
  Error error;
  std::string text;  ///< for people: what failed, at whom, and what to do about it
};

struct Traffic {
  uint64_t received_bytes = 0;  ///< as on the wire, TLS included, TCP and IP not
  uint64_t sent_bytes = 0;
  uint64_t received_frames = 0;
  uint64_t sent_frames = 0;
};

/// A place in a bounded number of connections, given back on destruction.
class Slot {
 public:
  class Keeper {
   public:
    virtual ~Keeper() = default;
    virtual void on_slot_free() = 0;
  };
  Slot() = default;
  explicit Slot(Keeper& keeper) : keeper_(&keeper) {}
  Slot(Slot&& other) noexcept : keeper_(other.keeper_) { other.keeper_ = nullptr; }
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (keeper_ != nullptr) keeper_->on_slot_free();
  }

 private:
  Keeper* keeper_ = nullptr;
};

class Connection final : private uv::Stream::Listener, private uv::TurnEnd::Listener, private uv::Timer::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The payload of one link frame, valid during the call. Only when speaks_link().
    virtual void on_frame(Connection& connection, Bytes payload) = 0;
    /// Bytes of any other protocol, valid during the call.
    virtual void on_bytes(Connection& connection, Bytes bytes) = 0;
    /// The queue had passed half of limits::send_queue_bytes and fell below it again.
    virtual void on_writable(Connection&) {}
    /// The last event. `reason.error.code` is closed when the peer said goodbye or we did; anything else is a failure.
    virtual void on_closed(Connection& connection, const CloseReason& reason) = 0;
  };

  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Must be called in the event that gives the connection away; further events go there.
  void set_listener(Listener& listener) { listener_ = &listener; }

  /// Errors: full (limits::send_queue_bytes; nothing was queued), limit (empty or beyond limits::frame_bytes), closed.
  Status send_frame(Bytes payload);
  /// Errors: full (nothing was queued), closed. A queue that is empty takes any size: an answer is sent whole or not at all.
  Status send_bytes(Bytes bytes);
  /// Sends what is queued now instead of at the end of the turn.
  void flush();
  /// Neither encrypted yet nor taken by the kernel.
  size_t queued_bytes() const;

  /// No more on_frame() or on_bytes(), not even of what was received already, until resume_reading().
  void pause_reading();
  void resume_reading();

  /// Sends what is queued and the goodbye, waits for the peer's for at most limits::close_deadline, then on_closed().
  void close();
  bool is_closing() const { return state_ == State::closing || state_ == State::closed; }

  bool speaks_link() const { return speaks_link_; }
  bool is_encrypted() const { return session_ != nullptr; }
  std::string alpn() const;
  /// "TLSv1.2, TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256, resumed"; "" without TLS.
  std::string protection() const;
  bool was_resumed() const;
  const tls::Peer& peer() const;
  /// "192.0.2.7:41234"; "local" for a Unix socket.
  const std::string& peer_address() const { return peer_address_; }
  const Traffic& traffic() const { return traffic_; }
  /// At a client: what Connector::set_session() takes to resume later; a secret. Empty while the server gave nothing.
  ByteBuffer save_session() const;
  void set_keepalive(Duration idle, Duration give_up);

 private:
  friend class Acceptor;
  friend class Connector;
  /// Whoever waits for the handshake.
  class Opener {
   public:
    virtual ~Opener() = default;
    /// Ciphertext has come: call continue_handshake(), at once or when it is this connection's turn.
    virtual void on_handshake_input(Connection& connection) = 0;
    /// Must set_listener().
    virtual void on_ready(Connection& connection) = 0;
    virtual void on_open_failed(Connection& connection, const CloseReason& reason) = 0;
  };
  enum class State : uint8_t { opening, open, closing, closed };

  /// Without `session` it is open at once and on_ready() is not called.
  Connection(uv::Loop& loop, Opener& opener, std::unique_ptr<tls::Session> session, Slot slot);
  /// `stream` is connected and reports to this connection. Starts the handshake and its deadline.
  void start(std::unique_ptr<uv::Stream> stream, Duration deadline);
  void continue_handshake();
  /// No event any more; for an owner that gives it up while it is opening.
  void abandon();

  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream& stream) override;
  void on_failed(uv::Stream& stream, Error error) override;
  void on_drained(uv::Stream& stream) override;
  void on_turn_end() override;
  void on_timer(uv::Timer& timer) override;

  void read_input();
  void deliver(Bytes plain);
  bool may_deliver() const { return state_ == State::open && !paused_; }
  Status check_room(size_t bytes) const;
  void send_queued();
  void send_output();
  void note_room();
  void continue_close();
  void end(Error error, std::string text);
  void end_by_tls(const Error& error);

  uv::Loop& loop_;
  Opener* opener_;
  Listener* listener_ = nullptr;
  Slot slot_;
  std::unique_ptr<tls::Session> session_;
  std::unique_ptr<uv::Stream> stream_;
  std::unique_ptr<uv::Timer> deadline_;  // of the handshake, then of closing
  uv::TurnEnd turn_end_;
  link::FrameReader frames_;
  ByteBuffer plain_;       // queued, not yet encrypted, from sent_ on
  size_t sent_ = 0;
  ByteBuffer unread_;      // decrypted, but reading is paused
  std::string peer_address_;
  Traffic traffic_;
  State state_ = State::opening;
  bool speaks_link_ = false;
  bool paused_ = false;
  bool resuming_ = false;      // unread_ is to be delivered at the end of the turn
  bool was_above_half_ = false;
  bool said_goodbye_ = false;  // closing: everything is sent, the peer's turn
};

}  // namespace tideline::net
