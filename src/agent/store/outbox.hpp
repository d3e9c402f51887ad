// The edge store as the event loop sees it: append, read back, acknowledge, ask. All storage work runs on the store thread
// (law 7); answers come back through Listener on the loop thread, in the order of the requests of one kind.
//
// Owned by Agent. Thread: loop. Bounded by limits::pending_readings and limits::store_bytes_*. After a crash the store holds
// every batch whose on_appended() was delivered with Durability::synced, and of the others all or nothing per batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/context_db.hpp"
#include "agent/store/store_types.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "model/anchor.hpp"
#include "model/query.hpp"
#include "model/reading.hpp"
#include "model/series.hpp"
#include "model/stream_state.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class Outbox {
 public:
  using Token = uint64_t;

  class Listener {
   public:
    virtual ~Listener() = default;
    /// The batch is durable, or why not (full, io; nothing of it was kept).
    virtual void on_appended(Token token, Status status) = 0;
    /// Blocks and gaps of one fetch(), ascending. Of [from, covered_to], what lies in none of them was delivered and freed.
    /// covered_to < from: nothing there (yet), or nothing could be read.
    virtual void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks,
                            std::vector<model::Gap> gaps, model::Seq covered_to) = 0;
    /// The answer to ask(); an error says what was wrong with the question or the store.
    virtual void on_answer(Token token, Result<model::QueryAnswer> answer) = 0;
    /// New data is durable in `stream`, up to next - 1: the drain may go on.
    virtual void on_committed(model::Stream stream, model::Seq next) = 0;
    /// rebase() finished.
    virtual void on_rebased(model::Stream stream, Status status) = 0;
    /// put_note(): durable, or why not. full: nothing changed. io: the old text or the new one is kept.
    virtual void on_noted(Token, Status) {}
    /// get_note(). Errors: not_found, busy (limits::note_reads), corrupt and io (the text is lost, or cannot be read now).
    virtual void on_note(Token, Result<std::string>) {}
    /// put_context(): durable, or why not. full: nothing changed. io: the old registers or the new ones are kept. corrupt: the store
    /// began an empty context; put everything again.
    virtual void on_context_put(Token, Status) {}
    virtual void on_context_history(Token, Result<std::vector<context::Register>>) {}
  };

  /// Opens or creates the store: blocks the caller (start-up only) for at most a few seconds of recovery. Takes the lock.
  /// `now` and `anchor` are those of the composition root; `boot_id` the hash of the kernel's boot id.
  /// Errors: busy (another process owns it; native is its pid if known), io, denied. Damage is never an error (law 5).
  static Result<std::unique_ptr<Outbox>> open(const StoreOptions& options, const model::Anchor& anchor, uv::Loop& loop,
                                              Listener& listener, Log& log);
  virtual ~Outbox() = default;

  /// The id of a series, new ones durable before the first block that uses them. Errors: invalid, limit.
  virtual Result<model::SeriesId> series_id(const model::Series& series) = 0;
  virtual const model::SeriesDictionary& dictionary() const = 0;

  /// Buffers of batches up to so many readings are kept and used again; a larger batch is taken as well.
  static constexpr size_t batch_readings = 2048;
  /// Hands over `batch` (all of series of class `stream`). Errors: full when limits::pending_readings would be passed; then
  /// nothing was taken, and the caller should stop reading from its producer until has_room().
  virtual Status append(model::Stream stream, model::ReadingBatch&& batch, Durability durability, Token token, Instant now) = 0;
  virtual bool has_room() const = 0;
  /// `readings` of `stream` were produced and could not be taken (append() said full and they cannot wait): they get a gap
  /// (overrun) with the next commit, so that they are missing with a trace. Neighbouring losses become one record.
  virtual void declare_overrun(model::Stream stream, uint64_t readings) = 0;
  /// Commits everything pending now; its tokens are answered as usual.
  virtual void flush() = 0;

  /// Reads from `from` upwards: at most about `max_bytes` of blocks, at least one block or gap if there is any.
  virtual void fetch(model::Stream stream, model::Seq from, size_t max_bytes) = 0;
  /// What the hub holds durably, absolute (from welcome) or added (from ack). Frees segments.
  /// After set_acknowledged() a fetch() of numbers that are neither held, nor acknowledged, nor in a gap record (the hub was
  /// restored from a backup and forgot them) skips them: the uplink declares the difference.
  virtual void set_acknowledged(model::Stream stream, const model::SeqRanges& ranges) = 0;
  virtual void add_acknowledged(model::Stream stream, model::SeqRange range) = 0;
  /// The hub cannot decode this block: set it aside under limits::nacked_bytes and declare a gap (refused).
  virtual void set_aside(model::Stream stream, model::SeqRange range) = 0;
  /// The store is older than the hub, or another copy of it wrote there: numbers from `from` on, with all that has them (blocks,
  /// gap records, beginnings of runs), move up so that `from` becomes `next`; a rollback gap is declared for [from, next - 1] and
  /// the incarnation is raised. With next == from nothing moves; the incarnation is raised all the same. Durable when
  /// on_rebased() comes. Requests made before are answered before.
  virtual void rebase(model::Stream stream, model::Seq from, model::Seq next) = 0;
  /// Gap records of `stream` that end at or after `from`. From memory.
  virtual std::vector<model::Gap> gaps(model::Stream stream, model::Seq from) const = 0;
  /// Runs known to this store, oldest first, at most limits::runs.
  virtual std::vector<model::Run> runs() const = 0;
  /// Anchors of this and earlier boots, newest boot last, at most limits::anchors.
  virtual std::vector<model::Anchor> anchors() const = 0;
  /// A better anchor for the present boot; kept durably and used for blocks from now on.
  virtual void set_anchor(const model::Anchor& anchor) = 0;

  virtual void ask(model::Query query, Token token) = 0;
  /// As of the last commit; cheap.
  virtual const StoreStatus& status() const = 0;
  /// When the store thread began what it is doing; never while it waits for work. For the watchdog.
  virtual Instant busy_since() const { return never; }
  /// Small durable settings of the agent (key to text), e.g. reconnect hints. From memory; set is durable soon.
  virtual std::optional<std::string> setting(const std::string& key) const = 0;
  virtual void set_setting(const std::string& key, const std::string& value) = 0;

  /// Notes: small durable texts under keys (call ledger, child servers). Answered by on_noted() after the sync; those of one loop
  /// turn share it. An empty text deletes. Bounds: limits::{note_key_bytes, note_bytes, notes, notes_bytes}. When notes are lost
  /// to damage the incarnation is raised, so that nobody takes "not noted" for "did not happen".
  /// Errors at once, without an event: invalid (key empty, too long, or not UTF-8), limit (text), full (limits::note_puts_bytes), closed.
  virtual Status put_note(const std::string& key, std::string text, Token token) = 0;
  /// Answered by on_note(); sees every put_note() made before.
  virtual void get_note(const std::string& key, Token token) = 0;
  /// Keys that begin with `prefix`, in order, as of the last on_noted(). From memory.
  virtual std::vector<std::string> note_keys(std::string_view prefix) const = 0;

  /// The context as it was when the store was opened; given out once.
  virtual ContextImage take_context() = 0;
  /// All or nothing, answered by on_context_put() after the sync; those of one loop turn share it. The caller bounds what waits.
  /// Errors at once, without an event: closed.
  virtual Status put_context(ContextPut put) = 0;
  /// Answered by on_context_history() with the writes to `path`, newest first; sees every put_context() made before.
  virtual void ask_context_history(std::string path, Token token) = 0;

  /// Commits, seals and stops the store thread; no event comes afterwards. Bounded by the disk's own sync time.
  virtual void close() = 0;
};

}  // namespace tideline::agent
