#include "agent/store/gap_list.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {
namespace {

using model::Gap;
using model::Seq;

/// Joins the times of two records; 0 means unknown.
int64_t earlier(int64_t a, int64_t b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

auto first_ending_at(const std::vector<Gap>& gaps, Seq seq) {
  return std::lower_bound(gaps.begin(), gaps.end(), seq, [](const Gap& gap, Seq value) { return gap.range.last < value; });
}

}  // namespace

Gap clip(const Gap& gap, model::SeqRange range) {
  Gap part = gap;
  part.range.first = std::max(gap.range.first, range.first);
  part.range.last = std::min(gap.range.last, range.last);
  const uint64_t width = gap.range.count();
  const uint64_t left = part.range.count();
  if (left == width) return part;
  // What is not exact lies anywhere in the range: never claim more than is left of it.
  part.count = gap.count == width ? left : std::min(left, gap.count);
  return part;
}

void GapList::add(const Gap& gap) {
  Seq from = gap.range.first;
  while (from <= gap.range.last) {
    const auto next = first_ending_at(gaps_, from);
    if (next == gaps_.end() || next->range.first > gap.range.last) {
      insert(clip(gap, {from, gap.range.last}));
      return;
    }
    const Seq after = next->range.last + 1;
    if (next->range.first > from) insert(clip(gap, {from, next->range.first - 1}));
    from = after;
  }
}

const Gap* GapList::find(Seq seq) const {
  const auto at = first_ending_at(gaps_, seq);
  return at != gaps_.end() && at->range.first <= seq ? &*at : nullptr;
}

const Gap* GapList::next_from(Seq seq) const {
  const auto at = std::lower_bound(gaps_.begin(), gaps_.end(), seq, [](const Gap& gap, Seq value) { return gap.range.first < value; });
  return at != gaps_.end() ? &*at : nullptr;
}

std::vector<Gap> GapList::from(Seq from) const { return {first_ending_at(gaps_, from), gaps_.end()}; }

bool GapList::covers(model::SeqRange range) const {
  for (Seq seq = range.first; seq <= range.last;) {
    const Gap* gap = find(seq);
    if (gap == nullptr) return false;
    seq = gap->range.last + 1;
  }
  return true;
}

bool GapList::is_over_limit() const { return gaps_.size() > limits::gaps_per_stream; }

void GapList::shift(Seq from, uint64_t by) {
  std::vector<Gap> moved;
  moved.reserve(gaps_.size() + 1);
  for (const Gap& gap : gaps_) {
    if (gap.range.first < from) moved.push_back(clip(gap, {1, from - 1}));
    if (gap.range.last < from) continue;
    Gap rest = clip(gap, {from, gap.range.last});
    if (gap.range.first < from) rest.count = gap.count - moved.back().count;
    rest.range.first += by;
    rest.range.last += by;
    moved.push_back(rest);
  }
  gaps_ = std::move(moved);
}

uint64_t GapList::lost() const {
  uint64_t count = 0;
  for (const Gap& gap : gaps_) {
    if (gap.reason != model::GapReason::rollback) count += gap.count;
  }
  return count;
}

void GapList::insert(Gap gap) {
  auto at = std::lower_bound(gaps_.begin(), gaps_.end(), gap.range.first,
                             [](const Gap& known, Seq value) { return known.range.first < value; });
  at = gaps_.insert(at, gap);
  const auto index = static_cast<size_t>(at - gaps_.begin());
  const auto touches = [this](size_t i) {
    return gaps_[i].range.last + 1 == gaps_[i + 1].range.first && gaps_[i].reason == gaps_[i + 1].reason;
  };
  if (index + 1 < gaps_.size() && touches(index)) merge(index);
  if (index > 0 && touches(index - 1)) merge(index - 1);
}

void GapList::merge(size_t index) {
  Gap& into = gaps_[index];
  const Gap& from = gaps_[index + 1];
  const bool is_exact = into.range.last + 1 == from.range.first && into.reason == from.reason;
  into.at_least = into.at_least || from.at_least || !is_exact;
  if (from.count > into.count) into.reason = from.reason;
  into.range.last = from.range.last;
  into.count += from.count;
  into.from_ns = earlier(into.from_ns, from.from_ns);
  into.to_ns = std::max(into.to_ns, from.to_ns);
  into.declared_ns = std::max(into.declared_ns, from.declared_ns);
  gaps_.erase(gaps_.begin() + static_cast<ptrdiff_t>(index) + 1);
}

}  // namespace tideline::agent
