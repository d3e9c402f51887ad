#include "model/stream_state.hpp"

#include <algorithm>

namespace tideline::model {

const char* gap_reason_name(GapReason reason) {
  static constexpr const char* names[] = {"evicted", "damaged", "rollback", "refused", "overrun", "disk_full", "hub_rollback"};
  return names[static_cast<size_t>(reason)];
}

bool SeqRanges::add(SeqRange range, size_t most) {
  if (range.is_empty()) return true;
  // [begin, end) are the held ranges that overlap or touch the new one.
  const auto begin = std::find_if(ranges_.begin(), ranges_.end(), [&](const SeqRange& held) { return held.last >= range.first || held.last == range.first - 1; });
  auto end = begin;
  SeqRange joined = range;
  for (; end != ranges_.end() && (end->first <= range.last || end->first - 1 == range.last); ++end) {
    joined.first = std::min(joined.first, end->first);
    joined.last = std::max(joined.last, end->last);
  }
  if (begin == end && ranges_.size() >= most) return false;
  if (begin == end) {
    ranges_.insert(begin, joined);
  } else {
    *begin = joined;
    ranges_.erase(begin + 1, end);
  }
  return true;
}

bool SeqRanges::contains(Seq seq) const { return covers({seq, seq}); }

bool SeqRanges::covers(SeqRange range) const {
  return range.is_empty() || std::any_of(ranges_.begin(), ranges_.end(), [&](const SeqRange& held) {
           return held.first <= range.first && held.last >= range.last;
         });
}

Seq SeqRanges::cursor() const { return !ranges_.empty() && ranges_.front().first == 1 ? ranges_.front().last : 0; }

SeqRange SeqRanges::first_missing(Seq from, Seq to) const {
  for (const SeqRange& held : ranges_) {
    if (held.last < from) continue;
    if (held.first > from) return {from, std::min(to, held.first - 1)};
    if (held.last >= to) return {};
    from = held.last + 1;
  }
  return {from, to};
}

bool may_touch(const Gap& gap, int64_t from_ns, int64_t to_ns) {
  const bool is_before = gap.to_ns != 0 && gap.to_ns < from_ns;
  const bool is_after = gap.from_ns != 0 && gap.from_ns >= to_ns;
  return !is_before && !is_after;
}

}  // namespace tideline::model
