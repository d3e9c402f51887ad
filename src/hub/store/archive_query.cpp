#include "hub/store/archive_query.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

/// A gap without times may lie anywhere.
bool touches(const model::Gap& gap, const model::Query& query) {
  if (gap.from_ns == 0 && gap.to_ns == 0) return true;
  const int64_t from = gap.from_ns != 0 ? gap.from_ns : INT64_MIN;
  const int64_t to = gap.to_ns != 0 ? gap.to_ns : INT64_MAX;
  return to >= query.from_ns && from < query.to_ns;
}

}  // namespace

model::Gap read_gap(const sqlite::Statement& row, int first_column) {
  model::Gap gap;
  gap.stream = static_cast<model::Stream>(row.integer(first_column));
  gap.range = {from_stored(row.integer(first_column + 1)), from_stored(row.integer(first_column + 2))};
  gap.count = from_stored(row.integer(first_column + 3));
  gap.reason = static_cast<model::GapReason>(row.integer(first_column + 4));
  gap.at_least = row.integer(first_column + 5) != 0;
  gap.from_ns = row.integer(first_column + 6);
  gap.to_ns = row.integer(first_column + 7);
  gap.declared_ns = row.integer(first_column + 8);
  return gap;
}

Status ArchiveReader::open() {
  return prepare_all(
      database_,
      {
          // index: epoch (device, name), series primary key (epoch, ...)
          {select_series_, "SELECT s.epoch, s.incarnation, s.id, s.name, s.labels, s.unit, s.kind, s.stream FROM epoch e JOIN series s ON s.epoch = e.id "
                           "WHERE e.device = ?"},
          // index: primary key (epoch, stream)
          {select_spans_, "SELECT span_ns FROM span WHERE epoch = ? AND stream = ?"},
          // index: block_time, from the key of the block before downwards
          {select_blocks_, "SELECT time_max_ns, first, time_min_ns, incarnation, quality, shift_ns, data FROM block "
                           "WHERE epoch = ? AND stream = ? AND time_max_ns >= ? AND (time_max_ns, first) < (?, ?) ORDER BY time_max_ns DESC, first DESC"},
          // index: gap primary key (epoch, stream, first, last)
          {select_gaps_, "SELECT stream, first, last, count, reason, at_least, from_ns, to_ns, declared_ns FROM gap WHERE epoch = ? AND stream = ? ORDER BY first DESC"},
      });
}

Result<std::vector<std::pair<std::string, model::Gap>>> ArchiveReader::gaps(const model::DeviceSelector& selector) {
  std::vector<std::pair<std::string, model::Gap>> found;
  // index: epoch (device, name), gap primary key (epoch, ...)
  ASSIGN_OR_RETURN(sqlite::Statement rows, database_.prepare("SELECT g.stream, g.first, g.last, g.count, g.reason, g.at_least, g.from_ns, g.to_ns, g.declared_ns "
                                                             "FROM epoch e JOIN gap g ON g.epoch = e.id WHERE e.device = ?"));
  const auto is_newer = [](const auto& a, const auto& b) { return a.second.declared_ns > b.second.declared_ns; };
  for (const DeviceRecord& device : devices_.candidates(selector)) {
    if (!selector.matches(device.id, device.labels)) continue;
    rows.bind(1, device.key);
    Rows scope(rows);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, scope.next());
      if (!more) break;
      found.emplace_back(device.id, read_gap(rows, 0));
      if (found.size() < 2 * limits::query_gaps) continue;
      std::nth_element(found.begin(), found.begin() + limits::query_gaps, found.end(), is_newer);
      found.resize(limits::query_gaps);
    }
  }
  std::stable_sort(found.begin(), found.end(), is_newer);
  if (found.size() > limits::query_gaps) found.resize(limits::query_gaps);
  return found;
}

SqliteQuery::SqliteQuery(ArchiveReader& reader, const model::Query& query) : reader_(reader), query_(query), aggregator_(query) {
  for (const DeviceRecord& device : reader_.devices_.candidates(query.devices)) {
    if (query.devices.matches(device.id, device.labels)) devices_.push_back({device.key, device.id});
  }
  restart();
}

void SqliteQuery::restart() {
  retimings_ = reader_.intake_.retimings();
  next_device_ = 0;
  lanes_.clear();
  aggregator_ = model::Aggregator(query_);
  answer_ = {};
  blocks_left_ = limits::query_blocks;
}

Result<bool> SqliteQuery::advance(size_t blocks) {
  if (retimings_ != reader_.intake_.retimings()) restart();  // blocks moved in time: the place in them means nothing now
  size_t budget = blocks;
  while (budget > 0) {
    if (lanes_.empty()) {
      if (next_device_ == devices_.size()) return true;
      RETURN_IF_ERROR(load_device());
      --budget;
      continue;
    }
    ASSIGN_OR_RETURN(const bool is_done, read_lane(lanes_.back(), budget));
    if (is_done) lanes_.pop_back();
  }
  return lanes_.empty() && next_device_ == devices_.size();
}

model::QueryAnswer SqliteQuery::take() {
  aggregator_.finish(answer_);
  std::stable_sort(answer_.gaps.begin(), answer_.gaps.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.from_ns < b.second.from_ns;
  });
  return std::move(answer_);
}

Status SqliteQuery::load_device() {
  const Device& device = devices_[next_device_++];
  device_ = device.id;
  device_labels_.clear();
  if (const DeviceRecord* record = reader_.devices_.find(device.id); query_.group && record != nullptr) device_labels_ = record->labels;
  RETURN_IF_ERROR(load_lanes(device));
  for (Lane& lane : lanes_) {
    RETURN_IF_ERROR(find_start(lane));
    RETURN_IF_ERROR(collect_gaps(lane));
  }
  return {};
}

Status SqliteQuery::load_lanes(const Device& device) {
  std::map<std::pair<int64_t, model::Stream>, Lane> lanes;
  reader_.select_series_.bind(1, device.key);
  Rows rows(reader_.select_series_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) break;
    const sqlite::Statement& row = reader_.select_series_;
    ASSIGN_OR_RETURN(model::Series series, read_series(row, 3));
    if (!query_.series.matches(series)) continue;
    Lane& lane = lanes[{row.integer(0), series.stream}];
    lane.epoch = row.integer(0);
    lane.stream = series.stream;
    lane.series[{static_cast<uint32_t>(row.integer(1)), static_cast<model::SeriesId>(row.integer(2))}].series = std::move(series);
  }
  for (auto& [key, lane] : lanes) lanes_.push_back(std::move(lane));
  return {};
}

/// A block that touches the range ends before `to` plus the length of the longest block: newer ones need not be looked at.
Status SqliteQuery::find_start(Lane& lane) {
  reader_.select_spans_.bind(1, lane.epoch).bind(2, static_cast<int64_t>(lane.stream));
  Rows rows(reader_.select_spans_);
  ASSIGN_OR_RETURN(const bool known, rows.next());
  const int64_t span = known ? reader_.select_spans_.integer(0) : 0;
  lane.next_time_max_ns = add_saturated(query_.to_ns, span);
  return {};
}

Status SqliteQuery::collect_gaps(const Lane& lane) {
  reader_.select_gaps_.bind(1, lane.epoch).bind(2, static_cast<int64_t>(lane.stream));
  Rows rows(reader_.select_gaps_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return {};
    const model::Gap gap = read_gap(reader_.select_gaps_, 0);
    if (!touches(gap, query_)) continue;
    if (answer_.gaps.size() >= limits::query_gaps) {
      answer_.truncated = true;
      return {};
    }
    answer_.gaps.emplace_back(device_, gap);
  }
}

/// True when nothing is left in this lane. Uses up `budget`.
Result<bool> SqliteQuery::read_lane(Lane& lane, size_t& budget) {
  sqlite::Statement& row = reader_.select_blocks_;
  const int64_t oldest = std::max(query_.from_ns, aggregator_.floor_ns());
  row.bind(1, lane.epoch).bind(2, static_cast<int64_t>(lane.stream)).bind(3, oldest).bind(4, lane.next_time_max_ns).bind(5, lane.next_first);
  Rows rows(row);
  while (budget > 0) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return true;
    const int64_t time_max = row.integer(0);
    if (time_max < aggregator_.floor_ns()) return true;
    if (blocks_left_ == 0) {
      answer_.truncated = true;
      return true;
    }
    lane.next_time_max_ns = time_max;
    lane.next_first = row.integer(1);
    --budget;
    if (!aggregator_.wants(row.integer(2), time_max)) continue;
    --blocks_left_;
    read_block(lane, row);
  }
  return false;
}

void SqliteQuery::read_block(Lane& lane, const sqlite::Statement& row) {
  ++answer_.blocks_scanned;
  lane_ = &lane;
  incarnation_ = static_cast<uint32_t>(row.integer(3));
  quality_ = static_cast<model::TimeQuality>(row.integer(4));
  shift_ns_ = row.integer(5);
  const auto view = block::BlockView::open(row.blob(6));
  const block::ScanRange range{std::max(query_.from_ns, aggregator_.floor_ns()), query_.to_ns, shift_ns_};
  const auto decoded = view ? block::scan(*view, range, scratch_, *this) : Result<uint32_t>(view.error());
  if (decoded) answer_.readings_scanned += *decoded;
  else ++answer_.blocks_unreadable;
}

bool SqliteQuery::wants(const block::Column& column) {
  const auto found = lane_->series.find({incarnation_, column.series});
  if (found == lane_->series.end()) return false;
  const int64_t shift = column.time_source == model::TimeSource::agent ? shift_ns_ : 0;
  const int64_t time_min = block::corrected_time(column.time_min_ns, shift);
  const int64_t time_max = block::corrected_time(column.time_max_ns, shift);
  const model::Aggregator::Summary summary{column.type, column.count, time_min, time_max, column.value_min, column.value_max};
  return !aggregator_.add_summary(handle_of(column), quality_, summary);
}

void SqliteQuery::on_values(const block::Column& column, std::span<const int64_t> times_ns, std::span<const uint64_t> values) {
  aggregator_.add_values(handle_of(column), column.type, quality_, times_ns, values);
}

void SqliteQuery::on_texts(const block::Column& column, std::span<const int64_t> times_ns, std::span<const std::string_view> texts) {
  aggregator_.add_texts(handle_of(column), quality_, times_ns, texts);
}

model::Aggregator::Handle SqliteQuery::handle_of(const block::Column& column) {
  Wanted& wanted = lane_->series.at({incarnation_, column.series});
  if (!wanted.is_open) {
    if (query_.group) {
      const auto [device, series] = model::group_of(*query_.group, device_, device_labels_, wanted.series);
      wanted.handle = aggregator_.open_series(device, series);
    } else {
      wanted.handle = aggregator_.open_series(device_, wanted.series);
    }
    wanted.is_open = true;
  }
  return wanted.handle;
}

}  // namespace tideline::hub
