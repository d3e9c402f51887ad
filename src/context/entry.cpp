#include "context/entry.hpp"

#include <array>
#include <tuple>
#include <utility>

#include "base/crc.hpp"

namespace tideline::context {
namespace {

constexpr std::array<const char*, 4> rule_names = {"last_writer", "device_wins", "hub_wins", "keep_both"};

Side winner_of(const Entry& entry, Rule rule) {
  if (!entry.is_conflict()) return entry.is_current(Side::hub) ? Side::hub : Side::device;
  if (rule == Rule::device_wins) return Side::device;
  if (rule == Rule::hub_wins) return Side::hub;
  return entry.of(Side::device).stamp > entry.of(Side::hub).stamp ? Side::device : Side::hub;
}

/// The finalizer of SplitMix64: every bit of the input reaches every bit of the sum.
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint32_t content_of(const Write& write) {
  uint8_t numbers[17];
  store_le(numbers, write.seen);
  store_le(numbers + 8, static_cast<uint64_t>(write.expires_ms));
  numbers[16] = write.is_deleted ? 1 : 0;
  return crc32c(as_bytes(write.value), crc32c(as_bytes(write.author), crc32c(numbers)));
}

}  // namespace

const char* rule_name(Rule rule) { return rule_names[static_cast<size_t>(rule)]; }

bool parse_rule(std::string_view text, Rule& rule) {
  for (size_t i = 0; i < rule_names.size(); ++i) {
    if (text != rule_names[i]) continue;
    rule = static_cast<Rule>(i);
    return true;
  }
  return false;
}

View view_of(const Entry& entry, Rule rule, int64_t now_ms) {
  View view;
  view.side = winner_of(entry, rule);
  const Write& winner = entry.of(view.side);
  if (winner.stamp == 0) return view;
  view.winner = &winner;
  if (entry.is_conflict()) view.loser = &entry.of(other(view.side));
  const bool is_expired = winner.expires_ms != 0 && winner.expires_ms <= now_ms;
  if (!winner.is_deleted && !is_expired) view.value = &winner;
  return view;
}

Entry& Entry::operator=(const Entry& other) {
  if (this == &other) return *this;
  write_ = other.write_;
  second_ = other.second_ == nullptr ? nullptr : std::make_unique<Write>(*other.second_);
  first_ = other.first_;
  return *this;
}

Write& Entry::of(Side side) {
  if (first_ == First::none) first_ = first_of(side);
  if (first_ == first_of(side)) return write_;
  if (second_ == nullptr) second_ = std::make_unique<Write>();
  return *second_;
}

const Write& Entry::of(Side side) const {
  static const Write nothing;
  if (first_ == first_of(side)) return write_;
  return second_ == nullptr ? nothing : *second_;
}

bool replaces(const Write& write, const Write& held) {
  if (write.stamp != held.stamp) return write.stamp > held.stamp;
  const auto content = [](const Write& w) { return std::tie(w.seen, w.is_deleted, w.expires_ms, w.value, w.author); };
  return content(held) < content(write);
}

bool merge(Entry& entry, Side side, const Write& write) {
  if (!replaces(write, std::as_const(entry).of(side))) return false;
  entry.of(side) = write;
  return true;
}

uint64_t digest_of(std::string_view path, const Entry& entry) {
  const bool has_value = (entry.is_current(Side::device) && !entry.of(Side::device).is_deleted) ||
                         (entry.is_current(Side::hub) && !entry.of(Side::hub).is_deleted);
  if (!has_value) return 0;
  uint64_t sum = 0xcbf29ce484222325;  // FNV-1a, as elsewhere in the program
  for (const char c : path) sum = (sum ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  for (const Side side : sides) {
    const Write& write = entry.of(side);
    sum = mix(entry.is_current(side) ? mix(sum ^ write.stamp) ^ content_of(write) : sum);
  }
  return sum;
}

Weight weight_of(std::string_view path, const Entry& entry) {
  Weight weight;
  if (entry.of(Side::device).stamp == 0 && entry.of(Side::hub).stamp == 0) return weight;
  bool has_value = false;
  for (const Side side : sides) {
    const Write& write = entry.of(side);
    if (write.stamp == 0) continue;
    weight.bytes += write.value.size();
    has_value = has_value || (entry.is_current(side) && !write.is_deleted);
  }
  weight.bytes += path.size();
  weight.entries = has_value ? 1 : 0;
  weight.tombstones = has_value ? 0 : 1;
  return weight;
}

}  // namespace tideline::context
