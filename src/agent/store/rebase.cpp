// Store: new numbers for readings whose old ones the hub knows as others (the device was restored from an older image).
//
// Segments are copied, the copies become valid together by one commit of state.db, then the originals go. A crash in between
// is finished by Recovery::finish_rebase().

#include <algorithm>

#include "agent/store/renumber.hpp"
#include "agent/store/store.hpp"
#include "base/limits.hpp"

namespace tideline::agent {

using model::Seq;
using model::SeqRange;
using model::Stream;

namespace {

/// Ranges below `from` stay; those above move up by `by`, or go when `by` is 0.
model::SeqRanges split(const model::SeqRanges& ranges, Seq from, uint64_t by) {
  model::SeqRanges out;
  for (const SeqRange& range : ranges.ranges()) {
    (void)out.add({range.first, std::min(range.last, from - 1)}, limits::cursor_ranges);
    if (by != 0 && range.last >= from) (void)out.add({std::max(range.first, from) + by, range.last + by}, limits::cursor_ranges);
  }
  return out;
}

}  // namespace

Status Store::rebase(Stream stream, Seq from, Seq next, Instant now) {
  if (report_.failed) return failure_;
  from = std::min(std::max<Seq>(from, 1), next_of(stream));
  if (next <= from) {
    // No reading moves, but the hub asks for a new incarnation (the series dictionaries have parted).
    ++state().incarnation;
    refresh_status();
    return save(StateDb::identity);
  }
  Ring& segments = ring(stream);
  if (segments.has_active()) {
    if (segments.segments().back().readings != 0) {
      RETURN_IF_ERROR(segments.seal_active());
    } else {
      RETURN_IF_ERROR(segments.remove(segments.segments().size() - 1));
    }
  }
  RebaseJournal journal{.is_active = true, .is_copied = false, .stream = stream, .from = from, .next = next};
  const size_t first_old = segments.index_at(from);
  const size_t old_count = segments.segments().size() - first_old;
  journal.last_old_segment = state().of(stream).segment;
  journal.first_old_segment = old_count == 0 ? journal.last_old_segment + 1 : segments.segments()[first_old].number;
  state().rebase = journal;
  RETURN_IF_ERROR(save(StateDb::identity));
  const Status copied = old_count == 0 ? Status{} : copy_renumbered(stream, first_old, old_count);
  if (!copied) {
    while (segments.segments().size() > first_old + old_count) RETURN_IF_ERROR(segments.remove(segments.segments().size() - 1));
    state().rebase = {};
    RETURN_IF_ERROR(save(StateDb::identity));
    return copied;
  }
  return commit_rebase(stream, first_old, old_count, now);
}

Status Store::copy_renumbered(Stream stream, size_t first_old, size_t old_count) {
  Ring& segments = ring(stream);
  const RebaseJournal journal = state().rebase;
  ByteBuffer data;
  for (size_t i = first_old; i < first_old + old_count; ++i) {
    const SeqRange range = segments.segments()[i].range;
    for (Seq seq = range.first; seq <= range.last;) {
      ASSIGN_OR_RETURN(Segment* const from, segments.read(i, state().epoch));
      ASSIGN_OR_RETURN(const auto row, from->find(seq));
      if (!row) break;
      seq = row->range().last + 1;
      RETURN_IF_ERROR(from->read_data(row->first, data));
      ASSIGN_OR_RETURN(const std::vector<ByteBuffer> blocks, renumber_block(data, journal.from, journal.next));
      std::vector<BlockRow> rows;
      std::vector<bool> used;
      for (const ByteBuffer& bytes : blocks) {
        ASSIGN_OR_RETURN(const block::BlockView view, block::BlockView::open(bytes));
        rows.push_back(row_of(view, bytes));
        note_series(view, used);
      }
      used.resize(std::min<size_t>(used.size(), dictionary().size()));
      if (!segments.has_active()) RETURN_IF_ERROR(start_segment(stream));
      RETURN_IF_ERROR(segments.append(rows, used, dictionary()));
      if (segments.segments().back().bytes >= options_.segment_bytes) RETURN_IF_ERROR(segments.seal_active());
    }
  }
  return {};
}

Status Store::commit_rebase(Stream stream, size_t first_old, size_t old_count, Instant now) {
  const RebaseJournal journal = state().rebase;
  const uint64_t by = journal.next - journal.from;
  StreamMemory& memory = state().of(stream);
  memory.gaps.shift(journal.from, by);
  memory.acknowledged = split(memory.acknowledged, journal.from, 0);
  memory.released = split(memory.released, journal.from, by);
  model::Gap gap;
  gap.stream = stream;
  gap.range = {journal.from, journal.next - 1};
  gap.reason = model::GapReason::rollback;
  gap.declared_ns = utc(now);
  memory.gaps.add(gap);
  for (model::Run& run : state().runs) {
    Seq& first = run.first[model::index_of(stream)];
    if (first >= journal.from) first += by;
  }
  next_of(stream) += by;
  memory.next_least = next(stream);
  ++state().incarnation;
  state().rebase.is_copied = true;
  ++numbering_;
  gaps_changed();
  const Status saved = save(StateDb::identity | StateDb::runs | StateDb::gaps | StateDb::streams);
  if (!saved) {
    // Memory is ahead of the disk now; reopening writes it.
    fail(saved.error(), now);
    return saved;
  }
  for (size_t i = 0; i < old_count; ++i) RETURN_IF_ERROR(ring(stream).remove(first_old));
  state().rebase = {};
  refresh_stream(stream);
  refresh_status();
  return save(StateDb::identity);
}

}  // namespace tideline::agent
