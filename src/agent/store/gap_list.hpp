// The gap records of one stream: sorted, disjoint, neighbours of the same reason joined. A plain value.
//
// Owned by State. Bounded by limits::gaps_per_stream: the caller merges or evicts when is_over_limit().
#pragma once

#include <vector>

#include "model/stream_state.hpp"

namespace tideline::agent {

class GapList {
 public:
  /// Adds the part of `gap` that no record covers yet; a gap that is cut keeps its count in proportion to what is left of it
  /// (exact when count == width). Touching records of the same reason become one.
  void add(const model::Gap& gap);
  /// The record that holds `seq`, or null.
  const model::Gap* find(model::Seq seq) const;
  /// First record that starts at or after `seq`, or null.
  const model::Gap* next_from(model::Seq seq) const;
  /// Records that end at or after `from`.
  std::vector<model::Gap> from(model::Seq from) const;
  bool covers(model::SeqRange range) const;

  /// Merges the oldest two neighbours between which `is_held` finds nothing; false when there are none.
  template <class IsHeld>
  bool merge_oldest(IsHeld is_held) {
    for (size_t i = 0; i + 1 < gaps_.size(); ++i) {
      const model::SeqRange between{gaps_[i].range.last + 1, gaps_[i + 1].range.first - 1};
      if (!between.is_empty() && is_held(between)) continue;
      merge(i);
      return true;
    }
    return false;
  }
  bool is_over_limit() const;

  /// Everything from `from` on moves up by `by`; a record across `from` is split.
  void shift(model::Seq from, uint64_t by);

  const std::vector<model::Gap>& all() const { return gaps_; }
  void assign(std::vector<model::Gap> gaps) { gaps_ = std::move(gaps); }
  /// Readings lost; rollback gaps lost nothing.
  uint64_t lost() const;
  model::Seq last() const { return gaps_.empty() ? 0 : gaps_.back().range.last; }

 private:
  void insert(model::Gap gap);
  void merge(size_t index);
  std::vector<model::Gap> gaps_;
};

/// `gap` without what lies outside `range`; its count shrinks as described at add().
model::Gap clip(const model::Gap& gap, model::SeqRange range);

}  // namespace tideline::agent
