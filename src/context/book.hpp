// The context of one device in memory: entries by path, and for each side the order in which it wrote. The agent's copy of what its
// store holds; the simulator's replica.
//
// One thread. Nothing durable. Bounds: those of the callers (change.hpp for own writes, room_for() for the peer's).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "context/change.hpp"
#include "context/entry.hpp"
#include "context/limits.hpp"

namespace tideline::context {

/// What two replicas compare.
struct ReplicaState {
  Tops tops;
  uint64_t digest = 0;   ///< sum of digest_of() over all entries
  uint64_t entries = 0;  ///< that hold a value in either register
  bool operator==(const ReplicaState&) const = default;
};

/// A part of what a replica holds, in the order of stamps.
struct RegisterPage {
  Side side = Side::device;
  Stamp after = 0;
  std::vector<Register> registers;
  bool is_end = true;    ///< that side wrote nothing later
};

class Book {
 public:
  using Entries = std::map<std::string, Entry, std::less<>>;
  Book() = default;
  Book(Book&&) = default;
  Book& operator=(Book&&) = default;

  /// Errors: limit (room_for()). True when the register was new.
  Result<bool> put(const Register& reg);
  /// Null: never written.
  const Entry* find(std::string_view path) const;
  const Entries& entries() const { return entries_; }
  /// Registers of `side` with stamps above `after`, until about max_bytes; at least one if there is any.
  RegisterPage page(Side side, Stamp after, size_t max_bytes);
  /// Deletions that neither side needs any more, beyond `keep` and limits::tombstone_bytes: those whose stamps `peer_holds`, oldest first,
  /// never the last write of a side. They are forgotten here; the caller deletes them from its store.
  std::vector<std::string> forget_tombstones(const Tops& peer_holds, size_t keep = limits::tombstones);

  const ReplicaState& state() const { return state_; }
  const Totals& totals() const { return totals_; }

 private:
  struct Place {
    Stamp stamp;
    const Entries::value_type* entry;
  };
  void count(const std::string& path, const Entry& entry, bool is_added);
  void sort(Side side);
  bool is_in_force(Side side, const Place& place) const { return place.entry->second.of(side).stamp == place.stamp; }

  Entries entries_;
  std::array<std::vector<Place>, side_count> order_;  ///< may hold places that a later write left behind
  std::array<bool, side_count> is_sorted_{true, true};
  ReplicaState state_;
  Totals totals_;
  size_t tombstones_ = 0;
  uint64_t tombstone_bytes_ = 0;
};

/// Whether a replica that holds `held` may forget deletions that the peer holds. Only when it holds all that the peer held when it said so:
/// the peer may have written what it says next before it knew of the deletion, and that is a conflict, not a new beginning.
bool may_forget(const Tops& held, const Tops& peer_holds);
/// Whether a replica that holds `held`, and `before` under the path of `reg`, may take `reg` in. Errors: limit. Never of what makes it smaller.
Status room_for(const Totals& held, const Entry& before, const Register& reg);
size_t size_of(const Register& reg);  ///< in a message, about

}  // namespace tideline::context
