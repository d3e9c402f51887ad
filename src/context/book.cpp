#include "context/book.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "context/limits.hpp"

namespace tideline::context {

size_t size_of(const Register& reg) { return reg.path.size() + reg.write.value.size() + reg.write.author.size() + 40; }

void Book::count(const std::string& path, const Entry& entry, bool is_added) {
  const Weight weight = weight_of(path, entry);
  const uint64_t digest = digest_of(path, entry);
  state_.digest += is_added ? digest : -digest;
  state_.entries += is_added ? weight.entries : -weight.entries;
  totals_.bytes += is_added ? weight.bytes : -weight.bytes;
  const auto tombstones = static_cast<size_t>(weight.tombstones);
  const uint64_t tombstone_bytes = tombstones == 0 ? 0 : weight.bytes;
  tombstones_ += is_added ? tombstones : -tombstones;
  tombstone_bytes_ += is_added ? tombstone_bytes : -tombstone_bytes;
  totals_.entries = static_cast<size_t>(state_.entries);
}

Status room_for(const Totals& held, const Entry& before, const Register& reg) {
  const bool is_new = before.of(Side::device).stamp == 0 && before.of(Side::hub).stamp == 0;
  if (is_new && held.paths >= limits::replica_paths) return Error{ErrorCode::limit, 0, "the context has too many entries"};
  const uint64_t added = reg.write.value.size() + (is_new ? reg.path.size() : 0);
  const uint64_t freed = before.of(reg.side).value.size();
  if (added > freed && held.bytes + added - freed > limits::replica_bytes) return Error{ErrorCode::limit, 0, "the context is too large"};
  return {};
}

Result<bool> Book::put(const Register& reg) {
  static const Entry nothing;
  auto held = entries_.find(reg.path);
  const bool is_new = held == entries_.end();
  if (!is_new && !replaces(reg.write, std::as_const(held->second).of(reg.side))) return false;
  RETURN_IF_ERROR(room_for(totals_, is_new ? nothing : held->second, reg));
  if (is_new) {
    held = entries_.emplace(reg.path, Entry{}).first;
  } else {
    count(held->first, held->second, false);
  }
  const bool is_later = reg.write.stamp != std::as_const(held->second).of(reg.side).stamp;
  merge(held->second, reg.side, reg.write);
  count(held->first, held->second, true);
  totals_.paths = entries_.size();
  if (!is_later) return true;
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

bool may_forget(const Tops& held, const Tops& peer_holds) {
  return peer_holds[Side::device] <= held[Side::device] && peer_holds[Side::hub] <= held[Side::hub];
}

std::vector<std::string> Book::forget_tombstones(const Tops& peer_holds, size_t keep) {
  std::vector<std::string> forgotten;
  if (tombstones_ <= keep && tombstone_bytes_ <= limits::tombstone_bytes) return forgotten;
  if (!may_forget(state_.tops, peer_holds)) return forgotten;
  std::vector<std::pair<Stamp, const Entries::value_type*>> candidates;
  for (const auto& held : entries_) {
    const Stamp device = held.second.of(Side::device).stamp;
    const Stamp hub = held.second.of(Side::hub).stamp;
    if (device > peer_holds[Side::device] || hub > peer_holds[Side::hub]) continue;
    // A replica that is built from what remains has the same tops.
    if ((device != 0 && device == state_.tops[Side::device]) || (hub != 0 && hub == state_.tops[Side::hub])) continue;
    if (weight_of(held.first, held.second).tombstones != 0) candidates.emplace_back(std::max(device, hub), &held);
  }
  std::sort(candidates.begin(), candidates.end());
  // A tenth more than needed, so that this work is not done at each deletion.
  std::set<const Entries::value_type*> gone;
  size_t count_left = tombstones_;
  uint64_t bytes_left = tombstone_bytes_;
  for (const auto& [stamp, held] : candidates) {
    if (count_left <= keep - keep / 10 && bytes_left <= limits::tombstone_bytes - limits::tombstone_bytes / 10) break;
    --count_left;
    bytes_left -= weight_of(held->first, held->second).bytes;
    gone.insert(held);
  }
  for (const Side side : sides) std::erase_if(order_[index_of(side)], [&](const Place& place) { return gone.contains(place.entry); });
  for (const Entries::value_type* held : gone) {
    count(held->first, held->second, false);
    forgotten.push_back(held->first);
    entries_.erase(entries_.find(held->first));
  }
  totals_.paths = entries_.size();
  return forgotten;
}

}  // namespace tideline::context
