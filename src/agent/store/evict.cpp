// Store: what goes when there is no room, and the records that say so.

#include <algorithm>

#include "agent/store/store.hpp"
#include "base/limits.hpp"

namespace tideline::agent {

using model::GapReason;
using model::index_of;
using model::Seq;
using model::SeqRange;
using model::Stream;

namespace {

/// Who goes first.
constexpr Stream eviction_order[] = {Stream::bulk, Stream::normal, Stream::critical};

}  // namespace

uint64_t Store::segment_bytes() const {
  uint64_t sum = 0;
  for (const Ring& segments : rings_) sum += segments.bytes();
  return sum;
}

Status Store::make_room(uint64_t bytes, Instant now) {
  while (segment_bytes() + bytes > options_.store_bytes) {
    if (!evict_one(now)) return Error{ErrorCode::full, 0, "quota of the store"};
  }
  space_.check(now);
  if (!space_.is_low()) {
    room_credit_ = 0;
    return {};
  }
  // Other programs may have taken the space: give up as much as is needed, so that the store does not grow, but do not
  // throw a backlog away for them.
  while (room_credit_ < bytes) {
    const uint64_t before = segment_bytes();
    if (!evict_one(now)) return Error{ErrorCode::full, 0, "free space on the file system"};
    room_credit_ += before - segment_bytes();
  }
  return {};  // commits use the credit up
}

bool Store::evict_one(Instant now) {
  for (const bool only_delivered : {true, false}) {
    for (const Stream stream : eviction_order) {
      const auto& segments = ring(stream).segments();
      for (size_t i = 0; i < segments.size(); ++i) {
        if (segments[i].readings == 0 || (only_delivered && !is_delivered(stream, segments[i].range))) continue;
        return evict(stream, i, now).has_value();
      }
    }
  }
  return false;
}

Status Store::evict(Stream stream, size_t index, Instant now) {
  Ring& segments = ring(stream);
  const SegmentSummary victim = segments.segments()[index];
  declare_missing(stream, victim.range, GapReason::evicted, victim.time_min_ns, victim.time_max_ns, now);
  bound_gaps(stream, now);
  if (index + 1 == segments.segments().size()) note_end(stream);
  RETURN_IF_ERROR(save(StateDb::gaps | StateDb::streams));  // I2
  gaps_changed();
  RETURN_IF_ERROR(segments.remove(index));
  refresh_stream(stream);
  return {};
}

void Store::free_history(Instant now) {
  const uint64_t kept = space_.is_low() ? 0 : options_.history_bytes;
  uint64_t delivered = 0;
  for (const Stream stream : model::streams) {  // the history of critical readings is worth more
    Ring& segments = ring(stream);
    for (size_t i = segments.segments().size(); i-- > 0;) {
      const SegmentSummary& segment = segments.segments()[i];
      if (!segment.sealed || segment.readings == 0 || !is_delivered(stream, segment.range)) continue;
      delivered += segment.bytes;
      if (delivered > kept && !evict(stream, i, now)) return;
    }
  }
}

bool Store::is_delivered(Stream stream, SeqRange range) const {
  const StreamMemory& memory = state().of(stream);
  while (!range.is_empty()) {
    const SeqRange missing = memory.acknowledged.first_missing(range.first, range.last);
    if (missing.is_empty()) return true;
    const model::Gap* gap = memory.gaps.find(missing.first);
    if (gap == nullptr) return false;
    range.first = gap->range.last + 1;
  }
  return true;
}

void Store::declare_missing(Stream stream, SeqRange range, GapReason reason, int64_t from_ns, int64_t to_ns, Instant now) {
  StreamMemory& memory = state().of(stream);
  while (!range.is_empty()) {
    if (const model::Gap* known = memory.gaps.find(range.first)) {
      range.first = known->range.last + 1;
      continue;
    }
    const model::Gap* next_gap = memory.gaps.next_from(range.first);
    const Seq end = next_gap == nullptr ? range.last : std::min(range.last, next_gap->range.first - 1);
    SeqRange part = memory.released.first_missing(range.first, end);
    range.first = end + 1;
    if (part.is_empty()) continue;
    range.first = part.last + 1;
    const SeqRange lost = memory.acknowledged.first_missing(part.first, part.last);
    if (lost.is_empty() || lost.first > part.first) {
      if (!lost.is_empty()) part.last = lost.first - 1;
      range.first = part.last + 1;
      if (memory.released.add(part, limits::cursor_ranges)) continue;
      // Too many pieces to remember: a gap record says "missing" as well, only less exactly.
    } else {
      part = lost;
      range.first = part.last + 1;
    }
    model::Gap gap;
    gap.stream = stream;
    gap.range = part;
    gap.count = part.count();
    gap.reason = reason;
    gap.from_ns = from_ns;
    gap.to_ns = to_ns;
    gap.declared_ns = utc(now);
    memory.gaps.add(gap);
  }
}

std::vector<SeqRange> Store::held_ranges(Stream stream) {
  std::vector<SeqRange> held;
  Ring& segments = ring(stream);
  for (size_t i = 0; i < segments.segments().size(); ++i) {
    const SegmentSummary& segment = segments.segments()[i];
    if (segment.readings == 0) continue;
    if (segment.readings == segment.range.count()) {
      held.push_back(segment.range);
      continue;
    }
    // Salvaged: the holes are between its rows.
    const auto opened = segments.read(i, state().epoch);
    if (!opened) continue;
    for (Seq seq = segment.range.first; seq <= segment.range.last;) {
      const auto row = (*opened)->find(seq);
      if (!row || !row->has_value()) break;
      held.push_back((*row)->range());
      seq = (*row)->range().last + 1;
    }
  }
  return held;
}

void Store::declare_holes(Stream stream, GapReason reason, Instant now) {
  const Ring& segments = ring(stream);
  const auto time_before = [&](Seq seq) {
    int64_t time = 0;
    for (const SegmentSummary& segment : segments.segments()) {
      if (segment.readings != 0 && segment.range.last < seq) time = segment.time_max_ns;
    }
    return time;
  };
  const auto time_after = [&](Seq seq) {
    const size_t index = segments.index_at(seq);
    return index < segments.segments().size() ? segments.segments()[index].time_min_ns : 0;
  };
  Seq from = 1;
  std::vector<SeqRange> held = held_ranges(stream);
  held.push_back({next(stream), next(stream)});
  for (const SeqRange& range : held) {
    if (range.first > from) declare_missing(stream, {from, range.first - 1}, reason, time_before(from), time_after(range.first), now);
    from = std::max(from, range.last + 1);
  }
  bound_gaps(stream, now);
  gaps_changed();
}

void Store::bound_gaps(Stream stream, Instant now) {
  StreamMemory& memory = state().of(stream);
  Ring& segments = ring(stream);
  const auto is_held = [&](SeqRange range) { return segments.holds_any(range); };
  while (memory.gaps.is_over_limit()) {
    if (memory.gaps.merge_oldest(is_held)) continue;
    // Every record is alone among readings that are held (a hub that refuses many blocks, an overrun every few seconds): the
    // oldest segment joins them. An active one is sealed first, by the commit under way.
    if (segments.segments().empty() || !segments.segments().front().sealed) return;
    const SegmentSummary victim = segments.segments().front();
    declare_missing(stream, victim.range, GapReason::evicted, victim.time_min_ns, victim.time_max_ns, now);
    const auto is_held_elsewhere = [&](SeqRange range) {
      range.first = std::max(range.first, victim.range.last + 1);
      return !range.is_empty() && segments.holds_any(range);
    };
    while (memory.gaps.is_over_limit() && memory.gaps.merge_oldest(is_held_elsewhere)) {
    }
    if (!save(StateDb::gaps | StateDb::streams) || !segments.remove(0)) return;
  }
}

}  // namespace tideline::agent
