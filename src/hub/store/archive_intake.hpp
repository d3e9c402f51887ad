// Applies what devices sent: definitions, anchors, blocks, gaps. Each block is opened, checked and decoded before it is taken,
// so what the hub acknowledges it can read.
//
// Part of SqliteArchive. Thread: store. Runs inside the caller's transaction; an error means that must be rolled back.
#pragma once

#include <vector>

#include "hub/store/archive_columns.hpp"
#include "hub/store/archive_devices.hpp"
#include "hub/store/archive_epochs.hpp"
#include "hub/store/archive_latest.hpp"

namespace tideline::hub {

class ArchiveIntake {
 public:
  ArchiveIntake(sqlite::Database& database, const ArchiveDevices& devices, ArchiveEpochs& epochs, ArchiveLatest& latest)
      : database_(database), devices_(devices), epochs_(epochs), latest_(latest) {}
  Status open();

  Result<std::vector<BlockVerdict>> apply(const IntakeBatch& batch);
  /// Counts times at which stored blocks moved in time: a question under way starts again when it changed.
  uint64_t retimings() const { return retimings_; }

 private:
  Result<const char*> take_series(EpochState& state, const IntakeBatch& batch);
  Status take_anchor(EpochState& state, const model::Anchor& anchor);
  Status retime(EpochState& state, const model::Anchor& anchor);
  Result<bool> retime_some(EpochState& state, const model::Anchor& anchor, std::set<ArchiveLatest::SeriesKey>& touched);
  Status retime_block(EpochState& state, int64_t id, const model::Anchor& anchor, std::set<ArchiveLatest::SeriesKey>& touched);
  Result<BlockVerdict> take_block(EpochState& state, const IntakeBatch& batch, const model::StoredBlock& block, const char* series_problem);
  Result<BlockVerdict> store_block(EpochState& state, const IntakeBatch& batch, const model::StoredBlock& block, const block::BlockView& view, BlockVerdict verdict);
  Status take_gap(EpochState& state, const model::Gap& gap);

  sqlite::Database& database_;
  const ArchiveDevices& devices_;
  ArchiveEpochs& epochs_;
  ArchiveLatest& latest_;
  sqlite::Statement insert_block_;
  sqlite::Statement select_block_count_;
  sqlite::Statement select_untimed_;
  sqlite::Statement select_block_;
  sqlite::Statement update_time_;
  sqlite::Statement insert_gap_;
  ColumnDecoder decoder_;
  uint64_t retimings_ = 0;
};

}  // namespace tideline::hub
