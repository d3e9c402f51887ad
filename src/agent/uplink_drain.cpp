#include "agent/uplink_drain.hpp"

#include <algorithm>
#include <cassert>

#include "base/limits.hpp"
#include "link/codec.hpp"

namespace tideline::agent {

using model::Seq;
using model::SeqRange;

void Drain::begin(const link::Welcome& welcome) {
  end();
  is_active_ = true;
  credit_ = welcome.credit;
  series_sent_ = welcome.series_known;
  for (const model::Stream stream : model::streams) {
    StreamDrain& drain = streams_[model::index_of(stream)];
    drain.stream = stream;
    drain.committed = std::max(drain.committed, outbox_.status().streams[model::index_of(stream)].next);
    drain.held = welcome.streams[model::index_of(stream)].held;
    const Seq split = welcome.live ? drain.committed : UINT64_MAX;
    drain.lanes[0] = {link::Lane::live, split, UINT64_MAX, {}, 0, {}};
    drain.lanes[1] = {link::Lane::backfill, 1, split, {}, 0, {}};
  }
}

void Drain::end() {
  is_active_ = false;
  for (StreamDrain& stream : streams_) {
    stream.in_flight.clear();
    stream.refused.clear();
    stream.committed = 1;
    stream.is_stale = stream.is_fetching;
    for (auto& lane : stream.lanes) {
      lane.buffer.clear();
      lane.buffered_bytes = 0;
    }
  }
  sent_order_.clear();
  in_flight_bytes_ = 0;
  in_flight_count_ = 0;
  live_share_ = 0;
  backfill_share_ = 0;
}

void Drain::on_committed(model::Stream stream, Seq next) {
  StreamDrain& drain = streams_[model::index_of(stream)];
  if (is_active_) drain.committed = std::max(drain.committed, next);
}

// ---- Sending

Drain::StreamDrain& Drain::stream_of(const Lane& lane) {
  for (StreamDrain& stream : streams_) {
    if (&lane == &stream.lanes[0] || &lane == &stream.lanes[1]) return stream;
  }
  assert(false);
  return streams_[0];
}

Drain::Lane* Drain::first_filled(link::Lane kind) {
  for (const model::Stream stream : {model::Stream::normal, model::Stream::bulk}) {
    Lane& lane = streams_[model::index_of(stream)].lanes[static_cast<size_t>(kind)];
    if (!lane.buffer.empty()) return &lane;
  }
  return nullptr;
}

Drain::Lane* Drain::choose() {
  for (Lane& lane : streams_[model::index_of(model::Stream::critical)].lanes) {
    if (!lane.buffer.empty()) return &lane;
  }
  Lane* live = first_filled(link::Lane::live);
  Lane* backfill = first_filled(link::Lane::backfill);
  if (live == nullptr || backfill == nullptr) {
    live_share_ = 0;
    backfill_share_ = 0;
    return live != nullptr ? live : backfill;
  }
  return live_share_ * 100 <= live_percent_ * (live_share_ + backfill_share_) ? live : backfill;
}

void Drain::count_share(const Lane& lane, size_t bytes) {
  (lane.kind == link::Lane::live ? live_share_ : backfill_share_) += bytes;
}

void Drain::pump(Instant now) {
  if (!is_active_) return;
  for (StreamDrain& stream : streams_) {
    for (Lane& lane : stream.lanes) {
      if (lane.retry_at <= now) lane.retry_at = Instant{};
    }
  }
  bool is_blocked = false;
  while (!is_blocked && outlet_.is_open(now) && in_flight_count_ < limits::uplink_in_flight_blocks) {
    Lane* lane = choose();
    if (lane == nullptr) break;
    is_blocked = !send_front(stream_of(*lane), *lane, now);
  }
  for (StreamDrain& stream : streams_) refill(stream, now);
}

/// False when the credit does not suffice.
bool Drain::send_front(StreamDrain& stream, Lane& lane, Instant now) {
  // The hub may have acknowledged it meanwhile, or another lane sent it.
  const SeqRange range = lane.buffer.front().range;
  if (stream.held.covers(range) || is_in_flight(stream, range)) {
    lane.buffered_bytes -= lane.buffer.front().bytes.size() + sizeof(Item);
    lane.buffer.pop_front();
    return true;
  }
  return lane.buffer.front().is_gap() ? send_gaps(stream, lane, now) : send_block(stream, lane, now);
}

bool Drain::send_block(StreamDrain& stream, Lane& lane, Instant now) {
  Item& item = lane.buffer.front();
  model::StoredBlock block{stream.stream, item.range, std::move(item.bytes)};
  const bool is_defined = send_series(series_end_(block), now);
  item.bytes = std::move(block.bytes);
  if (!is_defined || credit_ < item.bytes.size() + link::block_envelope_bytes) return false;
  scratch_.clear();
  link::encode(link::BlockFrame{lane.kind, stream.stream, item.range, item.bytes}, scratch_);
  credit_ -= scratch_.size();
  note_sent(stream, item.range, scratch_.size(), false, now);
  count_share(lane, scratch_.size());
  lane.buffered_bytes -= item.bytes.size() + sizeof(Item);
  lane.buffer.pop_front();
  outlet_.send(scratch_, now);
  return true;
}

/// As many gaps as stand together at the front.
bool Drain::send_gaps(StreamDrain& stream, Lane& lane, Instant now) {
  link::GapFrame frame;
  for (const Item& item : lane.buffer) {
    if (!item.is_gap() || frame.gaps.size() == limits::frame_gaps) break;
    frame.gaps.push_back(item.gap);
  }
  if (!send_gap_frame(stream, frame, now)) return false;
  for (size_t i = 0; i < frame.gaps.size(); ++i) {
    lane.buffered_bytes -= sizeof(Item);
    lane.buffer.pop_front();
  }
  return true;
}

bool Drain::send_gap_frame(StreamDrain& stream, const link::GapFrame& frame, Instant now) {
  scratch_.clear();
  link::encode(frame, scratch_);
  if (credit_ < scratch_.size()) return false;
  credit_ -= scratch_.size();
  size_t bytes = scratch_.size();
  for (const model::Gap& gap : frame.gaps) {
    note_sent(stream, gap.range, bytes, true, now);
    bytes = 0;  // the frame is counted once
  }
  outlet_.send(scratch_, now);
  return true;
}

/// All definitions below `end` that the hub does not know. A block in the store proves that its definitions are durable.
bool Drain::send_series(model::SeriesId end, Instant now) {
  const model::SeriesDictionary& dictionary = outbox_.dictionary();
  end = std::min(end, dictionary.size());
  while (series_sent_ < end) {
    link::SeriesFrame frame;
    frame.first = series_sent_;
    size_t bytes = 0;
    for (model::SeriesId id = series_sent_; id < end && frame.series.size() < limits::frame_series; ++id) {
      bytes += 2 * limits::series_key_bytes;  // more than any definition takes
      if (bytes > limits::frame_bytes - limits::series_key_bytes) break;
      frame.series.push_back(dictionary.at(id));
    }
    scratch_.clear();
    link::encode(frame, scratch_);
    if (credit_ < scratch_.size()) return false;
    credit_ -= scratch_.size();
    series_sent_ += static_cast<model::SeriesId>(frame.series.size());
    outlet_.send(scratch_, now);
  }
  return true;
}

void Drain::note_sent(StreamDrain& stream, SeqRange range, size_t bytes, bool is_gap, Instant now) {
  if (const auto old = stream.in_flight.find(range.first); old != stream.in_flight.end()) forget_sent(stream, old);
  stream.in_flight.emplace(range.first, InFlight{range, bytes, is_gap, sent_order_.insert(sent_order_.end(), now)});
  ++in_flight_count_;
  in_flight_bytes_ += bytes;
}

void Drain::forget_sent(StreamDrain& stream, std::map<Seq, InFlight>::iterator entry) {
  in_flight_bytes_ -= entry->second.bytes;
  --in_flight_count_;
  sent_order_.erase(entry->second.sent_at);
  stream.in_flight.erase(entry);
}

// ---- Answers of the hub

Result<size_t> Drain::on_ack(const link::Ack& ack) {
  StreamDrain& stream = streams_[model::index_of(ack.stream)];
  for (const SeqRange& range : ack.ranges) {
    if (range.last >= stream.committed) return Error{ErrorCode::invalid, 0, "acknowledged numbers that were never sent"};
  }
  credit_ += ack.credit;
  const size_t before = in_flight_count_;
  for (const SeqRange& range : ack.ranges) {
    (void)stream.held.add(range, limits::cursor_ranges);
    outbox_.add_acknowledged(ack.stream, range);
    auto entry = stream.in_flight.lower_bound(range.first);
    while (entry != stream.in_flight.end() && entry->first <= range.last) {
      const auto next = std::next(entry);
      if (entry->second.range.last <= range.last) {
        if (!entry->second.is_gap) readings_acknowledged_ += entry->second.range.count();
        forget_sent(stream, entry);
      }
      entry = next;
    }
  }
  return before - in_flight_count_;
}

void Drain::on_nack(const link::Nack& nack, Instant now) {
  StreamDrain& stream = streams_[model::index_of(nack.stream)];
  const auto entry = stream.in_flight.find(nack.range.first);
  if (entry == stream.in_flight.end() || entry->second.range != nack.range) return;
  const bool is_gap = entry->second.is_gap;
  forget_sent(stream, entry);
  if (!nack.permanent || is_gap) {
    rewind(stream, nack.range.first, now + limits::nack_retry);
    return;
  }
  // The outbox records a gap in its place. Only what is recorded is declared, so it is read back, not made up here. A store that
  // could not set the block aside returns it again: it is left out until the next connection, and does not stop the stream.
  ++blocks_refused_;
  (void)stream.refused.add(nack.range, limits::gaps_per_stream);
  outbox_.set_aside(nack.stream, nack.range);
  rewind(stream, nack.range.first, now);
}

void Drain::rewind(StreamDrain& stream, Seq to, Instant retry_at) {
  for (Lane& lane : stream.lanes) {
    if (to >= lane.end || (lane.kind == link::Lane::live && to < stream.lanes[1].end)) continue;
    lane.next = std::min(lane.next, to);
    lane.retry_at = retry_at;
    lane.buffer.clear();
    lane.buffered_bytes = 0;
    if (stream.is_fetching && stream.fetching_lane == lane.kind) stream.is_stale = true;
  }
}

// ---- Questions

Instant Drain::next_wake() const {
  Instant wake = never;
  if (!is_active_) return wake;
  for (const StreamDrain& stream : streams_) {
    if (stream.is_fetching) {
      wake = std::min(wake, stream.fetch_deadline);
      continue;
    }
    for (const Lane& lane : stream.lanes) {
      if (lane.retry_at > Instant{} && wants_read(stream, lane, never)) wake = std::min(wake, lane.retry_at);
    }
  }
  return wake;
}

Instant Drain::oldest_sent() const { return sent_order_.empty() ? never : sent_order_.front(); }

bool Drain::is_synced() const {
  if (!is_active_ || in_flight_count_ > 0) return false;
  return std::all_of(streams_.begin(), streams_.end(), [&](const StreamDrain& stream) {
    return !stream.is_fetching &&
           std::all_of(stream.lanes.begin(), stream.lanes.end(), [&](const Lane& lane) {
             return lane.buffer.empty() && next_missing(stream, lane) >= std::min(lane.end, stream.committed);
           });
  });
}

size_t Drain::buffered_bytes() const {
  size_t bytes = 0;
  for (const StreamDrain& stream : streams_) bytes += stream.lanes[0].buffered_bytes + stream.lanes[1].buffered_bytes;
  return bytes;
}

std::array<Drain::LaneView, model::stream_count * 2> Drain::lanes() const {
  std::array<LaneView, model::stream_count * 2> views{};
  for (size_t i = 0; i < views.size(); ++i) {
    const StreamDrain& stream = streams_[i / 2];
    const Lane& lane = stream.lanes[i % 2];
    const bool is_done = !is_active_ || (lane.buffer.empty() && next_missing(stream, lane) >= std::min(lane.end, stream.committed));
    views[i] = {model::streams[i / 2], lane.kind, lane.next, lane.buffered_bytes, is_done};
  }
  return views;
}

}  // namespace tideline::agent
