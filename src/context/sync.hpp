// Brings two replicas of a device's context together over a connection: the same at both ends (FORMAT.md). Registers go in the order of
// their stamps, one message at a time, each durable at the receiver before the next; so the tops say where to go on after a break.
// When tops agree and the contents do not (a replica came back from an old image), everything is sent once more, both ways.
//
// Pure: events in, calls of Host out; it reads no clock. Owned by whoever owns the connection, one per connection and device. Thread: loop.
// Bounds: one message of limits::message_bytes under way in each direction. Callees may answer within the call.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "context/message.hpp"

namespace tideline::context {

struct SyncStatus {
  bool has_met = false;      ///< the peer's state is known
  bool is_settled = false;   ///< nothing is left to send
  bool is_same = false;      ///< the peer's state was compared since, and held the same
  Tops peer_holds;           ///< durable at the peer, as it said last
  uint64_t sent = 0;         ///< registers
  uint64_t received = 0;
  uint64_t resyncs = 0;
  std::string last_failure;  ///< of the peer to store, or of this side; "" once that went well
};

class Sync {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    /// One message to the peer.
    virtual void say(Bytes message) = 0;
    // Answers come in the order in which the store did the work, and none of an earlier connection.
    /// Answered by on_state(): tops and digest as of one moment, durable. Not before what apply() was given on an earlier connection is
    /// durable or has failed: nobody would send it back to a peer that has lost it.
    virtual void read_state() = 0;
    /// Answered by on_page(): durable registers only.
    virtual void read_page(Side side, Stamp after, size_t max_bytes) = 0;
    /// Answered by on_applied(), in order, when they are durable.
    virtual void apply(std::vector<Register>&& registers) = 0;
    /// The peer holds all of this durably, and nothing older is under way from it.
    virtual void on_peer_holds(const Tops& tops) = 0;
    /// Hub: what the device declared.
    virtual void on_declarations(std::string&&) {}
  };
  /// `declarations`: device: the JSON of its own; hub: the JSON it holds of the device ("" none).
  Sync(Side me, Host& host, std::string declarations, Log& log);

  /// The connection is there: the device speaks first. The hub waits.
  void start();
  /// Errors: invalid: the peer does not keep to the protocol; the connection should end.
  Status on_message(Bytes bytes, Instant now);
  void on_state(const ReplicaState& state);
  void on_page(RegisterPage&& page);
  void on_applied(const Status& status, const Tops& tops);
  /// Something was written here and is durable.
  void on_written();
  /// Tries again after a failure of the peer. Call at next_wake() or later.
  void on_tick(Instant now);
  Instant next_wake() const { return retry_at_; }
  const SyncStatus& status() const { return status_; }

 private:
  enum class Reading : uint8_t { greeting, meeting, settling, comparing };
  enum class Sending : uint8_t { nothing, reading, waiting };
  static constexpr size_t kept_scratch = 512;

  void take(const StateMessage& message);
  void take(const AckMessage& message);
  void take(const FailedMessage& message, Instant now);
  void read(Reading why);
  void say_state(const ReplicaState& mine);
  void meet(const ReplicaState& mine);
  void compare(const ReplicaState& mine);
  void send_everything();
  void tell_holds();
  void pump();
  template <class M>
  void say(const M& message) {
    scratch_.clear();
    encode(message, scratch_);
    host_.say(scratch_);
    if (scratch_.capacity() > kept_scratch) ByteBuffer().swap(scratch_);  // a hub has one of these for each device
  }

  Side me_;
  Host& host_;
  std::string declarations_;            ///< device only
  uint64_t declarations_hash_;
  Log& log_;
  ByteBuffer scratch_;
  std::deque<Reading> readings_;        ///< states asked of the host, in order
  ReplicaState theirs_;                 ///< as said last
  uint64_t their_declarations_ = 0;
  bool has_heard_ = false;
  Sending sending_ = Sending::nothing;
  std::array<Stamp, side_count> sent_{};     ///< of each side, held by the peer
  std::array<bool, side_count> has_more_{};  ///< to send
  RegisterPage page_;                        ///< under way; its registers were sent
  Stamp page_last_ = 0;
  bool has_written_ = false;                 ///< here, since a page of this side was asked for
  size_t applying_ = 0;                      ///< messages of the peer that are not durable here
  bool owes_holds_ = false;                  ///< the host was not told what the peer holds
  bool is_resent_ = false;                   ///< everything was sent once on this connection
  Instant retry_at_ = never;
  SyncStatus status_;
};

/// FNV-1a, never 0 but for "".
uint64_t hash_of_declarations(std::string_view json);

}  // namespace tideline::context
