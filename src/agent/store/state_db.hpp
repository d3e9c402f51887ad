// state.db: who the store is and what cannot be derived from segments. Small tables, mirrored in memory; the mirror is what the
// program works with, save() makes it durable.
//
// Owned by Store. Thread: store. After a crash the file holds the last save() that returned. A copy, state.db.bak, is used
// when the file is damaged. Bounded by limits::{runs, anchors, gaps_per_stream, cursor_ranges, series_per_device, settings}.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/store/gap_list.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/anchor.hpp"
#include "model/series.hpp"
#include "model/stream_state.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::agent {

/// What is remembered of one stream beside its segments.
struct StreamMemory {
  GapList gaps;
  model::SeqRanges acknowledged;  ///< as the hub said; only a hint after a restart
  model::SeqRanges released;      ///< delivered and freed here: missing without being lost
  model::Seq next_least = 1;      ///< numbers below were used, whatever the segments say; exact when `is_closed`
  bool is_closed = false;         ///< the stream ended cleanly at next_least and nothing was committed since
  uint32_t segment = 0;           ///< highest segment number created
};

/// A renumbering that was begun and must be finished after a crash (rebase.cpp).
struct RebaseJournal {
  bool is_active = false;
  bool is_copied = false;         ///< the new segments are complete: only the old ones remain to be removed
  model::Stream stream = model::Stream::normal;
  model::Seq from = 0;
  model::Seq next = 0;
  uint32_t first_old_segment = 0;
  uint32_t last_old_segment = 0;
};

struct State {
  std::string epoch;
  uint32_t incarnation = 0;
  std::vector<model::Run> runs;
  std::vector<model::Anchor> anchors;   ///< one for each boot, the present one last
  model::SeriesDictionary dictionary;
  std::array<StreamMemory, model::stream_count> streams;
  std::map<std::string, std::string> settings;
  RebaseJournal rebase;
  bool has_notes = false;   ///< notes.db was made: if it is missing now, notes were lost

  StreamMemory& of(model::Stream stream) { return streams[model::index_of(stream)]; }
  const StreamMemory& of(model::Stream stream) const { return streams[model::index_of(stream)]; }
};

class StateDb {
 public:
  enum Part : unsigned {
    identity = 1,       ///< epoch, incarnation, has_notes, rebase journal
    runs = 2,
    anchors = 4,
    series = 8,         ///< definitions added since the last save
    streams = 16,       ///< acknowledged and released ranges, next_least, is_closed, segment
    gaps = 32,
    settings = 64,
    everything = 127,
  };
  enum class Origin : uint8_t { file, copy, nothing };
  struct Opened {
    std::unique_ptr<StateDb> database;
    Origin origin = Origin::nothing;   ///< nothing: the mirror is empty, the file is new
  };

  /// Never refuses for damage: a damaged file becomes bad-state.db and the copy takes its place. Errors: io, denied, full.
  static Result<Opened> open(const std::string& directory, Log& log);

  State& state() { return state_; }
  const State& state() const { return state_; }
  /// Writes `parts`, and those of earlier saves that failed, in one transaction. Durable on return.
  Status save(unsigned parts);
  /// True when something waits since a failed save.
  bool has_unsaved() const { return unsaved_ != 0; }
  void mark_unsaved(unsigned parts) { unsaved_ |= parts; }
  /// Opens the file anew after a failure; a damaged file is replaced by the mirror.
  Status reopen();
  /// Refreshes state.db.bak if anything of note changed since the last copy.
  Status copy();
  bool is_copy_old() const { return copy_is_old_; }
  void close();

 private:
  StateDb(std::string directory, Log& log) : directory_(std::move(directory)), log_(log) {}
  std::string file() const { return directory_ + "/state.db"; }
  Status attach(bool create);
  Status load();
  Status start_anew();
  Status write(unsigned parts);
  Status write_identity();
  Status write_runs();
  Status write_anchors();
  Status write_series();
  Status write_streams();
  Status write_gaps();
  Status write_settings();
  Status load_meta();
  Status load_rows();

  std::string directory_;
  Log& log_;
  std::unique_ptr<sqlite::Database> database_;
  State state_;
  model::SeriesId series_saved_ = 0;
  unsigned unsaved_ = 0;
  unsigned saves_ = 0;
  bool copy_is_old_ = true;
};

}  // namespace tideline::agent
