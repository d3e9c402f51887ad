// One producer on the ingest socket or on standard input: lines in, replies to "#sync" out. A pure state machine; the agent
// moves the bytes.
//
// A producer may send lines and never read. A line "#sync" asks that everything before it be made durable; once it is, one line
// of JSON tells the counts since the previous #sync:
//   {"accepted":3,"rejected":1,"readings":3,"errors":[{"line":2,"reason":"value is not a number"}]}
// with "error":"..." when the store refused. accepted and rejected count lines; lines are numbered from 1 per connection.
// Replies come in the order of the #sync lines. "#" begins a comment. Without #sync nothing is ever sent.
//
// Owned by the agent's ingest connection. Thread: loop. Bounds: limits::ingest_syncs in flight, limits::ingest_errors_reported
// per reply, one unfinished line.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "agent/inputs/line_parser.hpp"
#include "agent/inputs/line_splitter.hpp"
#include "base/limits.hpp"

namespace tideline::agent {

class IngestSession {
 public:
  using SyncId = uint64_t;

  class Owner {
   public:
    virtual ~Owner() = default;
    /// Make durable what this session has added to its sink; answer later (not from within) with on_durable(id, ...).
    virtual void request_sync(IngestSession& session, SyncId id) = 0;
    /// One line of JSON, its end of line included.
    virtual void send_reply(IngestSession& session, std::string line) = 0;
  };
  struct ErrorLine {
    uint64_t line = 0;
    const char* reason = "";
  };
  struct Counts {
    uint64_t accepted = 0;
    uint64_t rejected = 0;
    uint64_t readings = 0;
    std::vector<ErrorLine> errors;  ///< the first limits::ingest_errors_reported
  };

  IngestSession(const SeriesRules& rules, Sink& sink, Owner& owner, LineOptions options = {});

  /// Takes lines from `bytes`; returns how many bytes were used. Less than all: the sink is full or too many #syncs wait; stop
  /// reading, and feed the rest again when there is room or after on_durable().
  size_t feed(Bytes bytes, UtcNanos now);
  /// End of input: the last line may lack its end of line. False: no room yet, call again.
  bool finish(UtcNanos now);
  /// What request_sync() asked for is durable, or why not. Once for each id.
  void on_durable(SyncId id, const Status& status);

  size_t syncs_in_flight() const { return syncs_.size(); }
  /// Since the connection began.
  const Counts& totals() const { return totals_; }

 private:
  struct Sync {
    SyncId id = 0;
    Counts counts;
    bool is_done = false;
    Status status;
  };
  bool can_take() const { return sink_.has_room() && syncs_.size() < limits::ingest_syncs; }
  void take(const LineSplitter::Line& line, UtcNanos now);
  void reject(const char* reason);
  static void reject(Counts& counts, uint64_t line, const char* reason);
  void begin_sync();

  Sink& sink_;
  Owner& owner_;
  LineSplitter splitter_;
  LineParser parser_;
  uint64_t line_number_ = 0;
  Counts counts_;   // since the last #sync
  Counts totals_;
  std::deque<Sync> syncs_;
  SyncId next_sync_ = 1;
};

}  // namespace tideline::agent
