// What the archive holds of each epoch, read back from the tables and kept in a bounded cache: cursors, runs, anchors, the
// number of series and the times of their newest values. Nothing here is a second truth: it is written in the transaction of
// the blocks it describes, and forgotten when that fails.
//
// Part of SqliteArchive. Thread: store. Memory: limits::archive_cache_bytes.
#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/store/archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

/// The series of one incarnation, ids 0 to known - 1.
struct SeriesIndex {
  bool is_loaded = false;
  uint32_t incarnation = 0;
  model::SeriesId known = 0;
  uint64_t hash = 0;                    ///< link::series_hash() over them
  std::vector<int64_t> latest_ns;       ///< corrected time of the newest value held, INT64_MIN if none
};

struct EpochState {
  int64_t id = 0;                       ///< row id; 0 until something is stored
  DeviceKey device = 0;
  std::string name;
  uint32_t incarnation = 0;             ///< highest of which anything is stored
  model::SeqRanges held[model::stream_count];
  int64_t span_ns[model::stream_count] = {0, 0, 0};  ///< longest block: bounds what a question about old times must read
  std::vector<HeldRun> runs;            ///< oldest first
  int64_t next_run_place = 1;
  std::vector<model::Anchor> anchors;   ///< one per boot, oldest arrival first
  int64_t next_anchor_place = 1;
  SeriesIndex series;                   ///< of the incarnation used last

  // What save() has to write.
  model::SeqRanges saved_held[model::stream_count];
  bool span_is_dirty[model::stream_count] = {};
  bool incarnation_is_dirty = false;
  std::vector<uint64_t> dirty_runs;

  const model::Anchor* anchor(uint64_t boot_id) const;
};

class ArchiveEpochs {
 public:
  explicit ArchiveEpochs(sqlite::Database& database) : database_(database) {}
  Status open();

  /// From the cache or the tables; an unknown epoch starts empty. Valid until trim() or forget_all().
  Result<EpochState*> load(DeviceKey device, const std::string& name);
  Status load_series(EpochState& state, uint32_t incarnation);

  /// The rest runs inside the caller's transaction.
  Status store_epoch(EpochState& state);
  Status add_series(EpochState& state, const model::Series& series);
  Result<bool> is_same_series(EpochState& state, uint32_t incarnation, model::SeriesId id, const model::Series& series);
  void note_run(EpochState& state, uint64_t run, model::Stream stream, model::Seq highest);
  void join_run(EpochState& state, const HeldRun& claim);
  void note_span(EpochState& state, model::Stream stream, int64_t span_ns);
  Status put_anchor(EpochState& state, const model::Anchor& anchor);
  Status save(EpochState& state);

  /// Drops the epochs used longest ago until the cache is within its bound.
  void trim();
  void forget_all();
  size_t cached() const { return states_.size(); }

 private:
  Status load_held(EpochState& state);
  Status load_runs(EpochState& state);
  Status load_anchors(EpochState& state);
  Status save_held(EpochState& state, model::Stream stream);
  Status save_runs(EpochState& state);

  sqlite::Database& database_;
  sqlite::Statement select_epoch_;
  sqlite::Statement insert_epoch_;
  sqlite::Statement update_incarnation_;
  sqlite::Statement select_held_;
  sqlite::Statement delete_held_;
  sqlite::Statement insert_held_;
  sqlite::Statement update_held_;
  sqlite::Statement select_spans_;
  sqlite::Statement put_span_;
  sqlite::Statement select_runs_;
  sqlite::Statement put_run_;
  sqlite::Statement delete_run_;
  sqlite::Statement select_anchors_;
  sqlite::Statement put_anchor_;
  sqlite::Statement delete_anchor_;
  sqlite::Statement select_series_;
  sqlite::Statement select_one_series_;
  sqlite::Statement insert_series_;
  sqlite::Statement select_latest_times_;
  std::list<EpochState> states_;                                          // used last first
  std::unordered_map<std::string, std::list<EpochState>::iterator> index_;
  size_t trim_at_ = 0;
};

/// "a=b,c=d": neither names nor values can hold a comma, and names no equals sign (model::validate).
std::string labels_text(const model::Series& series);
/// Columns name, labels, unit, kind, stream from `first_column` on. Errors: corrupt.
Result<model::Series> read_series(const sqlite::Statement& row, int first_column);

}  // namespace tideline::hub
