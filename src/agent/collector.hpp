// The readings of one loop turn on their way to the outbox: one batch per class, handed over at the end of the turn, so that many
// producers share a commit; in a large turn also between, so that the store's thread begins while lines are still read, with
// buffers that are used again. Answers producers that wait for durability.
//
// Owned by Agent. Thread: loop. Holds nothing durable. Bounded by limits::collector_readings per class; beyond it has_room() is
// false and writers wait.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "agent/inputs/sink.hpp"
#include "agent/store/outbox.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class Collector final : public Sink, private uv::TurnEnd::Listener {
 public:
  using Ticket = uint64_t;
  /// Which handing over readings belong to, counted from 1: "everything up to this".
  using Position = uint64_t;

  class Listener {
   public:
    virtual ~Listener() = default;
    /// Everything up to the sync() with this ticket is durable, or why not all of it is.
    virtual void on_synced(Ticket ticket, const Status& status) = 0;
    /// There was no room and now there is.
    virtual void on_room() = 0;
    /// The readings of one turn, before they go to the outbox.
    virtual void on_batch(model::Stream, const model::ReadingBatch&) {}
  };

  Collector(Outbox& outbox, uv::Loop& loop, Listener& listener);

  Result<SeriesHandle> resolve(const model::Series& series) override;
  model::ReadingBatch& batch(model::Stream stream) override;
  bool has_room() const override;
  void declare_lost(model::Stream stream, uint64_t readings) override { outbox_.declare_overrun(stream, readings); }

  /// Where a producer begins that comes now: failures before it are not its own.
  Position position() const { return collecting_ - 1; }
  /// Makes durable what was added so far; on_synced(ticket) follows, in the order of the calls. A failure that happened after
  /// `since` (position() when the producer came, then what the last call for it returned) is reported too.
  Position sync(Ticket ticket, Position since);

  /// Event of the outbox.
  void on_appended(Outbox::Token token, const Status& status);

 private:
  struct Outstanding {
    Outbox::Token token = 0;
    Position position = 0;
    bool is_done = false;
  };
  struct Waiting {
    Ticket ticket = 0;
    Position since = 0;
    Position upto = 0;
  };
  struct Failure {
    Position position = 0;
    Status status;
  };

  void on_turn_end() override;
  void hand_over();
  void answer_waiting();
  void tell_room();
  Status status_between(Position since, Position upto) const;

  Outbox& outbox_;
  Listener& listener_;
  uv::TurnEnd turn_end_;
  std::array<model::ReadingBatch, model::stream_count> batches_;
  std::deque<Outstanding> outstanding_;  // appended, not yet answered; ascending
  std::deque<Waiting> waiting_;
  std::deque<Failure> failures_;         // the newest limits::collector_failures
  Outbox::Token last_token_ = 0;
  Position collecting_ = 1;              // of the readings in batches_
  bool wants_sync_ = false;
  mutable bool said_no_ = false;         // somebody waits for on_room()
};

}  // namespace tideline::agent
