// Readings of one stream that were taken in and are not committed yet: the loss window of a crash. Says when a commit is due.
//
// Owned by Store. Thread: store. Bounded by limits::pending_readings, which Outbox enforces over all streams.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "agent/store/store_types.hpp"
#include "base/time.hpp"
#include "model/anchor.hpp"
#include "model/reading.hpp"

namespace tideline::agent {

struct PendingBatch {
  model::ReadingBatch batch;
  Durability durability = Durability::synced;
  uint64_t token = 0;
  Instant taken;
  model::Anchor anchor;  ///< in force when the readings were stamped
};

class Pending {
 public:
  /// `interval` is how long a reading that nobody waits for may stay.
  explicit Pending(Duration interval) : interval_(interval) {}

  void add(PendingBatch batch);
  /// When the next commit is due: long ago if at once, never if nothing is pending.
  Instant due() const { return due_; }
  /// Hands all of it over, oldest first.
  std::vector<PendingBatch> take();
  const std::vector<PendingBatch>& batches() const { return batches_; }
  uint64_t readings() const { return readings_; }
  /// Tells what a commit came to, so that the next one is made at about limits::commit_bytes.
  void note_encoded(uint64_t readings, uint64_t bytes);

 private:
  Duration interval_;
  std::vector<PendingBatch> batches_;
  uint64_t readings_ = 0;
  uint64_t text_bytes_ = 0;
  double bytes_per_reading_ = 4;
  Instant due_ = never;
};

}  // namespace tideline::agent
