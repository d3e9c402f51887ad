// Writes to the context of one device or of a whole fleet, at the hub: durable in the archive for each device whether it is there or not, then on
// their way to those that are. A write to many devices goes in slices, so that readings are stored in between (law 7).
//
// Owned by Hub. Thread: loop. Bounds: slice_devices and slice_bytes a transaction; one change is held once for all its devices.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "hub/context/context_syncs.hpp"
#include "hub/store/store_desk.hpp"

namespace tideline::hub {

class ContextWrites {
 public:
  using Progress = std::function<void(size_t done, size_t total)>;
  /// In the order of the devices.
  using Then = std::function<void(std::vector<ContextOutcome> outcomes)>;
  ContextWrites(StoreDesk& desk, ContextSyncs& syncs);
  ~ContextWrites();
  ContextWrites(const ContextWrites&) = delete;
  ContextWrites& operator=(const ContextWrites&) = delete;

  /// What the archive could not do is a refusal in the outcome. `progress` may be empty.
  void write(std::vector<DeviceKey> devices, context::Change change, Progress progress, Then then);
  /// What expired becomes a deletion.
  void on_tick(Instant now);

 private:
  struct Running;
  void go_on(uint64_t id);
  void expire();
  void on_slice(uint64_t id, size_t count, Result<std::vector<ContextOutcome>> outcomes);

  StoreDesk& desk_;
  ContextSyncs& syncs_;
  std::unordered_map<uint64_t, std::unique_ptr<Running>> running_;
  uint64_t next_ = 1;
  Instant expired_{};  ///< when it was looked at last
  bool is_expiring_ = false;
};

}  // namespace tideline::hub
