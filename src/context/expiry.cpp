#include "context/expiry.hpp"

namespace tideline::context {
namespace {

bool is_over(const Write& write, int64_t now_ms) { return write.is_deleted || (write.expires_ms != 0 && write.expires_ms <= now_ms); }

}  // namespace

bool is_to_be_deleted(const Entry& entry, Side side, int64_t now_ms) {
  const Write& own = entry.of(side);
  if (!entry.is_current(side) || own.is_deleted || !is_over(own, now_ms)) return false;
  return !entry.is_current(other(side)) || is_over(entry.of(other(side)), now_ms);
}

std::vector<std::string> expired_paths(const Book::Entries& entries, Side side, int64_t now_ms, size_t most, int64_t& next_ms) {
  std::vector<std::string> paths;
  next_ms = INT64_MAX;
  for (const auto& [path, entry] : entries) {
    const Write& own = entry.of(side);
    if (own.expires_ms == 0 || own.is_deleted || !entry.is_current(side)) continue;
    if (own.expires_ms > now_ms) {
      next_ms = std::min(next_ms, own.expires_ms);
    } else if (is_to_be_deleted(entry, side, now_ms)) {
      if (paths.size() < most) paths.push_back(path);
      else next_ms = std::min(next_ms, own.expires_ms);
    } else if (entry.of(other(side)).expires_ms != 0) {
      next_ms = std::min(next_ms, entry.of(other(side)).expires_ms);
    }
  }
  return paths;
}

bool make_expiry(const std::string& path, const Entry& entry, const Judge& judge, HybridClock& clock, Register& made) {
  if (!is_to_be_deleted(entry, judge.me, now_ms(judge.now, clock))) return false;
  for (const Side side : sides) clock.observe(entry.of(side).stamp);
  if (clock.is_at_end()) return false;
  made = {path, judge.me, {clock.next(judge.now), entry.of(judge.me).seen, true, 0, "expired", ""}};
  return true;
}

}  // namespace tideline::context
