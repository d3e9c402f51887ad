// Which devices may send their backlog when many come back at once: as many as hold a slot, the others in the order they came.
//
// A device that waits is online all the same (calls, context, presence); its welcome grants no credit and a credit frame follows
// (src/link/FORMAT.md). A slot is held until the backlog has come or `longest` has passed: one slow device does not stop the queue, and
// what it sends afterwards is bounded by its own credit. Owned by the fleet. Thread: loop. Pure: time comes in with each event.
// Nothing outlives a crash. Bounded by the number of links.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.hpp"

namespace tideline::hub {

struct SlotBounds {
  size_t slots = 256;              ///< times limits::credit_bytes is what a storm may hold in memory
  Duration longest = seconds(2);   ///< a device at the other end of a slow line: 10,000 of them are through in 80 s
};

class Slots {
 public:
  explicit Slots(SlotBounds bounds = {}) : bounds_(bounds) {}

  /// True: `link` has a slot. False: it waits, and next() will name it.
  bool ask(uint64_t link, Instant now);
  /// Its backlog has come, or it went away; nothing when it neither has a slot nor waits.
  void leave(uint64_t link);
  /// Those whose turn has come, to be told so.
  std::vector<uint64_t> next(Instant now);
  bool has(uint64_t link) const { return held_until_.contains(link); }
  size_t waiting() const { return waiting_.size(); }

 private:
  bool is_free() const { return held_until_.size() < bounds_.slots; }
  void hold(uint64_t link, Instant now);
  void take_back(Instant now);

  SlotBounds bounds_;
  std::unordered_map<uint64_t, Instant> held_until_;
  std::deque<std::pair<Instant, uint64_t>> ends_;   // in the order they were given; left ones are skipped
  std::deque<uint64_t> queue_;                      // likewise
  std::unordered_set<uint64_t> waiting_;
};

}  // namespace tideline::hub
