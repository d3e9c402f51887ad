// The device's end of the link: when to connect, what to send next, what was delivered. A pure state machine: events and time
// go in through the on_*() functions, calls go out to the Outbox and to the UplinkWire. It reads no clock and does no I/O, so the
// same file runs under the loop, the simulator and the fuzzer. The rules it follows are src/link/FORMAT.md.
//
// Owned by Agent. Thread: loop. Holds nothing durable: after a crash it begins with a hello, and the hub says where to go on
// (law 3). Bounded by limits::uplink_buffer_bytes per lane, limits::uplink_in_flight_blocks and the hub's credit.
//
// Callees may not call back into the Uplink before they return (events come from the loop).
#pragma once

#include <string>
#include <vector>

#include "agent/store/outbox.hpp"
#include "agent/uplink_drain.hpp"
#include "base/backoff.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "link/codec.hpp"
#include "link/token_bucket.hpp"

namespace tideline::agent {

/// The connection as the uplink commands it. One connection at a time.
class UplinkWire {
 public:
  virtual ~UplinkWire() = default;
  /// Answered by on_connected() (TLS done, hub verified) or on_closed(), within limits::handshake_deadline.
  virtual void connect() = 0;
  /// Queues one frame payload; copied before return. Its bytes are taken to be in the send queue until on_send_queue().
  virtual void send(Bytes payload) = 0;
  /// Sends what is queued if it can do so quickly, then closes. No on_closed() follows.
  virtual void close() = 0;
  /// The hub issued a certificate (answer to renew()).
  virtual void enrolled(const link::Enrolled& answer) = 0;
  /// Calls may come; `catalog_hash` is of the catalog that the hub keeps of this device.
  virtual void link_up(uint64_t /*catalog_hash*/) {}
  /// Whatever was called is over.
  virtual void link_down() {}
  virtual void called(const link::CallFrame&) {}
  virtual void cancelled(uint64_t /*call*/) {}
  /// An error ends the connection: the hub does not keep to the protocol.
  virtual Status context_came(const link::ContextFrame&) { return {}; }
};

/// One past the highest series id that `block` uses; 0 when it cannot be read. The default opens the block.
model::SeriesId series_end_of(const model::StoredBlock& block);

struct UplinkOptions {
  std::string device;
  std::string agent_version;
  uint64_t seed = 1;                       ///< of jitter
  uint64_t bytes_per_second = 0;           ///< 0: no limit (metered links)
  uint32_t live_percent = 30;              ///< share of the live lane while both lanes have data
  Duration backoff_base = limits::backoff_base;
  Duration backoff_cap = limits::backoff_cap;
  Duration ping_interval_most = limits::ping_interval_most;
  model::SeriesId (*series_end)(const model::StoredBlock&) = &series_end_of;
};

enum class UplinkState : uint8_t {
  stopped,
  waiting,     ///< for the backoff
  connecting,
  greeting,    ///< hello sent
  online,      ///< welcome received: data flows
  rebasing,    ///< the store rolled back and is giving new numbers
};
const char* uplink_state_name(UplinkState state);

struct LaneStatus {
  model::Stream stream = model::Stream::normal;
  link::Lane lane = link::Lane::live;
  model::Seq next = 1;          ///< next number to read
  uint64_t buffered_bytes = 0;
};

/// For `tideline status`. Instants are 0 when the thing has not happened.
struct UplinkStatus {
  UplinkState state = UplinkState::stopped;
  Instant since;
  Instant last_ack;
  Instant next_attempt = never;
  std::string last_error;       ///< why the last connection ended or could not be made
  std::string hub;              ///< the hub's own name, from the last welcome
  uint64_t attempts = 0;        ///< since the last acknowledged progress
  uint64_t connections = 0;     ///< that reached online, since start
  uint64_t bytes_sent = 0;      ///< frame payloads and their length prefixes, since start
  uint64_t bytes_received = 0;
  uint64_t readings_acknowledged = 0;  ///< in blocks sent by this process
  uint64_t blocks_refused = 0;
  uint64_t rebases = 0;
  uint64_t in_flight_bytes = 0;
  uint64_t credit_bytes = 0;
  Duration round_trip;          ///< of the last ping or hello
  Duration ping_interval;
  std::vector<LaneStatus> lanes;  ///< those with something left to send
};

class Uplink final : private DrainOutlet {
 public:
  Uplink(UplinkOptions options, Outbox& outbox, UplinkWire& wire, Log& log);
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;

  /// Begins to connect, spread by what the hub asked for last time.
  void start(Instant now);
  /// Says bye and closes.
  void stop(Instant now);
  /// Connects now if it is waiting, whatever the backoff says.
  void sync_now(Instant now);
  /// Asks the hub for a new certificate. False when not online: ask again later.
  bool renew(const std::string& request_pem, Instant now);

  // Events of the connection.
  void on_connected(Instant now);
  void on_frame(Bytes payload, Instant now);
  void on_closed(const std::string& reason, Instant now);
  /// Bytes now in the send queue; call whenever it shrank.
  void on_send_queue(size_t queued_bytes, Instant now);

  /// Most bytes a second from now on, 0 for no limit: the way to the hub became metered, or is no longer.
  void set_rate(uint64_t bytes_per_second, Instant now);
  /// Told to the hub with the next hello.
  void set_catalog_hash(uint64_t hash) { catalog_hash_ = hash; }
  /// Whether say() takes a frame now: online, and the send queue has room. Replies go before readings.
  bool may_say() const { return is_online() && queued_bytes_ < limits::link_reply_queue_bytes; }
  void say(const link::ReplyFrame& frame, Instant now) { send_frame(frame, now); }
  void say(const link::NotifyFrame& frame, Instant now) { send_frame(frame, now); }
  void say(const link::ContextFrame& frame, Instant now) { send_frame(frame, now); }

  // Events of the outbox (Outbox::Listener, passed on).
  void on_committed(model::Stream stream, model::Seq next, Instant now);
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to, Instant now);
  void on_rebased(model::Stream stream, Status status, Instant now);
  /// A better anchor came into force on the device (NTP, GPS).
  void on_anchor(const model::Anchor& anchor, Instant now);

  /// Time passed: call at next_wake() or later.
  void on_tick(Instant now);
  /// When on_tick() is due. Ask after every event.
  Instant next_wake() const;

  UplinkStatus status() const;
  bool is_online() const { return state_ == UplinkState::online; }
  /// Nothing is left to send and nothing is in flight.
  bool is_synced() const;

 private:
  void enter(UplinkState state, Instant now);
  void connect(Instant now);
  void wait(Duration least, Instant now);
  void drop(const std::string& reason, Instant now, Duration least = {});
  void leave(link::ByeCode code, const std::string& reason, Instant now);
  bool is_open(Instant now) override;
  void send(Bytes payload, Instant now) override;
  template <class Frame>
  void send_frame(const Frame& frame, Instant now) {
    scratch_.clear();
    link::encode(frame, scratch_);
    send(scratch_, now);
  }

  link::Hello make_hello(Instant now) const;
  void on_welcome(const link::Welcome& welcome, Instant now);
  void on_bye(const link::Bye& bye, Instant now);
  void on_pong(const link::Pong& pong, Instant now);
  void take_hub_time(const link::Welcome& welcome, Instant now);
  bool begin_rebases(const link::Welcome& welcome, Instant now);
  bool has_dictionary_parted(const link::Welcome& welcome) const;
  void on_message(const link::Message& message, Instant now);
  void on_progress(Instant now);
  void pump(Instant now);
  void check_link(Instant now);
  void ping(Instant now);
  void learn_from_loss(Instant now);

  UplinkOptions options_;
  uint64_t catalog_hash_ = 0;
  Outbox& outbox_;
  UplinkWire& wire_;
  Log& log_;
  Random random_;
  Backoff backoff_;
  link::TokenBucket bucket_;
  Drain drain_;
  ByteBuffer scratch_;

  UplinkState state_ = UplinkState::stopped;
  Instant since_{};
  Instant deadline_ = never;      ///< of the present state: next attempt, greeting or rebase timeout
  Instant stable_at_ = never;     ///< an idle link counts as a success then
  Instant heard_{};               ///< last frame received
  Instant moved_{};               ///< last sign that data moves: an answer of the hub, the send queue shrank
  Instant spoke_{};               ///< last frame sent
  Instant ping_deadline_ = never; ///< the pong is due
  Instant bucket_opens_at_ = never;
  Instant ping_sent_{};
  Duration ping_interval_ = limits::ping_interval;
  Duration ping_interval_next_ = limits::ping_interval;  ///< announced by the ping that is out
  Duration ping_ceiling_;         ///< quiet links longer than this were lost
  bool has_ping_interval_ = false;
  uint64_t ping_token_ = 0;
  Instant hello_sent_{};
  Duration reconnect_least_{};
  Duration reconnect_spread_{};
  uint32_t rebases_pending_ = 0;
  uint32_t rebases_in_a_row_ = 0;
  size_t queued_bytes_ = 0;       ///< in the connection's send queue, at most
  UplinkStatus status_;
};

}  // namespace tideline::agent
