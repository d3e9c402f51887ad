// What the hub keeps of the context of its devices: its replica of each (src/context/FORMAT.md), the history of entries, what devices declared,
// and what they hold already. An interface, like Archive, which gives it.
//
// Thread: store. Each call that changes something is one transaction, durable on return. Stamps of the hub's writes come from a clock of
// each device, kept in its row: a device with a wrong clock carries its own context with it and no other. Bounds: context/limits.hpp;
// context_history_bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "context/book.hpp"
#include "context/change.hpp"

namespace tideline::hub {

/// Row id of a device in the archive.
using DeviceKey = int64_t;

inline constexpr uint64_t context_history_bytes = 4 * 4 * 1024 * 1024;  // of a device, in all; the oldest go first

/// Of one device.
struct ContextState {
  context::ReplicaState replica;
  uint64_t bytes = 0;           ///< paths and values
  uint64_t tombstones = 0;
  uint64_t conflicts = 0;       ///< entries that both sides wrote without knowing of each other
  uint64_t history_bytes = 0;
  context::Stamp clock = 0;     ///< the greatest stamp made or seen here
  context::Tops holds;          ///< durable at the device, as it said last
  int64_t delivered_ns = 0;     ///< UTC, when it said so; 0 never
  bool operator==(const ContextState&) const = default;
};

struct ContextEntry {
  std::string path;
  context::Entry entry;
  int64_t delivered_ns = 0;     ///< of the hub's register: UTC when the device was first known to hold it; 0 not yet
};

/// One step of agreeing with a device.
struct ContextWork {
  enum class Kind : uint8_t {
    open,     ///< gives declarations
    state,    ///< gives state
    page,     ///< gives page
    put,      ///< takes registers in; gives tops
    holds,    ///< the device holds this
    declare,  ///< what the device declares
  };
  Kind kind = Kind::state;
  DeviceKey device = 0;
  // Asked
  context::Side side = context::Side::device;
  context::Stamp after = 0;
  size_t max_bytes = 0;
  std::vector<context::Register> registers;  ///< of put: those that were new remain
  context::Tops holds;
  int64_t now_ns = 0;
  std::string declarations;
  // Answered
  Status status;  ///< of put: limit when the replica is full; what came before that is kept
  context::ReplicaState state;
  context::RegisterPage page;
};

/// A write at the hub.
struct ContextWrite {
  DeviceKey device = 0;
  const context::Change* change = nullptr;  ///< outlives the call
};
struct ContextOutcome {
  bool is_written = false;
  context::Refusal refusal;    ///< when it is not
  context::Stamp stamp = 0;
};

/// An entry of the hub's whose time was over.
struct ContextExpired {
  DeviceKey device = 0;
  std::string path;
  context::Stamp stamp = 0;    ///< of its deletion
};

struct ContextFilter {
  std::string prefix;          ///< "" everything
  std::string after;           ///< paths behind this one
  bool conflicts_only = false;
  size_t entries_most = 1000;
  size_t bytes_most = 1024 * 1024;
};
struct ContextList {
  std::vector<ContextEntry> entries;  ///< in the order of paths, deleted ones too
  bool is_end = true;
};

class ContextArchive {
 public:
  virtual ~ContextArchive() = default;
  /// In order, all in one transaction: answers are durable when it returns. An error: nothing was done.
  virtual Status agree(std::vector<ContextWork>& work) = 0;
  /// Outcomes in the order of writes; each is judged by what the device declared and sees those before it.
  virtual Result<std::vector<ContextOutcome>> change(const std::vector<ContextWrite>& writes, UtcNanos now) = 0;
  /// What the hub wrote and has expired becomes a deletion, at most `most`; call again while it is so many.
  virtual Result<std::vector<ContextExpired>> expire(UtcNanos now, size_t most) = 0;

  /// Empty for a device without context.
  virtual Result<ContextState> state(DeviceKey device) = 0;
  virtual Result<std::string> declarations(DeviceKey device) = 0;  ///< JSON, "" none
  /// The same, read. Valid until the next call.
  virtual Result<const context::Declarations*> declared(DeviceKey device) = 0;
  virtual Result<std::optional<ContextEntry>> find(DeviceKey device, const std::string& path) = 0;
  virtual Result<ContextList> list(DeviceKey device, const ContextFilter& filter) = 0;
  /// Writes of an entry, newest first, those in force too.
  virtual Result<std::vector<context::Register>> history(DeviceKey device, const std::string& path) = 0;
  /// Registers of one side with stamps above `after`, in the order of stamps.
  virtual Result<context::RegisterPage> page(DeviceKey device, context::Side side, context::Stamp after, size_t max_bytes) = 0;
};

}  // namespace tideline::hub
