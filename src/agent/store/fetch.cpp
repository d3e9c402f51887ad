// Store: reading back for the uplink, and what the hub says about it.

#include <algorithm>

#include "agent/store/store.hpp"
#include "base/limits.hpp"
#include "block/decoder.hpp"

namespace tideline::agent {

using model::index_of;
using model::Seq;
using model::Stream;

Fetched Store::fetch(Stream stream, Seq from, size_t max_bytes, Instant now) {
  Fetched out;
  Ring& segments = ring(stream);
  Seq seq = std::max<Seq>(from, 1);
  out.covered_to = seq - 1;
  for (size_t bytes = 0; seq < next(stream) && bytes < max_bytes && out.gaps.size() < limits::fetch_gaps; out.covered_to = seq - 1) {
    const GapList& gaps = state().of(stream).gaps;
    if (const model::Gap* gap = gaps.find(seq)) {
      out.gaps.push_back(*gap);
      seq = gap->range.last + 1;
      continue;
    }
    // Delivered and freed numbers are passed over.
    const model::Gap* next_gap = gaps.next_from(seq);
    const Seq end = next_gap != nullptr ? next_gap->range.first : next(stream);
    const size_t index = segments.index_at(seq);
    if (index == segments.segments().size() || segments.segments()[index].range.first >= end) {
      seq = end;
      continue;
    }
    model::StoredBlock block;
    block.stream = stream;
    const Status read = read_block(stream, index, seq, block);
    if (read && block.range.is_empty()) {  // behind the last row of a segment with holes
      seq = std::min(end, segments.segments()[index].range.last + 1);
    } else if (read && block.range.first >= end) {
      seq = end;
    } else if (read) {
      bytes += block.bytes.size();
      seq = block.range.last + 1;
      out.blocks.push_back(std::move(block));
    } else if (!is_damage(read.error()) || !quarantine(stream, segments.segments()[index].number, now)) {
      break;  // the disk is in trouble: the caller asks again
    }
  }
  return out;
}

Status Store::read_block(Stream stream, size_t index, Seq seq, model::StoredBlock& out) {
  out.range = {};
  ASSIGN_OR_RETURN(Segment* const segment, ring(stream).read(index, state().epoch));
  ASSIGN_OR_RETURN(const auto row, segment->find(seq));
  if (!row) return {};
  RETURN_IF_ERROR(segment->read_data(row->first, out.bytes));
  ASSIGN_OR_RETURN(const block::BlockView view, block::BlockView::open(out.bytes));
  if (view.range() != row->range() || view.meta().stream != stream) return Error{ErrorCode::corrupt, 0, "block does not belong to its row"};
  out.range = row->range();
  return {};
}

bool Store::is_damage(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::not_found || error.code == ErrorCode::unsupported ||
         error.code == ErrorCode::limit || error.code == ErrorCode::invalid;
}

void Store::set_acknowledged(Stream stream, const model::SeqRanges& ranges, Instant now) {
  model::SeqRanges& acknowledged = state().of(stream).acknowledged;
  acknowledged.clear();
  for (const model::SeqRange& range : ranges.ranges()) {
    // What the hub holds beyond our end is another history (rebase), not ours.
    if (!acknowledged.add({range.first, std::min(range.last, next(stream) - 1)}, limits::cursor_ranges)) break;
  }
  has_new_hints_ = true;
  free_history(now);
  refresh_stream(stream);
}

void Store::add_acknowledged(Stream stream, model::SeqRange range, Instant now) {
  range.last = std::min(range.last, next(stream) - 1);
  model::SeqRanges& acknowledged = state().of(stream).acknowledged;
  // One range too many is forgotten: the hub says it again in its next welcome.
  if (!acknowledged.add(range, limits::cursor_ranges)) return;
  has_new_hints_ = true;
  report_.streams[index_of(stream)].acknowledged = acknowledged;
  if (const Ring& segments = ring(stream); segments.segments().size() > 1) free_history(now);
}

Status Store::set_aside(Stream stream, model::SeqRange range, Instant now) {
  range.last = std::min(range.last, next(stream) - 1);
  const size_t index = ring(stream).index_at(range.first);
  if (range.is_empty() || index == ring(stream).segments().size()) return {};
  model::StoredBlock block;
  const Status read = read_block(stream, index, range.first, block);
  if (read && !block.range.is_empty()) {
    const Status kept = nacked_.add(stream, block.range, block.bytes, utc(now));
    if (!kept) log_warning(log_, "outbox", "a refused block could not be set aside (%s)", kept.error().context);
  }
  const SegmentSummary segment = ring(stream).segments()[index];
  model::Gap gap;
  gap.stream = stream;
  gap.range = range;
  gap.count = range.count();
  gap.reason = model::GapReason::refused;
  gap.from_ns = segment.time_min_ns;
  gap.to_ns = segment.time_max_ns;
  gap.declared_ns = utc(now);
  state().of(stream).gaps.add(gap);
  bound_gaps(stream, now);
  gaps_changed();
  const Status saved = save(StateDb::gaps);
  refresh_stream(stream);
  return saved;
}

}  // namespace tideline::agent
