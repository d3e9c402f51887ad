#include "hub/fleet/slots.hpp"

namespace tideline::hub {

void Slots::hold(uint64_t link, Instant now) {
  held_until_[link] = now + bounds_.longest;
  ends_.emplace_back(now + bounds_.longest, link);
}

void Slots::take_back(Instant now) {
  while (!ends_.empty() && (ends_.front().first <= now || !has(ends_.front().second))) {
    held_until_.erase(ends_.front().second);
    ends_.pop_front();
  }
}

bool Slots::ask(uint64_t link, Instant now) {
  take_back(now);
  if (waiting_.empty() && is_free()) {
    hold(link, now);
    return true;
  }
  if (waiting_.insert(link).second) queue_.push_back(link);
  return false;
}

void Slots::leave(uint64_t link) {
  held_until_.erase(link);
  waiting_.erase(link);
}

std::vector<uint64_t> Slots::next(Instant now) {
  take_back(now);
  std::vector<uint64_t> links;
  while (!queue_.empty() && (is_free() || !waiting_.contains(queue_.front()))) {
    const uint64_t link = queue_.front();
    queue_.pop_front();
    if (waiting_.erase(link) == 0) continue;
    hold(link, now);
    links.push_back(link);
  }
  return links;
}

}  // namespace tideline::hub
