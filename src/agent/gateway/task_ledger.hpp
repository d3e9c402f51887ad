// Remembers calls by id across restarts, so that one that is sent again does not run twice and a result outlives its request. A call
// begun by an earlier process and not finished reads as interrupted: whether it had its effect is not known.
//
// Owner: whoever runs the calls; it saves take_changes() as notes, and lets a call start (or shows its id) only after the begin() is
// durable. Pure: times are given. After a crash: what was saved, put back with load(). Bounds: LedgerOptions; ended calls go first, oldest
// first, and after `keep` of the monotonic clock, counted anew by each process.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "mcp/task.hpp"

namespace tideline::agent {

enum class CallState : uint8_t { running, finished, cancelled, interrupted };
const char* call_state_name(CallState state);

/// What is being called, by whom.
struct LedgerCall {
  std::string id;         ///< 1 to limits::note_key_bytes less the prefix, of printable ASCII
  std::string tool;
  std::string principal;  ///< nobody else may see it
  bool is_idempotent = false;
};

struct LedgerEntry {
  LedgerCall call;
  CallState state = CallState::running;
  UtcNanos begun_at;
  UtcNanos changed_at;
  Instant ended_at = never;  ///< in this process
  std::string result_json;   ///< of a finished one: the body of the method's result
};

struct LedgerOptions {
  std::string prefix = "task/";  ///< of the notes' keys
  size_t most = limits::ledger_calls;
  size_t bytes = limits::ledger_bytes;
  Duration keep = limits::ledger_keep;
};

/// A note to write; an empty text deletes it.
struct LedgerChange {
  std::string key;
  std::string text;
};

class TaskLedger {
 public:
  enum class Begin : uint8_t {
    run,          ///< new, or idempotent and interrupted: run it once the change is durable
    running,      ///< under way in this process: it is not started again
    ended,        ///< finished or cancelled: find() has the result
    interrupted,  ///< an earlier process began it and it is not idempotent: must not run again
    refused,      ///< the id belongs to another principal or tool, or makes no key
    full,         ///< LedgerOptions::most calls are running
  };

  explicit TaskLedger(LedgerOptions options = {}) : options_(std::move(options)) {}

  Begin begin(const LedgerCall& call, UtcNanos utc, Instant now);
  /// Both return false when the call is not running. A result longer than limits::ledger_result_bytes is replaced by an error that says so.
  bool finish(std::string_view id, std::string_view result_json, UtcNanos utc, Instant now);
  bool cancel(std::string_view id, UtcNanos utc, Instant now);
  /// As if it had never begun.
  void forget(std::string_view id);

  const LedgerEntry* find(std::string_view id) const;
  /// Null also when it is somebody else's.
  const LedgerEntry* find(std::string_view id, std::string_view principal) const;
  size_t size() const { return entries_.size(); }

  /// Puts a note back at start. One that cannot be read is interrupted, and nobody's.
  void load(std::string_view key, std::string_view text, Instant now);
  /// What must be saved since the last time, one change per id.
  std::vector<LedgerChange> take_changes();
  /// Drops what ended too long ago.
  void expire(Instant now);
  Instant next_expiry() const;

  std::string key_of(std::string_view id) const { return options_.prefix + std::string(id); }

 private:
  using Entries = std::map<std::string, LedgerEntry, std::less<>>;
  void end(LedgerEntry& entry, CallState state, UtcNanos utc, Instant now);
  bool make_room(const LedgerEntry* spared);
  void drop(Entries::iterator entry);
  void note(const std::string& id);

  LedgerOptions options_;
  Entries entries_;
  size_t bytes_ = 0;  ///< of results
  std::vector<std::string> changed_;
};

/// As tasks/get shows it. `ttl` counts from the creation.
mcp::Task task_of(const LedgerEntry& entry, Duration ttl);

}  // namespace tideline::agent
