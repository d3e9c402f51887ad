#include "hub/store/archive_intake.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

BlockVerdict refused(BlockVerdict verdict, const char* reason) {
  verdict.accepted = false;
  verdict.duplicate = false;
  verdict.reason = reason;
  return verdict;
}

const char* open_problem(const Error& error) {
  switch (error.code) {
    case ErrorCode::unsupported: return "block format is newer than this hub: update the hub";
    case ErrorCode::limit: return "block exceeds a limit";
    default: return "block is damaged";
  }
}

bool is_sendable(const model::SeqRange& range) {
  return range.first >= 1 && !range.is_empty() && range.last <= static_cast<uint64_t>(INT64_MAX);
}

}  // namespace

Status ArchiveIntake::open() {
  return prepare_all(
      database_,
      {
          {insert_block_, "INSERT INTO block(epoch, stream, first, count, incarnation, boot, quality, shift_ns, time_min_ns, time_max_ns, data) "
                          "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(epoch, stream, first) DO NOTHING"},
          // index: block_seq
          {select_block_count_, "SELECT count FROM block WHERE epoch = ? AND stream = ? AND first = ?"},
          // index: block_untimed (the literal 4 makes it usable); in slices, because updating moves rows out of it
          {select_untimed_, "SELECT id FROM block WHERE epoch = ? AND boot = ? AND quality < 4 AND quality < ? LIMIT 4096"},
          // index: primary key
          {select_block_, "SELECT stream, incarnation, data FROM block WHERE id = ?"},
          {update_time_, "UPDATE block SET quality = ?, shift_ns = ?, time_min_ns = ?, time_max_ns = ? WHERE id = ?"},
          // index: primary key (epoch, stream, first, last)
          {insert_gap_, "INSERT INTO gap(epoch, stream, first, last, count, reason, at_least, from_ns, to_ns, declared_ns) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT(epoch, stream, first, last) DO NOTHING"},
      });
}

Result<std::vector<BlockVerdict>> ArchiveIntake::apply(const IntakeBatch& batch) {
  std::vector<BlockVerdict> verdicts;
  verdicts.reserve(batch.blocks.size());
  if (!devices_.contains(batch.device) || batch.epoch.empty() || batch.epoch.size() > limits::device_id_bytes) {
    for (const model::StoredBlock& block : batch.blocks) verdicts.push_back(refused({block.stream, block.range, false, false, ""}, "device or epoch is not known"));
    return verdicts;
  }
  ASSIGN_OR_RETURN(EpochState* state, epochs_.load(batch.device, batch.epoch));
  RETURN_IF_ERROR(epochs_.store_epoch(*state));
  RETURN_IF_ERROR(epochs_.load_series(*state, batch.incarnation));
  ASSIGN_OR_RETURN(const char* series_problem, take_series(*state, batch));
  for (const model::Anchor& anchor : batch.anchors) RETURN_IF_ERROR(take_anchor(*state, anchor));
  RETURN_IF_ERROR(epochs_.load_series(*state, batch.incarnation));  // an anchor may have made it stale
  for (const model::StoredBlock& block : batch.blocks) {
    ASSIGN_OR_RETURN(BlockVerdict verdict, take_block(*state, batch, block, series_problem));
    verdicts.push_back(verdict);
  }
  for (const model::Gap& gap : batch.gaps) RETURN_IF_ERROR(take_gap(*state, gap));
  for (const HeldRun& run : batch.runs) epochs_.join_run(*state, run);
  if (batch.incarnation > state->incarnation) {
    state->incarnation = batch.incarnation;
    state->incarnation_is_dirty = true;
  }
  RETURN_IF_ERROR(latest_.save(*state));
  RETURN_IF_ERROR(epochs_.save(*state));
  return verdicts;
}

/// Null when the definitions are all held now, else why the blocks that came with them cannot be taken.
Result<const char*> ArchiveIntake::take_series(EpochState& state, const IntakeBatch& batch) {
  const char* const fine = nullptr;
  model::SeriesId id = batch.first_series;
  for (const model::Series& series : batch.series) {
    if (id > state.series.known) return "series definitions have a hole";
    if (id < state.series.known) {
      ASSIGN_OR_RETURN(const bool is_same, epochs_.is_same_series(state, batch.incarnation, id, series));
      if (!is_same) return "a series id has another definition here: the store needs a new incarnation";
    } else {
      if (!model::validate(series)) return "a series definition is invalid";
      if (id >= limits::series_per_device) return "more series than a device may have";
      RETURN_IF_ERROR(epochs_.add_series(state, series));
    }
    ++id;
  }
  return fine;
}

/// Only a better source replaces an anchor: a later one of the same source lies farther from the readings before it, and each
/// would rewrite all blocks of the boot.
Status ArchiveIntake::take_anchor(EpochState& state, const model::Anchor& anchor) {
  if (anchor.quality == model::TimeQuality::none) return {};
  const model::Anchor* known = state.anchor(anchor.boot_id);
  if (known != nullptr && anchor.quality <= known->quality) return {};
  RETURN_IF_ERROR(epochs_.put_anchor(state, anchor));
  return retime(state, anchor);
}

/// Cost: opens every block of the boot with a worse time, once per better source.
Status ArchiveIntake::retime(EpochState& state, const model::Anchor& anchor) {
  ASSIGN_OR_RETURN(std::set<ArchiveLatest::SeriesKey> touched, latest_.series_of_boot(state, anchor.boot_id, anchor.quality));
  bool has_moved = false;
  for (;;) {
    ASSIGN_OR_RETURN(const bool some, retime_some(state, anchor, touched));
    if (!some) break;
    has_moved = true;
  }
  if (!has_moved) return {};
  ++retimings_;
  return latest_.rebuild(state, touched);
}

Result<bool> ArchiveIntake::retime_some(EpochState& state, const model::Anchor& anchor, std::set<ArchiveLatest::SeriesKey>& touched) {
  std::vector<int64_t> ids;
  {
    select_untimed_.bind(1, state.id).bind(2, to_stored(anchor.boot_id)).bind(3, static_cast<int64_t>(anchor.quality));
    Rows rows(select_untimed_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      ids.push_back(select_untimed_.integer(0));
    }
  }
  for (const int64_t id : ids) RETURN_IF_ERROR(retime_block(state, id, anchor, touched));
  return !ids.empty();
}

Status ArchiveIntake::retime_block(EpochState& state, int64_t id, const model::Anchor& anchor, std::set<ArchiveLatest::SeriesKey>& touched) {
  int64_t shift = 0;
  TimeRange range{0, 0};  // of a block that cannot be read any more: it stays where nobody looks, verify() reports it
  {
    select_block_.bind(1, id);
    Rows rows(select_block_);
    ASSIGN_OR_RETURN(const bool known, rows.next());
    if (!known) return Error{ErrorCode::corrupt, 0, "block index names a missing block"};
    if (const auto view = block::BlockView::open(select_block_.blob(2))) {
      shift = subtract_saturated(anchor.offset_ns(), view->meta().utc_offset_ns);
      range = time_range(*view, shift);
      const auto stream = static_cast<model::Stream>(select_block_.integer(0));
      epochs_.note_span(state, stream, subtract_saturated(range.max_ns, range.min_ns));
      for (const block::Column& column : view->columns()) touched.emplace(static_cast<uint32_t>(select_block_.integer(1)), column.series);
    }
  }
  update_time_.bind(1, static_cast<int64_t>(anchor.quality)).bind(2, shift).bind(3, range.min_ns).bind(4, range.max_ns).bind(5, id);
  return update_time_.run();
}

Result<BlockVerdict> ArchiveIntake::take_block(EpochState& state, const IntakeBatch& batch, const model::StoredBlock& block, const char* series_problem) {
  BlockVerdict verdict{block.stream, block.range, false, false, ""};
  if (!is_sendable(block.range)) return refused(verdict, "sequence numbers are out of range");
  const model::SeqRanges& held = state.held[index_of(block.stream)];
  if (held.covers(block.range)) {
    verdict.accepted = true;
    verdict.duplicate = true;
    return verdict;
  }
  if (held.first_missing(block.range.first, block.range.last) != block.range) return refused(verdict, "block overlaps what is held");
  if (block.bytes.size() > limits::block_bytes) return refused(verdict, "block exceeds a limit");
  const auto view = block::BlockView::open(block.bytes);
  if (!view) return refused(verdict, open_problem(view.error()));
  if (view->meta().stream != block.stream || view->range() != block.range) return refused(verdict, "block is not what its frame says");
  if (series_problem != nullptr) return refused(verdict, series_problem);
  for (const block::Column& column : view->columns()) {
    if (column.series >= state.series.known) return refused(verdict, "block names a series that was not defined");
    if (!decoder_.decode(column, 0)) return refused(verdict, "block is damaged");
  }
  return store_block(state, batch, block, *view, verdict);
}

Result<BlockVerdict> ArchiveIntake::store_block(EpochState& state, const IntakeBatch& batch, const model::StoredBlock& block, const block::BlockView& view,
                                                BlockVerdict verdict) {
  model::SeqRanges& held = state.held[index_of(block.stream)];
  model::SeqRanges held_with = held;
  if (!held_with.add(block.range, limits::cursor_ranges)) return refused(verdict, "too many ranges: send older blocks first");
  const block::BlockMeta& meta = view.meta();
  ArchiveLatest::BlockTime time{0, meta.time_quality, meta.boot_id};
  if (const model::Anchor* anchor = state.anchor(meta.boot_id); anchor != nullptr && anchor->quality > meta.time_quality) {
    time.shift_ns = subtract_saturated(anchor->offset_ns(), meta.utc_offset_ns);
    time.quality = anchor->quality;
  }
  const TimeRange range = time_range(view, time.shift_ns);
  const auto stream = static_cast<int64_t>(block.stream);
  insert_block_.bind(1, state.id).bind(2, stream).bind(3, to_stored(block.range.first)).bind(4, int64_t{view.count()}).bind(5, int64_t{batch.incarnation});
  insert_block_.bind(6, to_stored(meta.boot_id)).bind(7, static_cast<int64_t>(time.quality)).bind(8, time.shift_ns).bind(9, range.min_ns).bind(10, range.max_ns);
  RETURN_IF_ERROR(insert_block_.bind(11, Bytes(block.bytes)).run());
  if (database_.changes() == 0) {
    // The table of held ranges forgot this block: damage. If the same numbers stand there it is a replay after all.
    select_block_count_.bind(1, state.id).bind(2, stream).bind(3, to_stored(block.range.first));
    Rows rows(select_block_count_);
    ASSIGN_OR_RETURN(const bool known, rows.next());
    if (!known || from_stored(select_block_count_.integer(0)) != block.range.count()) return refused(verdict, "block overlaps what is held");
    verdict.duplicate = true;
  }
  held = std::move(held_with);
  epochs_.note_run(state, meta.run_id, block.stream, block.range.last);
  epochs_.note_span(state, block.stream, subtract_saturated(range.max_ns, range.min_ns));
  for (const block::Column& column : view.columns()) {
    // The header decides first: backfill is older than what is known and is not decoded again.
    if (add_saturated(column.time_max_ns, shift_of(column, time.shift_ns)) < state.series.latest_ns[column.series]) continue;
    const auto decoded = decoder_.decode(column, time.shift_ns);
    if (decoded) latest_.offer(state, *decoded, time);
  }
  verdict.accepted = true;
  return verdict;
}

/// The record is kept in any case. Its numbers join what is held if a range is free for them (only a device that declares more
/// than limits::cursor_ranges separate gaps ahead of its data finds none): then it declares them again after its next hello.
Status ArchiveIntake::take_gap(EpochState& state, const model::Gap& gap) {
  if (!is_sendable(gap.range)) return {};
  insert_gap_.bind(1, state.id).bind(2, static_cast<int64_t>(gap.stream)).bind(3, to_stored(gap.range.first)).bind(4, to_stored(gap.range.last));
  insert_gap_.bind(5, to_stored(std::min(gap.count, static_cast<uint64_t>(INT64_MAX)))).bind(6, static_cast<int64_t>(gap.reason)).bind(7, int64_t{gap.at_least});
  insert_gap_.bind(8, gap.from_ns).bind(9, gap.to_ns).bind(10, gap.declared_ns);
  RETURN_IF_ERROR(insert_gap_.run());
  (void)state.held[index_of(gap.stream)].add(gap.range, 2 * limits::cursor_ranges);
  return {};
}

}  // namespace tideline::hub
