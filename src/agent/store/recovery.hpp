// Brings a Store up from whatever is in its directory. Never refuses because of damage (law 5): what cannot be read is set
// aside, what can is kept, the rest becomes a gap.
//
// Lives during Store::open(). Cost: one open and a few pages per sealed segment, a whole read of each unsealed one (at most
// one per stream after a crash) and of each damaged one.
#pragma once

#include <array>
#include <vector>

#include "agent/store/store.hpp"

namespace tideline::agent {

class Recovery {
 public:
  Recovery(Store& store, Instant now) : store_(store), now_(now) {}
  /// Errors: io, denied, full: the directory cannot be used at all.
  Status run();

 private:
  Status scan();
  void finish_salvage(const std::string& name, model::Stream stream, uint32_t number);
  void adopt_identity();
  void learn_from_segments();
  void finish_rebase();
  void load_notes();
  void load_ring(model::Stream stream);
  Status load_segment(model::Stream stream, uint32_t number, bool is_newest);
  void load_damaged(model::Stream stream, uint32_t number, bool is_newest, const Error& error);
  void skip_numbers(model::Stream stream);
  void drop_evicted(model::Stream stream);
  void derive_next(model::Stream stream);
  model::Anchor best_anchor() const;
  Status begin_run();

  Store& store_;
  Instant now_;
  StateDb::Origin origin_ = StateDb::Origin::nothing;
  std::array<std::vector<uint32_t>, model::stream_count> numbers_;  // of segment files, ascending
  std::array<bool, model::stream_count> is_end_uncertain_{};
  bool is_shorter_ = false;  // something may have been lost that the hub has seen
};

/// Keeps the best anchor of each boot, the given one's boot last.
void remember_anchor(State& state, const model::Anchor& anchor);

}  // namespace tideline::agent
