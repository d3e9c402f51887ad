// The edge store itself: everything that Outbox promises, done at once on the calling thread. The daemon runs it on the store
// thread behind Outbox; command lines use it directly when no daemon runs.
//
// Owned by Outbox or a command. Thread: one at a time. After a crash: law 1 and law 5; what is read back is what was committed.
// Bounded by StoreOptions and limits.hpp; memory does not depend on how much is stored.
//
// Numbered invariants, which several files rely on:
//  I1 Every sequence number below next_ is in a segment, in a gap record or in `released`.
//  I2 A gap or `released` range is durable before the segment that it stands for is unlinked.
//  I3 Only rows of a synced commit are handed out by fetch().
//  I4 Segment numbers ascend with sequence numbers; only the last segment of a stream is active.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/store/block_builder.hpp"
#include "agent/store/context_db.hpp"
#include "agent/store/nacked.hpp"
#include "agent/store/notes.hpp"
#include "agent/store/pending.hpp"
#include "agent/store/ring.hpp"
#include "agent/store/space.hpp"
#include "agent/store/state_db.hpp"
#include "agent/store/store_types.hpp"
#include "base/log.hpp"
#include "files.hpp"
#include "model/query.hpp"

namespace tideline::agent {

/// What became of a batch, with its emptied buffers.
struct Completion {
  uint64_t token = 0;
  model::Stream stream = model::Stream::normal;
  Status status;
  size_t readings = 0;
  size_t text_bytes = 0;
  model::ReadingBatch buffer;
};

struct Fetched {
  std::vector<model::StoredBlock> blocks;
  std::vector<model::Gap> gaps;
  model::Seq covered_to = 0;
};

class Store {
 public:
  /// As Outbox::open().
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const model::Anchor& anchor, Instant now, Log& log);
  /// Without close() this is a crash, except that SQLite empties the WALs.
  ~Store();

  // Append and commit (commit.cpp)
  Result<model::SeriesId> series_id(const model::Series& series);
  /// Takes `batch` in; its completion comes from a commit, at once if it cannot be taken.
  void append(model::Stream stream, model::ReadingBatch batch, Durability durability, uint64_t token, Instant now);
  void declare_overrun(model::Stream stream, uint64_t readings, Instant now);
  /// When commit_due() has something to do.
  Instant next_commit() const;
  void commit_due(Instant now);
  void commit_all(Instant now);
  /// Results since the last call, in order of append() within a stream.
  std::vector<Completion> take_completions() { return std::exchange(completions_, {}); }

  // Read back (fetch.cpp)
  Fetched fetch(model::Stream stream, model::Seq from, size_t max_bytes, Instant now);
  void set_acknowledged(model::Stream stream, const model::SeqRanges& ranges, Instant now);
  void add_acknowledged(model::Stream stream, model::SeqRange range, Instant now);
  Status set_aside(model::Stream stream, model::SeqRange range, Instant now);

  // Renumber (rebase.cpp)
  Status rebase(model::Stream stream, model::Seq from, model::Seq next, Instant now);

  /// Space, hints, the copy of state.db, reopening after a failure: call about once a second.
  void tick(Instant now);
  /// False when a tick every half minute will do.
  bool wants_tick() const { return report_.disk_full || state_db_->has_unsaved() || state_db_->is_copy_old() || !space_.has_ballast(); }
  void set_anchor(const model::Anchor& anchor, Instant now);
  /// Errors: limit (limits::store_settings).
  Status set_setting(const std::string& key, const std::string& value);

  // Notes (store_notes.cpp)
  /// All durable on return; one status each, in order.
  std::vector<Status> put_notes(std::span<const NoteChange> changes, Instant now);
  Result<std::string> get_note(const std::string& key, Instant now);
  const Notes::Keys& note_keys() const { return notes_.keys(); }
  /// True once after notes were lost while the store was open.
  bool take_notes_loss() { return std::exchange(has_lost_notes_, false); }

  // Context (store_context.cpp)
  ContextImage take_context() { return context_.take_image(); }
  /// All durable on return, or none.
  Status put_context(std::span<const ContextPut> puts, Instant now);
  Result<std::vector<context::Register>> context_history(const std::string& path) { return context_.history(path); }

  const State& state() const { return state_db_->state(); }
  const model::SeriesDictionary& dictionary() const { return state().dictionary; }
  const StoreStatus& status() const { return report_; }
  const std::vector<PendingBatch>& pending(model::Stream stream) const { return pending_[model::index_of(stream)].batches(); }
  model::Seq next(model::Stream stream) const { return next_[model::index_of(stream)]; }
  /// Raised by every change of gap records, runs, anchors: whoever keeps copies looks at it.
  uint64_t state_version() const { return state_version_; }
  /// Raised by rebase(): numbers read before mean other readings now.
  uint64_t numbering() const { return numbering_; }

  /// Commits, notes where the streams end, refreshes the copy of state.db. Errors of the commit are in the completions.
  void close(Instant now);

 private:
  friend class Recovery;
  friend class StoreQuery;
  /// Losses that have no numbers yet because state could not be saved since.
  struct Unstored {
    uint64_t overrun = 0;
    uint64_t disk_full = 0;
    int64_t from_ns = 0;
    int64_t to_ns = 0;
    Instant due = never;
    bool is_empty() const { return overrun == 0 && disk_full == 0; }
  };

  Store(const StoreOptions& options, const model::Anchor& anchor, platform::FileLock lock, Log& log);

  State& state() { return state_db_->state(); }
  Ring& ring(model::Stream stream) { return rings_[model::index_of(stream)]; }
  const Ring& ring(model::Stream stream) const { return rings_[model::index_of(stream)]; }
  model::Seq& next_of(model::Stream stream) { return next_[model::index_of(stream)]; }
  SegmentIdentity identity(model::Stream stream, uint32_t number) const;
  int64_t utc(Instant now) const { return now.nanos + report_.anchor.offset_ns(); }

  // commit.cpp
  void commit(model::Stream stream, Instant now);
  Status write(model::Stream stream, std::span<const PendingBatch> batches, Instant now);
  Status write_once(model::Stream stream, std::span<const PendingBatch> batches, Instant now);
  /// No segment is open: the stream ends, for certain, at its next number. To be saved by the caller.
  void note_end(model::Stream stream);
  Status prepare_state(model::Stream stream, Instant now);
  Status start_segment(model::Stream stream);
  /// Saves state; a full disk costs the ballast.
  Status save(unsigned parts);
  unsigned number_unstored(model::Stream stream, Instant now);
  void finish(model::Stream stream, std::vector<PendingBatch> batches, Status status);
  void tell_full_disk(const Error& error, Instant now);
  void complete(model::Stream stream, PendingBatch& pending, Status status);
  void note_unstored(model::Stream stream, const PendingBatch& batch, const Error& error);
  void note_commit(Duration took);
  void fail(const Error& error, Instant now);
  void try_reopen(Instant now);

  // evict.cpp
  uint64_t segment_bytes() const;
  /// Frees until `bytes` more may be written. Errors: full.
  Status make_room(uint64_t bytes, Instant now);
  bool evict_one(Instant now);
  Status evict(model::Stream stream, size_t index, Instant now);
  void free_history(Instant now);
  bool is_delivered(model::Stream stream, model::SeqRange range) const;
  /// Numbers in `range` become released where the hub holds them, else a gap, unless a record exists.
  void declare_missing(model::Stream stream, model::SeqRange range, model::GapReason reason, int64_t from_ns, int64_t to_ns, Instant now);
  /// Declares what lies between the held segments (I1).
  void declare_holes(model::Stream stream, model::GapReason reason, Instant now);
  std::vector<model::SeqRange> held_ranges(model::Stream stream);
  void bound_gaps(model::Stream stream, Instant now);

  // fetch.cpp
  /// The block with `seq`, or the next one in that segment, verified; an empty range if there is none.
  Status read_block(model::Stream stream, size_t index, model::Seq seq, model::StoredBlock& out);
  static bool is_damage(const Error& error);

  // salvage.cpp
  /// A segment that cannot be read, at run time: keeps what is good of it, declares the rest. False when even that failed.
  bool quarantine(model::Stream stream, uint32_t number, Instant now);
  struct Salvaged {
    model::Seq carved_last = 0;    ///< highest number seen anywhere, 0 if none
    bool is_end_certain = false;
  };
  /// Puts what is good of the file, of numbers in `plausible`, in its place; the file itself becomes bad-*.
  Result<Salvaged> salvage(model::Stream stream, uint32_t number, model::SeqRange plausible);
  /// Keeps the newest `most` quarantined files.
  void keep_bad_files(size_t most);

  // store_notes.cpp
  void note_loss();

  // rebase.cpp
  Status copy_renumbered(model::Stream stream, size_t first_old, size_t old_count);
  Status commit_rebase(model::Stream stream, size_t first_old, size_t old_count, Instant now);

  void refresh_status();
  void refresh_stream(model::Stream stream);
  void gaps_changed() { ++state_version_; }

  StoreOptions options_;
  Log& log_;
  platform::FileLock lock_;
  Space space_;
  std::unique_ptr<StateDb> state_db_;
  SegmentCache cache_;
  std::vector<Ring> rings_;
  std::array<Pending, model::stream_count> pending_;
  std::array<Unstored, model::stream_count> unstored_;
  std::array<model::Seq, model::stream_count> next_{1, 1, 1};
  BlockBuilder builder_;
  Nacked nacked_;
  Notes notes_;
  ContextDb context_;
  StoreStatus report_;
  Instant tell_full_disk_after_;
  std::vector<Completion> completions_;
  uint64_t state_version_ = 1;
  uint64_t numbering_ = 1;
  uint64_t room_credit_ = 0;  // freed while space was low and not used yet
  Error failure_;
  Instant reopen_at_ = never;
  Instant hints_due_ = never;
  bool has_new_hints_ = false;
  bool has_lost_notes_ = false;
};

}  // namespace tideline::agent
