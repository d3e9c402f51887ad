// The newest value of every series, kept beside the blocks so that "latest" reads one row a series. Newest is by corrected
// time; of equal times the one that came later.
//
// Part of SqliteArchive. Thread: store. Written in the transaction of the blocks; a better anchor may move times backwards, and
// then rebuild() reads the newest blocks again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "block/decoder.hpp"
#include "hub/store/archive_columns.hpp"
#include "hub/store/archive_epochs.hpp"

namespace tideline::hub {

class ArchiveLatest {
 public:
  explicit ArchiveLatest(sqlite::Database& database) : database_(database) {}
  Status open();

  /// What a block says about time beyond its header: see archive_schema.hpp.
  struct BlockTime {
    int64_t shift_ns = 0;
    model::TimeQuality quality = model::TimeQuality::none;
    uint64_t boot_id = 0;
  };

  /// Offers the newest value of a decoded column of the incarnation in state.series.
  void offer(EpochState& state, const DecodedColumn& column, const BlockTime& time);
  /// Writes what was offered since the last save().
  Status save(EpochState& state);
  void forget_offers() { offers_.clear(); }

  using SeriesKey = std::pair<uint32_t, model::SeriesId>;  ///< incarnation and id
  /// The series whose newest value came from `boot_id` with a quality below `quality`.
  Result<std::set<SeriesKey>> series_of_boot(const EpochState& state, uint64_t boot_id, model::TimeQuality quality);
  /// Finds the newest values of `wanted` again from the blocks, newest first.
  Status rebuild(EpochState& state, const std::set<SeriesKey>& wanted);

  struct Row {
    int64_t epoch = 0;
    model::Series series;
    model::Point point;
    model::TimeQuality quality = model::TimeQuality::none;
  };
  /// Appends those of one device: one row a series, the newest of all epochs and incarnations.
  Status read_device(DeviceKey device, const model::SeriesSelector& selector, std::vector<Row>& out);

 private:
  struct Value {
    int64_t time_ns = INT64_MIN;
    model::ValueType type = model::ValueType::f64;
    uint64_t bits = 0;
    std::string text;
    BlockTime time;
  };
  static Value newest_of(const DecodedColumn& column, const BlockTime& time);
  Status write(const EpochState& state, const SeriesKey& key, const Value& value);
  Status rebuild_stream(EpochState& state, model::Stream stream, const std::set<SeriesKey>& wanted, std::map<SeriesKey, Value>& found);

  sqlite::Database& database_;
  sqlite::Statement put_;
  sqlite::Statement delete_;
  sqlite::Statement select_of_boot_;
  sqlite::Statement select_series_;
  sqlite::Statement select_blocks_;
  sqlite::Statement select_device_;
  ColumnDecoder decoder_;
  std::unordered_map<model::SeriesId, Value> offers_;
};

}  // namespace tideline::hub
