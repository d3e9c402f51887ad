// One entry of a device's context: a register for each side, holding what that side wrote last. Replicas exchange registers and keep
// of each the one with the higher stamp; what an entry is worth is a pure function of the two. So replicas that hold the same
// registers agree, in whatever order, how often and in how many pieces these came.
//
// Pure. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "context/version.hpp"

namespace tideline::context {

/// What one side wrote last.
struct Write {
  Stamp stamp = 0;         ///< 0: that side never wrote here
  Stamp seen = 0;          ///< the other side's register when this was written: it knew that and replaces it; 0: there was none
  bool is_deleted = false;
  int64_t expires_ms = 0;  ///< UTC milliseconds; 0: never
  std::string author;      ///< principal and tool, for people: "ops (context_set)"
  std::string value;       ///< JSON text without white space around it; "" when deleted. Kept when the other side has replaced it: a hub
                           ///< restored from a backup may write without knowing that, and then it is in force again
  bool operator==(const Write&) const = default;
};

/// As it travels and is stored.
struct Register {
  std::string path;
  Side side = Side::device;
  Write write;
  bool operator==(const Register&) const = default;
};

/// Most entries are written by one side only: that register lies within, the other one is made when it is needed.
class Entry {
 public:
  Entry() = default;
  Entry(Entry&&) = default;
  Entry& operator=(Entry&&) = default;
  Entry(const Entry& other) { *this = other; }
  Entry& operator=(const Entry& other);
  Write& of(Side side);
  const Write& of(Side side) const;
  /// Written by `side`, and not replaced by the other since.
  bool is_current(Side side) const { return of(side).stamp != 0 && of(other(side)).seen < of(side).stamp; }
  /// Both sides wrote without knowing of each other's write.
  bool is_conflict() const { return is_current(Side::device) && is_current(Side::hub); }
  bool operator==(const Entry& other) const { return of(Side::device) == other.of(Side::device) && of(Side::hub) == other.of(Side::hub); }

 private:
  enum class First : uint8_t { none, device, hub };
  static First first_of(Side side) { return side == Side::device ? First::device : First::hub; }
  Write write_;                    ///< of the side that `first_` names
  std::unique_ptr<Write> second_;  ///< of the other one
  First first_ = First::none;
};

/// Who wins a conflict.
enum class Rule : uint8_t {
  last_writer,   ///< the greater stamp; the hub's when they are equal
  device_wins,
  hub_wins,
  keep_both,     ///< as last_writer, but readers are shown both until somebody who saw both writes again
};
const char* rule_name(Rule rule);
bool parse_rule(std::string_view text, Rule& rule);

/// What an entry is worth. Pointers into the entry.
struct View {
  const Write* value = nullptr;  ///< null: nothing there (never written, deleted, expired)
  Side side = Side::device;      ///< who wrote the winner
  const Write* winner = nullptr; ///< also when deleted or expired; null: never written
  const Write* loser = nullptr;  ///< of a conflict that nobody has resolved yet; may be a deletion
};
View view_of(const Entry& entry, Rule rule, int64_t now_ms);

/// Whether `write` takes the place of `held`, of the same side: the higher stamp. Two writes of one stamp exist only when an old image was
/// put back and the clock was wrong too; then their contents decide, at both ends alike.
bool replaces(const Write& write, const Write& held);

/// Takes a register in: false when the entry holds that one, or a later one of the same side.
bool merge(Entry& entry, Side side, const Write& write);

/// Part of what tells two replicas apart: a sum of these over all entries. The same whatever the rules are; 0 for an entry of which
/// only a deletion is left, which a replica may forget.
uint64_t digest_of(std::string_view path, const Entry& entry);

/// Of one entry, toward Totals and ReplicaState: also for a replica that is not in memory.
struct Weight {
  uint64_t entries = 0;     ///< 1 when either register in force has a value
  uint64_t bytes = 0;       ///< of the path and both values; 0: never written
  uint64_t tombstones = 0;  ///< 1 when only a deletion is left
};
Weight weight_of(std::string_view path, const Entry& entry);

}  // namespace tideline::context
