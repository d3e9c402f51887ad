// What to send next on a connection that is up: two lanes per stream, credit, and what is in flight. Pure; part of the Uplink.
//
// Live lane: what was committed since this connection came up, in order. Backfill lane: what was there before, oldest first.
// Critical goes before all others; while both lanes of the rest have data they share the link live_percent : the rest; inside a
// lane normal goes before bulk. A number is read from the outbox at most once per connection unless the hub asks again, and
// never when the hub holds it.
//
// Owned by Uplink. Thread: loop. Nothing durable: the hub's welcome says where to begin. Memory: per lane at most
// limits::uplink_buffer_bytes + limits::uplink_fetch_bytes (one block more if blocks are large), whatever the backlog.
#pragma once

#include <array>
#include <deque>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "agent/store/outbox.hpp"
#include "base/time.hpp"
#include "link/message.hpp"

namespace tideline::agent {

/// Where frames go. Implemented by Uplink.
class DrainOutlet {
 public:
  /// Data may be sent now: the send queue is short and the token bucket is open.
  virtual bool is_open(Instant now) = 0;
  virtual void send(Bytes payload, Instant now) = 0;

 protected:
  ~DrainOutlet() = default;
};

class Drain {
 public:
  using SeriesEnd = model::SeriesId (*)(const model::StoredBlock&);
  Drain(Outbox& outbox, DrainOutlet& outlet, SeriesEnd series_end, uint32_t live_percent)
      : outbox_(outbox), outlet_(outlet), series_end_(series_end), live_percent_(live_percent) {}

  /// The connection is up and both sides agree on what the hub holds.
  void begin(const link::Welcome& welcome);
  /// The connection is gone: forgets what was read and sent.
  void end();

  void on_committed(model::Stream stream, model::Seq next);
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to, Instant now);
  /// Returns how many frames in flight it covers. Errors: invalid when the hub acknowledges numbers that this store never made.
  Result<size_t> on_ack(const link::Ack& ack);
  void on_nack(const link::Nack& nack, Instant now);
  void add_credit(uint64_t bytes) { credit_ += bytes; }
  /// Sends what may be sent and asks the outbox for more. Call after every event.
  void pump(Instant now);

  /// When pump() has something to do by itself.
  Instant next_wake() const;
  /// When the oldest unacknowledged frame was sent, `never` if there is none.
  Instant oldest_sent() const;
  bool is_synced() const;

  uint64_t credit() const { return credit_; }
  uint64_t in_flight_bytes() const { return in_flight_bytes_; }
  uint64_t readings_acknowledged() const { return readings_acknowledged_; }
  uint64_t blocks_refused() const { return blocks_refused_; }
  size_t buffered_bytes() const;
  struct LaneView {
    model::Stream stream;
    link::Lane lane;
    model::Seq next;
    size_t buffered_bytes;
    bool is_done;
  };
  std::array<LaneView, model::stream_count * 2> lanes() const;

 private:
  /// A block, or a gap when `bytes` is empty.
  struct Item {
    model::SeqRange range;
    ByteBuffer bytes;
    model::Gap gap;
    bool is_gap() const { return bytes.empty(); }
  };
  struct Lane {
    link::Lane kind = link::Lane::live;
    model::Seq next = 1;     ///< to read from the outbox
    model::Seq end = 1;      ///< one past the last number of this lane
    std::deque<Item> buffer;
    size_t buffered_bytes = 0;
    Instant retry_at{};      ///< do not read before this
  };
  struct InFlight {
    model::SeqRange range;
    uint64_t bytes = 0;
    bool is_gap = false;
    std::list<Instant>::iterator sent_at;  ///< in sent_order_
  };
  struct StreamDrain {
    model::Stream stream = model::Stream::normal;
    model::Seq committed = 1;   ///< next of the store
    model::SeqRanges held;      ///< at the hub
    std::array<Lane, 2> lanes;  ///< by link::Lane
    std::map<model::Seq, InFlight> in_flight;
    model::SeqRanges refused;   ///< permanently, on this connection: not sent again as blocks
    bool is_fetching = false;   ///< one read at a time per stream
    bool is_stale = false;      ///< its answer is no longer wanted
    link::Lane fetching_lane = link::Lane::live;
    model::Seq fetch_from = 1;
    Instant fetch_deadline = never;
  };

  Lane* choose();
  Lane* first_filled(link::Lane kind);
  StreamDrain& stream_of(const Lane& lane);
  bool send_front(StreamDrain& stream, Lane& lane, Instant now);
  bool send_block(StreamDrain& stream, Lane& lane, Instant now);
  bool send_gaps(StreamDrain& stream, Lane& lane, Instant now);
  bool send_series(model::SeriesId end, Instant now);
  bool send_gap_frame(StreamDrain& stream, const link::GapFrame& frame, Instant now);
  void refill(StreamDrain& stream, Instant now);
  bool wants_read(const StreamDrain& stream, const Lane& lane, Instant now) const;
  model::Seq next_missing(const StreamDrain& stream, const Lane& lane) const;
  void take(StreamDrain& stream, Lane& lane, Item&& item, model::Seq& position);
  void declare_hole(StreamDrain& stream, Lane& lane, model::SeqRange hole);
  void push(StreamDrain& stream, Lane& lane, Item&& item);
  bool is_in_flight(const StreamDrain& stream, model::SeqRange range) const;
  void count_share(const Lane& lane, size_t bytes);
  void note_sent(StreamDrain& stream, model::SeqRange range, size_t bytes, bool is_gap, Instant now);
  void forget_sent(StreamDrain& stream, std::map<model::Seq, InFlight>::iterator entry);
  void rewind(StreamDrain& stream, model::Seq to, Instant retry_at);

  Outbox& outbox_;
  DrainOutlet& outlet_;
  SeriesEnd series_end_;
  uint32_t live_percent_;
  bool is_active_ = false;
  std::array<StreamDrain, model::stream_count> streams_;
  model::SeriesId series_sent_ = 0;
  uint64_t credit_ = 0;
  uint64_t in_flight_bytes_ = 0;
  size_t in_flight_count_ = 0;
  std::list<Instant> sent_order_;  ///< when each frame in flight was sent, oldest first
  uint64_t live_share_ = 0;      ///< bytes of each lane since both have data
  uint64_t backfill_share_ = 0;
  uint64_t readings_acknowledged_ = 0;
  uint64_t blocks_refused_ = 0;
  ByteBuffer scratch_;
};

}  // namespace tideline::agent
