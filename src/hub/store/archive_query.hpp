// Answers questions from stored blocks: devices one after another, of each the classes that hold series asked for, newest block
// first, so that a bounded answer stops reading early.
//
// Part of SqliteArchive. Thread: store. Between two advance() other work may run, commits included: the place is kept as a key,
// no statement stays open. Memory: the Aggregator's, plus the series of one device.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "block/scan.hpp"
#include "hub/store/archive_devices.hpp"
#include "hub/store/archive_epochs.hpp"
#include "hub/store/archive_intake.hpp"
#include "model/aggregator.hpp"

namespace tideline::hub {

/// The statements that all questions share.
class ArchiveReader {
 public:
  ArchiveReader(sqlite::Database& database, const ArchiveDevices& devices, const ArchiveIntake& intake)
      : database_(database), devices_(devices), intake_(intake) {}
  Status open();
  /// Gap records of the matching devices, newest limits::query_gaps.
  Result<std::vector<std::pair<std::string, model::Gap>>> gaps(const model::DeviceSelector& selector);

 private:
  friend class SqliteQuery;
  sqlite::Database& database_;
  const ArchiveDevices& devices_;
  const ArchiveIntake& intake_;
  sqlite::Statement select_series_;
  sqlite::Statement select_spans_;
  sqlite::Statement select_blocks_;
  sqlite::Statement select_gaps_;
};

class SqliteQuery : public ArchiveQuery, private block::ScanSink {
 public:
  SqliteQuery(ArchiveReader& reader, const model::Query& query);
  Result<bool> advance(size_t blocks) override;
  model::QueryAnswer take() override;

 private:
  struct Device {
    DeviceKey key;
    std::string id;
  };
  struct Wanted {
    model::Series series;
    model::Aggregator::Handle handle = 0;
    bool is_open = false;
  };
  /// One class of one epoch of one device.
  struct Lane {
    int64_t epoch = 0;
    model::Stream stream = model::Stream::normal;
    std::map<std::pair<uint32_t, model::SeriesId>, Wanted> series;  ///< by incarnation and id
    int64_t next_time_max_ns = INT64_MAX;  ///< blocks before this (time, first) remain
    int64_t next_first = INT64_MAX;
  };

  void restart();
  Status load_device();
  Status load_lanes(const Device& device);
  Status find_start(Lane& lane);
  Status collect_gaps(const Lane& lane);
  Result<bool> read_lane(Lane& lane, size_t& budget);
  void read_block(Lane& lane, const sqlite::Statement& row);
  bool wants(const block::Column& column) override;
  void on_values(const block::Column& column, std::span<const int64_t> times_ns, std::span<const uint64_t> values) override;
  void on_texts(const block::Column& column, std::span<const int64_t> times_ns, std::span<const std::string_view> texts) override;
  model::Aggregator::Handle handle_of(const block::Column& column);

  ArchiveReader& reader_;
  model::Query query_;
  uint64_t retimings_ = 0;
  std::vector<Device> devices_;
  size_t next_device_ = 0;
  std::string device_;               // the one being read
  std::vector<std::pair<std::string, std::string>> device_labels_;  // its, for groups
  std::vector<Lane> lanes_;          // of it, last one first
  model::Aggregator aggregator_;
  model::QueryAnswer answer_;
  size_t blocks_left_ = 0;

  // The block being scanned.
  block::ScanScratch scratch_;
  Lane* lane_ = nullptr;
  uint32_t incarnation_ = 0;
  int64_t shift_ns_ = 0;
  model::TimeQuality quality_ = model::TimeQuality::none;
};

/// Columns stream, first, last, count, reason, at_least, from_ns, to_ns, declared_ns from `first_column` on.
model::Gap read_gap(const sqlite::Statement& row, int first_column);

}  // namespace tideline::hub
