#include "context/book.hpp"

#include <algorithm>
#include <set>

#include "context/limits.hpp"

namespace tideline::context {

Weight weight_of(std::string_view path, const Entry& entry) {
  Weight weight;
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

size_t size_of(const Register& reg) { return reg.path.size() + reg.write.value.size() + reg.write.author.size() + 40; }

void Book::count(const std::string& path, const Entry& entry, bool is_added) {
  const Weight weight = weight_of(path, entry);
  const uint64_t digest = digest_of(path, entry);
  state_.digest += is_added ? digest : -digest;
  state_.entries += is_added ? weight.entries : -weight.entries;
  totals_.bytes += is_added ? weight.bytes : -weight.bytes;
  const auto tombstones = static_cast<size_t>(weight.tombstones);
  tombstones_ += is_added ? tombstones : -tombstones;
  totals_.entries = static_cast<size_t>(state_.entries);
}

Result<bool> Book::put(const Register& reg) {
  auto held = entries_.find(reg.path);
  if (held != entries_.end() && reg.write.stamp <= held->second.of(reg.side).stamp) return false;
  if (held == entries_.end() && entries_.size() >= limits::replica_entries + limits::tombstones) {
    return Error{ErrorCode::limit, 0, "the context has too many entries"};
  }
  if (totals_.bytes + reg.path.size() + reg.write.value.size() > 2 * limits::bytes + limits::value_bytes) {
    return Error{ErrorCode::limit, 0, "the context is too large"};
  }
  if (held == entries_.end()) {
    held = entries_.emplace(reg.path, Entry{}).first;
  } else {
    count(held->first, held->second, false);
  }
  merge(held->second, reg.side, reg.write);
  count(held->first, held->second, true);
  std::vector<Place>& order = order_[index_of(reg.side)];
  if (!order.empty() && order.back().stamp > reg.write.stamp) is_sorted_[index_of(reg.side)] = false;
  order.push_back({reg.write.stamp, &*held});
  state_.tops[reg.side] = std::max(state_.tops[reg.side], reg.write.stamp);
  if (order.size() > 2 * entries_.size() + 64) sort(reg.side);
  return true;
}

const Entry* Book::find(std::string_view path) const {
  const auto held = entries_.find(path);
  return held == entries_.end() ? nullptr : &held->second;
}

void Book::sort(Side side) {
  std::vector<Place>& order = order_[index_of(side)];
  std::erase_if(order, [&](const Place& place) { return !is_in_force(side, place); });
  std::sort(order.begin(), order.end(), [](const Place& a, const Place& b) { return a.stamp < b.stamp; });
  is_sorted_[index_of(side)] = true;
}

RegisterPage Book::page(Side side, Stamp after, size_t max_bytes) {
  if (!is_sorted_[index_of(side)]) sort(side);
  RegisterPage page{side, after, {}, true};
  const std::vector<Place>& order = order_[index_of(side)];
  size_t size = 0;
  auto at = std::upper_bound(order.begin(), order.end(), after, [](Stamp stamp, const Place& place) { return stamp < place.stamp; });
  for (; at != order.end(); ++at) {
    if (!is_in_force(side, *at)) continue;
    Register reg{at->entry->first, side, at->entry->second.of(side)};
    size += size_of(reg);
    if (!page.registers.empty() && (size > max_bytes || page.registers.size() >= limits::message_registers)) {
      page.is_end = false;
      break;
    }
    page.registers.push_back(std::move(reg));
  }
  return page;
}

std::vector<std::string> Book::forget_tombstones(const Tops& peer_holds) {
  std::vector<std::string> forgotten;
  if (tombstones_ <= limits::tombstones) return forgotten;
  std::vector<std::pair<Stamp, std::string>> candidates;
  for (const auto& [path, entry] : entries_) {
    if (weight_of(path, entry).tombstones == 0) continue;
    const bool is_known = entry.of(Side::device).stamp <= peer_holds[Side::device] && entry.of(Side::hub).stamp <= peer_holds[Side::hub];
    if (is_known) candidates.emplace_back(std::max(entry.of(Side::device).stamp, entry.of(Side::hub).stamp), path);
  }
  std::sort(candidates.begin(), candidates.end());
  // A tenth more than needed, so that this work is not done at each deletion.
  const size_t wanted = tombstones_ - limits::tombstones + limits::tombstones / 10;
  candidates.resize(std::min(candidates.size(), wanted));
  std::set<const Entries::value_type*> gone;
  for (const auto& [stamp, path] : candidates) gone.insert(&*entries_.find(path));
  for (const Side side : sides) std::erase_if(order_[index_of(side)], [&](const Place& place) { return gone.contains(place.entry); });
  for (auto& [stamp, path] : candidates) {
    const auto held = entries_.find(path);
    count(held->first, held->second, false);
    entries_.erase(held);
    forgotten.push_back(std::move(path));
  }
  return forgotten;
}

}  // namespace tideline::context
