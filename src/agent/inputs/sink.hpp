// Where inputs put readings. The agent implements it (agent/collector.hpp): it owns one batch per class, hands them to
// the outbox at the end of the turn, and says when there is no room.
//
// Thread: loop. Bounds: the implementation's; writers ask has_room() before each line or sample.
#pragma once

#include "base/result.hpp"
#include "model/reading.hpp"
#include "model/series.hpp"

namespace tideline::agent {

/// A series that was looked up: ids are never reused within an epoch, so a handle may be kept as long as the process.
struct SeriesHandle {
  model::SeriesId id = 0;
  model::Stream stream = model::Stream::normal;
};

class Sink {
 public:
  virtual ~Sink() = default;
  /// Looks `series` up or adds it. Costs a hash of the whole series: callers keep the handle. Errors: invalid, limit, io.
  virtual Result<SeriesHandle> resolve(const model::Series& series) = 0;
  /// The readings of this turn of class `stream`: add to it. The reference is good until control returns to the loop.
  virtual model::ReadingBatch& batch(model::Stream stream) = 0;
  /// False: add nothing more; stop reading from the producer until the agent says that there is room.
  virtual bool has_room() const = 0;
  /// `readings` were produced, cannot wait (a sensor has no memory), and found no room: they become a gap.
  virtual void declare_lost(model::Stream stream, uint64_t readings) = 0;
};

}  // namespace tideline::agent
