#include "hub/store/archive_epochs.hpp"

#include <algorithm>
#include <cassert>

#include "base/limits.hpp"
#include "hub/store/archive_sql.hpp"
#include "link/codec.hpp"

namespace tideline::hub {
namespace {

std::string cache_key(DeviceKey device, const std::string& name) { return std::to_string(device) + ' ' + name; }

size_t weight(const EpochState& state) {
  size_t bytes = 512 + state.runs.size() * sizeof(HeldRun) + state.anchors.size() * sizeof(model::Anchor) + state.series.latest_ns.size() * 8;
  for (const model::SeqRanges& held : state.held) bytes += held.ranges().size() * 2 * sizeof(model::SeqRange);
  return bytes;
}

}  // namespace

std::string labels_text(const model::Series& series) {
  std::string text;
  for (const auto& [name, value] : series.labels) {
    if (!text.empty()) text += ',';
    text += name + "=" + value;
  }
  return text;
}

Result<model::Series> read_series(const sqlite::Statement& row, int first_column) {
  model::Series series;
  series.name = row.text(first_column);
  std::string_view labels = row.text(first_column + 1);
  while (!labels.empty()) {
    const size_t comma = std::min(labels.find(','), labels.size());
    const size_t equals = labels.find('=');
    if (equals == std::string_view::npos || equals > comma) return Error{ErrorCode::corrupt, 0, "series labels in the archive"};
    series.labels.emplace_back(labels.substr(0, equals), labels.substr(equals + 1, comma - equals - 1));
    labels.remove_prefix(std::min(comma + 1, labels.size()));
  }
  series.unit = row.text(first_column + 2);
  const int64_t kind = row.integer(first_column + 3);
  const int64_t stream = row.integer(first_column + 4);
  if (kind < 0 || kind > int64_t(model::Kind::event) || stream < 0 || stream >= int64_t{model::stream_count}) {
    return Error{ErrorCode::corrupt, 0, "series kind or class in the archive"};
  }
  series.kind = static_cast<model::Kind>(kind);
  series.stream = static_cast<model::Stream>(stream);
  return series;
}

const model::Anchor* EpochState::anchor(uint64_t boot_id) const {
  const auto found = std::find_if(anchors.rbegin(), anchors.rend(), [&](const model::Anchor& known) { return known.boot_id == boot_id; });
  return found == anchors.rend() ? nullptr : &*found;
}

Status ArchiveEpochs::open() {
  return prepare_all(
      database_,
      {
          // index: unique (device, name)
          {select_epoch_, "SELECT id, incarnation FROM epoch WHERE device = ? AND name = ?"},
          {insert_epoch_, "INSERT INTO epoch(device, name, incarnation) VALUES(?, ?, ?) RETURNING id"},
          // index: primary key, here and in all that follow, by prefix or in full
          {update_incarnation_, "UPDATE epoch SET incarnation = ? WHERE id = ?"},
          {select_held_, "SELECT stream, first, last FROM held WHERE epoch = ? ORDER BY stream, first"},
          {delete_held_, "DELETE FROM held WHERE epoch = ? AND stream = ?"},
          {insert_held_, "INSERT INTO held(epoch, stream, first, last) VALUES(?, ?, ?, ?)"},
          {update_held_, "UPDATE held SET last = ? WHERE epoch = ? AND stream = ? AND first = ?"},
          {select_spans_, "SELECT stream, span_ns FROM span WHERE epoch = ?"},
          {put_span_, "INSERT INTO span(epoch, stream, span_ns) VALUES(?, ?, ?) ON CONFLICT(epoch, stream) DO UPDATE SET span_ns = excluded.span_ns"},
          {select_runs_, "SELECT run, place, first_critical, first_normal, first_bulk, highest_critical, highest_normal, highest_bulk FROM run WHERE epoch = ? ORDER BY place"},
          {put_run_, "INSERT INTO run(epoch, run, place, first_critical, first_normal, first_bulk, highest_critical, highest_normal, highest_bulk) "
                     "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(epoch, run) DO UPDATE SET first_critical = excluded.first_critical, "
                     "first_normal = excluded.first_normal, first_bulk = excluded.first_bulk, "
                     "highest_critical = excluded.highest_critical, highest_normal = excluded.highest_normal, highest_bulk = excluded.highest_bulk"},
          {delete_run_, "DELETE FROM run WHERE epoch = ? AND run = ?"},
          {select_anchors_, "SELECT boot, place, mono_ns, utc_ns, error_ns, quality FROM anchor WHERE epoch = ? ORDER BY place"},
          {put_anchor_, "INSERT INTO anchor(epoch, boot, place, mono_ns, utc_ns, error_ns, quality) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(epoch, boot) DO UPDATE SET "
                        "mono_ns = excluded.mono_ns, utc_ns = excluded.utc_ns, error_ns = excluded.error_ns, quality = excluded.quality"},
          {delete_anchor_, "DELETE FROM anchor WHERE epoch = ? AND boot = ?"},
          {select_series_, "SELECT name, labels, unit, kind, stream FROM series WHERE epoch = ? AND incarnation = ? ORDER BY id"},
          {select_one_series_, "SELECT name, labels, unit, kind, stream FROM series WHERE epoch = ? AND incarnation = ? AND id = ?"},
          {insert_series_, "INSERT INTO series(epoch, incarnation, id, name, labels, unit, kind, stream) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"},
          {select_latest_times_, "SELECT series, time_ns FROM latest WHERE epoch = ? AND incarnation = ?"},
      });
}

Result<EpochState*> ArchiveEpochs::load(DeviceKey device, const std::string& name) {
  const std::string key = cache_key(device, name);
  if (const auto found = index_.find(key); found != index_.end()) {
    states_.splice(states_.begin(), states_, found->second);
    return &states_.front();
  }
  EpochState state;
  state.device = device;
  state.name = name;
  {
    select_epoch_.bind(1, device).bind(2, name);
    Rows rows(select_epoch_);
    ASSIGN_OR_RETURN(const bool known, rows.next());
    if (known) {
      state.id = select_epoch_.integer(0);
      state.incarnation = static_cast<uint32_t>(select_epoch_.integer(1));
    }
  }
  if (state.id != 0) {
    RETURN_IF_ERROR(load_held(state));
    RETURN_IF_ERROR(load_runs(state));
    RETURN_IF_ERROR(load_anchors(state));
  }
  states_.push_front(std::move(state));
  index_.emplace(key, states_.begin());
  return &states_.front();
}

Status ArchiveEpochs::load_held(EpochState& state) {
  {
    select_held_.bind(1, state.id);
    Rows rows(select_held_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      const int64_t stream = select_held_.integer(0);
      const model::SeqRange range{from_stored(select_held_.integer(1)), from_stored(select_held_.integer(2))};
      if (stream < 0 || stream >= int64_t{model::stream_count} || !state.held[stream].add(range, SIZE_MAX)) return Error{ErrorCode::corrupt, 0, "held ranges"};
    }
  }
  for (size_t i = 0; i < model::stream_count; ++i) state.saved_held[i] = state.held[i];
  select_spans_.bind(1, state.id);
  Rows rows(select_spans_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return {};
    const int64_t stream = select_spans_.integer(0);
    if (stream >= 0 && stream < int64_t{model::stream_count}) state.span_ns[stream] = select_spans_.integer(1);
  }
}

Status ArchiveEpochs::load_runs(EpochState& state) {
  select_runs_.bind(1, state.id);
  Rows rows(select_runs_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return {};
    HeldRun run;
    run.id = from_stored(select_runs_.integer(0));
    state.next_run_place = select_runs_.integer(1) + 1;
    for (int i = 0; i < int{model::stream_count}; ++i) {
      run.first[i] = from_stored(select_runs_.integer(2 + i));
      run.highest[i] = from_stored(select_runs_.integer(2 + int{model::stream_count} + i));
    }
    state.runs.push_back(run);
  }
}

Status ArchiveEpochs::load_anchors(EpochState& state) {
  select_anchors_.bind(1, state.id);
  Rows rows(select_anchors_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return {};
    state.next_anchor_place = select_anchors_.integer(1) + 1;
    state.anchors.push_back({from_stored(select_anchors_.integer(0)), select_anchors_.integer(2), select_anchors_.integer(3), select_anchors_.integer(4),
                             static_cast<model::TimeQuality>(select_anchors_.integer(5))});
  }
}

Status ArchiveEpochs::load_series(EpochState& state, uint32_t incarnation) {
  if (state.series.is_loaded && state.series.incarnation == incarnation) return {};
  SeriesIndex index;
  index.incarnation = incarnation;
  {
    select_series_.bind(1, state.id).bind(2, int64_t{incarnation});
    Rows rows(select_series_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      ASSIGN_OR_RETURN(const model::Series series, read_series(select_series_, 0));
      index.hash = link::series_hash(series, index.hash);
      ++index.known;
    }
  }
  index.latest_ns.assign(index.known, INT64_MIN);
  select_latest_times_.bind(1, state.id).bind(2, int64_t{incarnation});
  Rows rows(select_latest_times_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) break;
    const int64_t id = select_latest_times_.integer(0);
    if (id >= 0 && id < int64_t{index.known}) index.latest_ns[static_cast<size_t>(id)] = select_latest_times_.integer(1);
  }
  index.is_loaded = true;
  state.series = std::move(index);
  return {};
}

Status ArchiveEpochs::store_epoch(EpochState& state) {
  if (state.id != 0) return {};
  insert_epoch_.bind(1, state.device).bind(2, state.name).bind(3, int64_t{state.incarnation});
  Rows rows(insert_epoch_);
  ASSIGN_OR_RETURN(const bool row, rows.next());
  if (!row) return Error{ErrorCode::corrupt, 0, "epoch row"};
  state.id = insert_epoch_.integer(0);
  return {};
}

Status ArchiveEpochs::add_series(EpochState& state, const model::Series& series) {
  SeriesIndex& index = state.series;
  assert(index.is_loaded && state.id != 0);
  const std::string labels = labels_text(series);
  insert_series_.bind(1, state.id).bind(2, int64_t{index.incarnation}).bind(3, int64_t{index.known}).bind(4, series.name).bind(5, labels);
  insert_series_.bind(6, series.unit).bind(7, static_cast<int64_t>(series.kind)).bind(8, static_cast<int64_t>(series.stream));
  RETURN_IF_ERROR(insert_series_.run());
  index.hash = link::series_hash(series, index.hash);
  index.latest_ns.push_back(INT64_MIN);
  ++index.known;
  return {};
}

Result<bool> ArchiveEpochs::is_same_series(EpochState& state, uint32_t incarnation, model::SeriesId id, const model::Series& series) {
  select_one_series_.bind(1, state.id).bind(2, int64_t{incarnation}).bind(3, int64_t{id});
  Rows rows(select_one_series_);
  ASSIGN_OR_RETURN(const bool known, rows.next());
  if (!known) return false;
  ASSIGN_OR_RETURN(const model::Series held, read_series(select_one_series_, 0));
  return held == series;
}

void ArchiveEpochs::note_run(EpochState& state, uint64_t run, model::Stream stream, model::Seq highest) {
  HeldRun noted;
  noted.id = run;
  noted.highest[index_of(stream)] = highest;
  join_run(state, noted);
}

void ArchiveEpochs::join_run(EpochState& state, const HeldRun& claim) {
  auto found = std::find_if(state.runs.rbegin(), state.runs.rend(), [&](const HeldRun& known) { return known.id == claim.id; });
  bool is_changed = found == state.runs.rend();
  if (is_changed) {
    state.runs.push_back({claim.id, {}, {}});
    found = state.runs.rbegin();
  }
  for (size_t i = 0; i < model::stream_count; ++i) {
    const model::Seq first = claim.first[i] != 0 ? claim.first[i] : found->first[i];
    const model::Seq highest = std::max(claim.highest[i], found->highest[i]);
    is_changed = is_changed || first != found->first[i] || highest != found->highest[i];
    found->first[i] = first;
    found->highest[i] = highest;
  }
  if (!is_changed) return;
  if (std::find(state.dirty_runs.begin(), state.dirty_runs.end(), claim.id) == state.dirty_runs.end()) state.dirty_runs.push_back(claim.id);
}

void ArchiveEpochs::note_span(EpochState& state, model::Stream stream, int64_t span_ns) {
  if (span_ns <= state.span_ns[index_of(stream)]) return;
  state.span_ns[index_of(stream)] = span_ns;
  state.span_is_dirty[index_of(stream)] = true;
}

Status ArchiveEpochs::put_anchor(EpochState& state, const model::Anchor& anchor) {
  const auto found = std::find_if(state.anchors.begin(), state.anchors.end(), [&](const model::Anchor& known) { return known.boot_id == anchor.boot_id; });
  if (found != state.anchors.end()) {
    *found = anchor;
  } else {
    if (state.anchors.size() >= limits::anchors) {
      RETURN_IF_ERROR(delete_anchor_.bind(1, state.id).bind(2, to_stored(state.anchors.front().boot_id)).run());
      state.anchors.erase(state.anchors.begin());
    }
    state.anchors.push_back(anchor);
  }
  put_anchor_.bind(1, state.id).bind(2, to_stored(anchor.boot_id)).bind(3, state.next_anchor_place++).bind(4, anchor.mono_ns).bind(5, anchor.utc_ns);
  return put_anchor_.bind(6, anchor.error_ns).bind(7, static_cast<int64_t>(anchor.quality)).run();
}

Status ArchiveEpochs::save(EpochState& state) {
  if (state.incarnation_is_dirty) RETURN_IF_ERROR(update_incarnation_.bind(1, int64_t{state.incarnation}).bind(2, state.id).run());
  state.incarnation_is_dirty = false;
  for (const model::Stream stream : model::streams) {
    RETURN_IF_ERROR(save_held(state, stream));
    bool& is_dirty = state.span_is_dirty[index_of(stream)];
    if (is_dirty) RETURN_IF_ERROR(put_span_.bind(1, state.id).bind(2, static_cast<int64_t>(stream)).bind(3, state.span_ns[index_of(stream)]).run());
    is_dirty = false;
  }
  return save_runs(state);
}

/// Most often one range grew at its end: one row is rewritten. Anything else rewrites them all (at most cursor_ranges).
Status ArchiveEpochs::save_held(EpochState& state, model::Stream stream) {
  const auto& now = state.held[index_of(stream)];
  auto& saved = state.saved_held[index_of(stream)];
  if (now == saved) return {};
  const bool same_firsts = std::equal(now.ranges().begin(), now.ranges().end(), saved.ranges().begin(), saved.ranges().end(),
                                      [](const model::SeqRange& a, const model::SeqRange& b) { return a.first == b.first; });
  const auto number = static_cast<int64_t>(stream);
  if (!same_firsts) RETURN_IF_ERROR(delete_held_.bind(1, state.id).bind(2, number).run());
  for (size_t i = 0; i < now.ranges().size(); ++i) {
    const model::SeqRange& range = now.ranges()[i];
    if (!same_firsts) {
      RETURN_IF_ERROR(insert_held_.bind(1, state.id).bind(2, number).bind(3, to_stored(range.first)).bind(4, to_stored(range.last)).run());
    } else if (range != saved.ranges()[i]) {
      RETURN_IF_ERROR(update_held_.bind(1, to_stored(range.last)).bind(2, state.id).bind(3, number).bind(4, to_stored(range.first)).run());
    }
  }
  saved = now;
  return {};
}

Status ArchiveEpochs::save_runs(EpochState& state) {
  for (const uint64_t id : state.dirty_runs) {
    const auto run = std::find_if(state.runs.rbegin(), state.runs.rend(), [&](const HeldRun& known) { return known.id == id; });
    put_run_.bind(1, state.id).bind(2, to_stored(id)).bind(3, state.next_run_place++);
    for (int i = 0; i < int{model::stream_count}; ++i) {
      put_run_.bind(4 + i, to_stored(run->first[i]));
      put_run_.bind(4 + int{model::stream_count} + i, to_stored(run->highest[i]));
    }
    RETURN_IF_ERROR(put_run_.run());
  }
  state.dirty_runs.clear();
  while (state.runs.size() > limits::held_runs) {
    RETURN_IF_ERROR(delete_run_.bind(1, state.id).bind(2, to_stored(state.runs.front().id)).run());
    state.runs.erase(state.runs.begin());
  }
  return {};
}

void ArchiveEpochs::trim() {
  if (states_.size() < trim_at_) return;  // it looks at all of them: not after every batch
  size_t bytes = 0;
  for (auto at = states_.begin(); at != states_.end();) {
    bytes += weight(*at);
    if (bytes <= limits::archive_cache_bytes) {
      ++at;
      continue;
    }
    index_.erase(cache_key(at->device, at->name));
    at = states_.erase(at);
  }
  trim_at_ = states_.size() + 256;
}

void ArchiveEpochs::forget_all() {
  states_.clear();
  index_.clear();
  trim_at_ = 0;
}

}  // namespace tideline::hub
