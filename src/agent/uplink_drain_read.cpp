// Reading ahead: what is asked of the outbox, and what its answers put into the lanes.
#include <algorithm>

#include "agent/uplink_drain.hpp"
#include "base/limits.hpp"

namespace tideline::agent {

using model::Seq;
using model::SeqRange;

Seq Drain::next_missing(const StreamDrain& stream, const Lane& lane) const {
  const Seq end = std::min(lane.end, stream.committed);
  if (lane.next >= end) return end;
  const SeqRange missing = stream.held.first_missing(lane.next, end - 1);
  return missing.is_empty() ? end : missing.first;
}

bool Drain::wants_read(const StreamDrain& stream, const Lane& lane, Instant now) const {
  return lane.buffered_bytes < limits::uplink_buffer_bytes && lane.retry_at <= now &&
         next_missing(stream, lane) < std::min(lane.end, stream.committed);
}

/// One read at a time per stream: of the lanes that want one, the emptier; on a tie the other than the last time.
void Drain::refill(StreamDrain& stream, Instant now) {
  if (stream.is_fetching && now >= stream.fetch_deadline) stream.is_fetching = false;  // never answered
  if (stream.is_fetching) return;
  size_t ahead = 0;  // read ahead for this class and those before it: a lower class does not add to a full buffer
  for (const StreamDrain& other : streams_) {
    if (other.stream <= stream.stream) ahead += other.lanes[0].buffered_bytes + other.lanes[1].buffered_bytes;
  }
  if (stream.stream != model::Stream::critical && ahead >= 3 * limits::uplink_buffer_bytes) return;
  Lane* best = nullptr;
  for (Lane& lane : stream.lanes) {
    if (!wants_read(stream, lane, now)) continue;
    if (best == nullptr || lane.buffered_bytes < best->buffered_bytes ||
        (lane.buffered_bytes == best->buffered_bytes && best->kind == stream.fetching_lane)) {
      best = &lane;
    }
  }
  if (best == nullptr) return;
  best->next = next_missing(stream, *best);
  stream.is_fetching = true;
  stream.is_stale = false;
  stream.fetching_lane = best->kind;
  stream.fetch_from = best->next;
  stream.fetch_deadline = now + limits::fetch_deadline;
  outbox_.fetch(stream.stream, best->next, limits::uplink_fetch_bytes);
}

void Drain::on_fetched(model::Stream stream_name, Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                       Seq covered_to, Instant now) {
  StreamDrain& stream = streams_[model::index_of(stream_name)];
  if (!stream.is_fetching) return;
  const bool is_wanted = is_active_ && !stream.is_stale && from == stream.fetch_from;
  stream.is_fetching = false;
  stream.is_stale = false;
  if (!is_wanted) return;
  Lane& lane = stream.lanes[static_cast<size_t>(stream.fetching_lane)];
  if (covered_to < from) {  // nothing could be read although it was committed: the disk is in trouble or the commit is not visible yet
    lane.retry_at = now + limits::fetch_retry;
    return;
  }
  Seq position = from;
  size_t block = 0;
  size_t gap = 0;
  while (block < blocks.size() || gap < gaps.size()) {
    if (gap == gaps.size() || (block < blocks.size() && blocks[block].range.first <= gaps[gap].range.first)) {
      take(stream, lane, {blocks[block].range, std::move(blocks[block].bytes), {}}, position);
      ++block;
    } else {
      take(stream, lane, {gaps[gap].range, {}, gaps[gap]}, position);
      ++gap;
    }
  }
  const Seq end = std::min({lane.end, stream.committed, covered_to + 1});
  if (position < end) declare_hole(stream, lane, {position, end - 1});
  lane.next = std::max(end, from);
}

/// `position` is the first number not yet accounted for in this read.
void Drain::take(StreamDrain& stream, Lane& lane, Item&& item, Seq& position) {
  const Seq end = std::min(lane.end, stream.committed);
  if (item.range.is_empty() || item.range.last < position || item.range.first >= end) return;
  if (item.range.first > position) declare_hole(stream, lane, {position, item.range.first - 1});
  position = item.range.last + 1;
  push(stream, lane, std::move(item));
}

/// Neither held here nor in a gap record: it was delivered and deleted, and now the hub does not hold it.
void Drain::declare_hole(StreamDrain& stream, Lane& lane, SeqRange hole) {
  while (!hole.is_empty()) {
    const SeqRange missing = stream.held.first_missing(hole.first, hole.last);
    if (missing.is_empty()) return;
    model::Gap gap;
    gap.stream = stream.stream;
    gap.range = missing;
    gap.count = missing.count();
    gap.reason = model::GapReason::hub_rollback;
    push(stream, lane, {missing, {}, gap});
    hole.first = missing.last + 1;
  }
}

void Drain::push(StreamDrain& stream, Lane& lane, Item&& item) {
  if (stream.held.covers(item.range) || is_in_flight(stream, item.range)) return;
  if (!item.is_gap() && stream.refused.covers(item.range)) return;
  lane.buffered_bytes += item.bytes.size() + sizeof(Item);
  lane.buffer.push_back(std::move(item));
}

bool Drain::is_in_flight(const StreamDrain& stream, SeqRange range) const {
  const auto after = stream.in_flight.upper_bound(range.first);
  return after != stream.in_flight.begin() && std::prev(after)->second.range.last >= range.last;
}

}  // namespace tideline::agent
