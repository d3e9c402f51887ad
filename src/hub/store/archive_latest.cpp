#include "hub/store/archive_latest.hpp"

#include <algorithm>

#include "hub/store/archive_sql.hpp"

namespace tideline::hub {

Status ArchiveLatest::open() {
  return prepare_all(
      database_,
      {
          // index: primary key (epoch, incarnation, series), here and below, in full or by prefix
          {put_, "INSERT INTO latest(epoch, incarnation, series, time_ns, type, bits, text, quality, boot) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) "
                 "ON CONFLICT(epoch, incarnation, series) DO UPDATE SET time_ns = excluded.time_ns, type = excluded.type, bits = excluded.bits, "
                 "text = excluded.text, quality = excluded.quality, boot = excluded.boot"},
          {delete_, "DELETE FROM latest WHERE epoch = ? AND incarnation = ? AND series = ?"},
          {select_of_boot_, "SELECT incarnation, series FROM latest WHERE epoch = ? AND boot = ? AND quality < ?"},
          {select_series_, "SELECT incarnation, id FROM series WHERE epoch = ? AND stream = ?"},
          // index: block_time
          {select_blocks_, "SELECT time_max_ns, incarnation, shift_ns, quality, boot, data FROM block WHERE epoch = ? AND stream = ? ORDER BY time_max_ns DESC, first DESC"},
          // index: epoch (device, name), then the primary keys of latest and series
          {select_device_, "SELECT l.epoch, s.name, s.labels, s.unit, s.kind, s.stream, l.time_ns, l.type, l.bits, l.text, l.quality FROM epoch e "
                           "JOIN latest l ON l.epoch = e.id JOIN series s ON s.epoch = l.epoch AND s.incarnation = l.incarnation AND s.id = l.series WHERE e.device = ?"},
      });
}

ArchiveLatest::Value ArchiveLatest::newest_of(const DecodedColumn& column, const BlockTime& time) {
  size_t newest = 0;
  for (size_t i = 1; i < column.times_ns.size(); ++i) {
    if (column.times_ns[i] >= column.times_ns[newest]) newest = i;
  }
  Value value;
  value.time_ns = column.times_ns[newest];
  value.type = column.type;
  value.time = time;
  if (column.type == model::ValueType::text) value.text = column.texts[newest];
  else value.bits = column.bits[newest];
  return value;
}

void ArchiveLatest::offer(EpochState& state, const DecodedColumn& column, const BlockTime& time) {
  int64_t& known = state.series.latest_ns[column.series];
  const int64_t newest = *std::max_element(column.times_ns.begin(), column.times_ns.end());
  if (newest < known) return;
  known = newest;
  offers_[column.series] = newest_of(column, time);
}

Status ArchiveLatest::save(EpochState& state) {
  for (const auto& [series, value] : offers_) RETURN_IF_ERROR(write(state, {state.series.incarnation, series}, value));
  offers_.clear();
  return {};
}

Status ArchiveLatest::write(const EpochState& state, const SeriesKey& key, const Value& value) {
  put_.bind(1, state.id).bind(2, int64_t{key.first}).bind(3, int64_t{key.second}).bind(4, value.time_ns).bind(5, static_cast<int64_t>(value.type));
  put_.bind(6, to_stored(value.bits)).bind(7, value.text).bind(8, static_cast<int64_t>(value.time.quality)).bind(9, to_stored(value.time.boot_id));
  return put_.run();
}

Result<std::set<ArchiveLatest::SeriesKey>> ArchiveLatest::series_of_boot(const EpochState& state, uint64_t boot_id, model::TimeQuality quality) {
  std::set<SeriesKey> keys;
  select_of_boot_.bind(1, state.id).bind(2, to_stored(boot_id)).bind(3, static_cast<int64_t>(quality));
  Rows rows(select_of_boot_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return keys;
    keys.emplace(static_cast<uint32_t>(select_of_boot_.integer(0)), static_cast<model::SeriesId>(select_of_boot_.integer(1)));
  }
}

Status ArchiveLatest::rebuild(EpochState& state, const std::set<SeriesKey>& wanted) {
  std::map<SeriesKey, Value> found;
  for (const model::Stream stream : model::streams) RETURN_IF_ERROR(rebuild_stream(state, stream, wanted, found));
  for (const SeriesKey& key : wanted) {
    const auto value = found.find(key);
    if (value == found.end()) {
      RETURN_IF_ERROR(delete_.bind(1, state.id).bind(2, int64_t{key.first}).bind(3, int64_t{key.second}).run());
    } else {
      RETURN_IF_ERROR(write(state, key, value->second));
    }
  }
  state.series.is_loaded = false;  // its latest_ns are old
  return {};
}

/// Newest blocks first, until no block left can be newer than what was found.
Status ArchiveLatest::rebuild_stream(EpochState& state, model::Stream stream, const std::set<SeriesKey>& wanted, std::map<SeriesKey, Value>& found) {
  std::set<SeriesKey> open;
  {
    select_series_.bind(1, state.id).bind(2, static_cast<int64_t>(stream));
    Rows rows(select_series_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      const SeriesKey key{static_cast<uint32_t>(select_series_.integer(0)), static_cast<model::SeriesId>(select_series_.integer(1))};
      if (wanted.count(key) != 0) open.insert(key);
    }
  }
  select_blocks_.bind(1, state.id).bind(2, static_cast<int64_t>(stream));
  Rows rows(select_blocks_);
  while (!open.empty()) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) break;
    const int64_t time_max = select_blocks_.integer(0);
    std::erase_if(open, [&](const SeriesKey& key) {
      const auto known = found.find(key);
      return known != found.end() && known->second.time_ns > time_max;
    });
    const auto view = block::BlockView::open(select_blocks_.blob(5));
    if (!view) continue;
    const auto incarnation = static_cast<uint32_t>(select_blocks_.integer(1));
    const BlockTime time{select_blocks_.integer(2), static_cast<model::TimeQuality>(select_blocks_.integer(3)), from_stored(select_blocks_.integer(4))};
    for (const block::Column& column : view->columns()) {
      const SeriesKey key{incarnation, column.series};
      if (open.count(key) == 0) continue;
      const auto decoded = decoder_.decode(column, time.shift_ns);
      if (!decoded) continue;
      Value value = newest_of(*decoded, time);
      // Of equal times the one that came later wins; later blocks come first here.
      if (const auto known = found.find(key); known == found.end() || known->second.time_ns < value.time_ns) found[key] = std::move(value);
    }
  }
  return {};
}

Status ArchiveLatest::read_device(DeviceKey device, const model::SeriesSelector& selector, std::vector<Row>& out) {
  std::unordered_map<std::string, size_t> places;
  select_device_.bind(1, device);
  Rows rows(select_device_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return {};
    ASSIGN_OR_RETURN(model::Series series, read_series(select_device_, 1));
    if (!selector.matches(series)) continue;
    Row row;
    row.epoch = select_device_.integer(0);
    row.point.time_ns = select_device_.integer(6);
    row.point.type = static_cast<model::ValueType>(select_device_.integer(7));
    row.point.bits = from_stored(select_device_.integer(8));
    row.point.text = select_device_.text(9);
    row.quality = static_cast<model::TimeQuality>(select_device_.integer(10));
    row.series = std::move(series);
    const auto [place, is_new] = places.try_emplace(row.series.key() + '\n' + row.series.unit, out.size());
    if (is_new) {
      out.push_back(std::move(row));
    } else if (out[place->second].point.time_ns <= row.point.time_ns) {
      out[place->second] = std::move(row);
    }
  }
}

}  // namespace tideline::hub
