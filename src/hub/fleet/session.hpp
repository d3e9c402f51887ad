// The hub's end of one device's link. A pure state machine: events and time go in through the on_*() functions, calls go out to
// SessionActions. It reads no clock and does no I/O. The rules it follows are src/link/FORMAT.md.
//
// Owned by the hub's composition, one per connection. Thread: loop. Holds nothing durable: what is acknowledged stands in the
// archive first (law 2). Memory is bounded by the credit (limits::credit_bytes) for data and limits::session_pending_gaps.
//
// Order that the composition keeps: intake() of an older session of the same device is applied before a later load_state() is
// answered (one store thread, first in first out). Callees may not call back into the Session before they return.
#pragma once

#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "hub/store/archive.hpp"
#include "link/codec.hpp"

namespace tideline::hub {

/// Who connected, as far as TLS and the archive tell.
struct SessionPeer {
  bool has_certificate = false;    ///< false: only enrolment is possible
  std::string certificate_device;  ///< the device id that the certificate names
  std::string fingerprint;         ///< SHA-256 of the certificate, hexadecimal
  bool is_known = false;           ///< the archive has a record of certificate_device
  DeviceRecord record;             ///< when is_known
  std::string address;             ///< for messages
};

class SessionActions {
 public:
  virtual ~SessionActions() = default;
  /// Queues one frame payload; copied before return.
  virtual void send(Bytes payload) = 0;
  /// Sends what is queued if it can do so quickly, then closes. No on_closed() follows.
  virtual void close() = 0;
  /// Answered by on_state_loaded(), after all earlier intake of this device.
  virtual void load_state(DeviceKey device, const std::string& epoch) = 0;
  /// Answered by on_applied(). One at a time.
  virtual void intake(IntakeBatch&& batch) = 0;
  /// Wall time of the hub.
  virtual UtcNanos utc_now() = 0;
  /// Whether a device with a backlog may send it at once. If not, Session::grant() follows when its turn has come.
  virtual bool may_send_backlog() { return true; }
  /// Answered by on_enrolled() or on_enrol_refused(). `renewal`: no token, the certificate in force is the proof.
  virtual void enroll(const link::Enroll& request, bool renewal) = 0;
  /// The device is online (after welcome) or gone.
  virtual void presence(bool online) = 0;
  /// Pieces of what the device says to calls and by itself; only while it is online. Views end with the call.
  virtual void replied(const link::ReplyFrame&) {}
  virtual void notified(const link::NotifyFrame&) {}
  virtual void context_came(const link::ContextFrame&) {}
};

struct SessionOptions {
  std::string hub;                                   ///< this hub's name
  uint64_t credit_bytes = limits::credit_bytes;
  Duration reconnect_least{};
  Duration reconnect_spread{};
  Duration ping_interval = limits::ping_interval;
  Duration unavailable_retry = seconds(10);          ///< told to the device when the store failed
};

enum class SessionState : uint8_t {
  greeting,   ///< waiting for hello or enroll
  loading,    ///< load_state() asked
  serving,
  enrolling,  ///< enroll() asked on a connection without certificate
  closed,
};

struct SessionStatus {
  SessionState state = SessionState::greeting;
  Instant since;
  std::string device;
  uint64_t bytes_received = 0;
  uint64_t readings_accepted = 0;
  uint64_t blocks_accepted = 0;
  uint64_t blocks_duplicate = 0;
  uint64_t blocks_refused = 0;
  uint64_t pending_bytes = 0;      ///< received, not yet stored
  std::string close_reason;
};

/// What to do when a second connection proves the same device id.
enum class SecondConnection : uint8_t {
  replaces,  ///< same certificate: the device lost its link and came back before we noticed
  refused,   ///< another certificate: two devices claim one id
};
SecondConnection judge_second_connection(const std::string& live_fingerprint, const std::string& new_fingerprint);

class Session {
 public:
  /// A peer that may not be served is told so when it says hello.
  Session(SessionOptions options, SessionPeer peer, SessionActions& actions, Log& log, Instant now);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void on_frame(Bytes payload, Instant now);
  /// The connection ended.
  void on_closed(Instant now);
  void on_state_loaded(Result<DeviceState> state, Instant now);
  void on_applied(Result<std::vector<BlockVerdict>> verdicts, Instant now);
  void on_enrolled(const link::Enrolled& answer, Instant now);
  void on_enrol_refused(const std::string& reason, Instant now);
  /// Passes on a piece of a call or a cancellation; dropped unless the device is online.
  template <class Frame>
  void pass_on(const Frame& frame) {
    if (status_.state == SessionState::serving) send_frame(frame);
  }
  /// The device's turn to send has come (SessionActions::may_send_backlog()).
  void grant();
  /// End of a loop turn: what came in during it becomes one batch.
  void flush(Instant now);
  void on_tick(Instant now);
  Instant next_wake() const;
  /// A newer connection of the same device took over (judge_second_connection() said `replaces`).
  void on_replaced(Instant now);
  /// Another certificate is live for this device id: tells the device and closes.
  void refuse_duplicate(Instant now);
  /// The hub is going down, or the device was revoked: tells the device and closes.
  void dismiss(link::ByeCode code, const std::string& reason, Duration retry_after, Instant now);

  bool is_closed() const { return status_.state == SessionState::closed; }
  const SessionStatus& status() const { return status_; }
  const SessionPeer& peer() const { return peer_; }
  /// As told in hello, "" before.
  const std::string& agent_version() const { return hello_.agent_version; }
  /// The device's own, empty before it said hello.
  const link::Hello& hello() const { return hello_; }
  /// Readings that the device claimed in its hello and that are not held yet: for people, not for decisions.
  uint64_t backlog(model::Stream stream) const;
  bool has_backlog() const;

 private:
  /// Received and not yet acknowledged, in the order of the batch.
  struct Pending {
    model::Stream stream = model::Stream::normal;
    model::SeqRange range;
  };
  struct Batch {
    IntakeBatch intake;
    std::vector<Pending> gaps;   ///< whole, as received: what the ack names
    std::vector<Pending> pieces; ///< of them, as handed to intake()
    uint64_t credit = 0;
    bool is_empty() const { return credit == 0 && intake.anchors.empty(); }
  };

  void handle(const link::Message& message, size_t payload_bytes, Instant now);
  void serve(const link::Message& message, size_t payload_bytes, Instant now);
  void on_hello(const link::Hello& hello, Instant now);
  void on_enroll(const link::Enroll& request, Instant now);
  void on_series(const link::SeriesFrame& frame, size_t payload_bytes, Instant now);
  void on_block(const link::BlockFrame& frame, size_t payload_bytes, Instant now);
  void on_gaps(const link::GapFrame& frame, size_t payload_bytes, Instant now);
  void on_ping(const link::Ping& ping, Instant now);
  bool charge(size_t payload_bytes, Instant now);
  void give_back(uint64_t credit);
  bool add_gap(const model::Gap& gap);
  void send_welcome(const DeviceState& state);
  void acknowledge(const std::vector<BlockVerdict>& verdicts);
  bool take_verdicts(const std::vector<BlockVerdict>& verdicts, model::SeqRanges* stored);
  void expect_again();
  void hear(Instant now);
  template <class Frame>
  void send_frame(const Frame& frame) {
    scratch_.clear();
    link::encode(frame, scratch_);
    actions_.send(scratch_);
  }
  void close(link::ByeCode code, const std::string& reason, Duration retry_after, Instant now);
  void end(const std::string& reason, Instant now);
  void enter(SessionState state, Instant now);

  SessionOptions options_;
  SessionPeer peer_;
  SessionActions& actions_;
  Log& log_;
  ByteBuffer scratch_;
  SessionStatus status_;
  Instant deadline_ = never;       ///< of the present state
  Instant heard_deadline_ = never; ///< the device promised a frame before this
  Instant intake_deadline_ = never;
  Duration promised_;              ///< silence of this length is normal

  link::Hello hello_;
  std::vector<HeldRun> claims_;                     ///< of the device, told to the archive with its first data and when they grow
  bool has_news_of_runs_ = true;
  model::SeqRanges held_[model::stream_count];      ///< durable, as last told by the archive
  model::SeqRanges expected_[model::stream_count];  ///< and what is on its way there
  model::SeriesId series_known_ = 0;                ///< including what is on its way
  uint64_t credit_left_ = 0;                        ///< the device may still send this much
  bool awaits_grant_ = false;
  bool is_applying_ = false;
  Batch filling_;
  Batch applying_;                                  ///< its intake was handed over: ranges and credit only
  std::vector<Pending> applying_blocks_;
};

}  // namespace tideline::hub
