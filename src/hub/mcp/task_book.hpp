// Calls that wait for their device: durable from before they are told to their caller until after their result was kept. Each is sent when
// the device comes, under a name that the device's own ledger knows it by, so that it runs at most once however often the link or a
// process breaks; when nobody can know whether it ran, it is reported as unknown.
//
//   queued ──device online──▶ sent ──answer──▶ done | failed
//     │ │                       └── the device lost its ledger, or time over ──▶ unknown
//     │ └── time over ──▶ expired
//     └── cancel ──▶ cancelled (of a sent one: it may have run)
//
// Owned by McpService. Thread: loop; records are in the archive, in memory only who waits for which device. Bounds:
// limits::hub_tasks_loaded, hub_tasks_per_device, hub_task_life, hub_task_keep.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "hub/fleet/registry.hpp"
#include "hub/mcp/device_calls.hpp"
#include "hub/store/store_desk.hpp"
#include "mcp/task.hpp"

namespace tideline::hub {

class TaskBook final : private DeviceCalls::Caller {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_task_changed(const TaskRecord& record) = 0;
  };
  TaskBook(StoreDesk& desk, DeviceCalls& calls, const Registry& registry, Listener& listener, Log& log)
      : desk_(desk), calls_(calls), registry_(registry), listener_(listener), log_(log) {}

  /// Those not ended, at start.
  void load(const std::vector<TaskRecord>& open);
  /// Keeps a call; `then` hears of it when it is durable. Errors: limit, and those of the archive.
  void add(TaskRecord record, std::function<void(Result<TaskRecord>)> then);
  /// Errors: not_found (also of somebody else's).
  void find(const std::string& id, const std::string& principal, std::function<void(Result<TaskRecord>)> then);
  void list(const std::string& principal, std::function<void(Result<std::vector<TaskRecord>>)> then);
  // Of tasks without a device, which the hub does itself; of one that has ended nothing happens.
  /// What it has come to, and what is needed to go on after a restart.
  void note(const std::string& id, std::string message, std::string state_json);
  void finish(const std::string& id, std::string result) { end(id, TaskState::done, "", std::move(result), ""); }
  void give_up(const std::string& id, const std::string& why);
  /// Of one that has ended nothing happens. Errors: not_found.
  void cancel(const std::string& id, const std::string& principal, std::function<void(Result<TaskRecord>)> then);

  void on_device_up(DeviceKey device, const std::string& device_id, const std::string& epoch);
  void on_device_down(DeviceKey device);
  void on_tick(Instant now, UtcNanos wall);
  size_t open() const { return open_.size(); }

 private:
  struct Open {
    std::string device;
    int64_t expires_ns = 0;
    CallId call = 0;          ///< under way
    bool is_starting = false;  ///< being marked as sent
  };
  void start_some(const std::string& device);
  void begin(const std::string& id, const std::string& epoch);
  void send(const TaskRecord& record);
  void end(const std::string& id, TaskState state, std::string message, std::string result, std::string error);
  void on_call_message(CallId, mcp::Method, mcp::Slice) override {}
  void on_call_end(CallId call, const CallOutcome& outcome) override;

  StoreDesk& desk_;
  DeviceCalls& calls_;
  const Registry& registry_;
  Listener& listener_;
  Log& log_;
  std::map<std::string, Open> open_;                               // by task id
  std::map<std::string, std::set<std::string>> by_device_;         // task ids by device id
  std::unordered_map<std::string, std::string> epochs_;            // of devices online
  std::unordered_map<CallId, std::string> by_call_;
  Instant swept_{};
};

/// As the tasks extension shows it.
mcp::Task shown_task(const TaskRecord& record);

}  // namespace tideline::hub
