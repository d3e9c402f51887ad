#include "agent/inputs/sampler.hpp"

#include <algorithm>
#include <cassert>

namespace tideline::agent {

size_t Sampler::add(Duration interval, Instant now) {
  assert(interval.nanos > 0);
  const Duration window = std::min(interval, seconds(1));
  const Duration phase = nanoseconds(static_cast<int64_t>(random_.below(static_cast<uint64_t>(window.nanos))));
  entries_.push_back({interval, now + phase});
  return entries_.size() - 1;
}

void Sampler::take_due(Instant now, std::vector<size_t>& out) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.due > now) continue;
    out.push_back(i);
    const int64_t missed = (now - entry.due).nanos / entry.interval.nanos;
    entry.due = entry.due + entry.interval * (missed + 1);
  }
}

Instant Sampler::next() const {
  Instant first = never;
  for (const Entry& entry : entries_) first = std::min(first, entry.due);
  return first;
}

}  // namespace tideline::agent
