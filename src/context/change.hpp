// A write that somebody asks for, turned into the register that it makes. Pure: the caller stores it and tells others when it is durable.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "context/declarations.hpp"
#include "context/entry.hpp"

namespace tideline::context {

enum class Operation : uint8_t { set, patch, erase };

struct Change {
  std::string path;
  Operation operation = Operation::set;
  std::string value;                      ///< JSON; of erase: ""
  std::optional<std::string> if_version;  ///< only if this is the version now; "" : only if nothing is there
  int64_t time_to_live_ms = 0;            ///< 0: for ever
  std::string author;
};

/// Why a change was not made. `what` is for people and names the path.
struct Refusal {
  ErrorCode code = ErrorCode::invalid;  ///< invalid; denied (the other side's path); exists (if_version differs); not_found (erase); limit
  std::string what;
};

struct Totals {
  size_t entries = 0;   ///< that hold a value
  uint64_t bytes = 0;   ///< of all paths and values held
  size_t paths = 0;     ///< written ever and not forgotten
};

/// What a change is judged against.
struct Judge {
  Side me = Side::device;
  const Declarations& declarations;
  Totals totals;            ///< of the replica before the change
  UtcNanos now;             ///< may be wrong
  Tops tops{};              ///< of the replica before the change; may stay 0 as long as it never forgot a deletion
};

/// The value that `write` may say was seen of the other side: what is held of it in this entry. Where nothing is held, all that the replica
/// holds of that side, among which there is none for this entry: it may have been a deletion that was forgotten here and not there.
Stamp seen_of(const Entry& entry, Side writer, const Tops& tops);

/// The register that `change` makes of `entry` (as it is now; an empty one if there is none), with the next stamp of `clock`.
/// False: `refusal` says why, and nothing was taken from the clock.
bool make_register(const Change& change, const Entry& entry, const Judge& judge, HybridClock& clock, Register& made, Refusal& refusal);

/// "Now" for expiry: the wall clock, or the newest stamp seen when the clock was never set (a board that thinks it is 1970).
int64_t now_ms(UtcNanos wall, const HybridClock& clock);

/// The version of what a reader sees: "" when nothing was ever written.
std::string version_of(const View& view);

}  // namespace tideline::context
