// The context of devices as clients of MCP meet it: tools and resources at the fleet's endpoint, what a device that is away would have answered
// of its context, and who hears of changes.
//
// Who hears: at the fleet's endpoint at once, of every change on either side. At the endpoint of a device that is online a write of the hub is
// told when the device holds it, because its clients read from the device; of one that is away at once. The hub never asks a device to tell it
// of context, so nobody hears twice.
//
// Owned by McpService. Thread: loop. Memory only, but for tasks of writes. Bounds: writes_waiting; untold_most a device.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/context/context_writes.hpp"
#include "hub/mcp/context_reading.hpp"
#include "hub/mcp/fleet_catalog.hpp"
#include "hub/mcp/router.hpp"
#include "hub/mcp/task_book.hpp"
#include "hub/store/store_desk.hpp"

namespace tideline::hub {

namespace context_uri {
inline constexpr std::string_view of_device = "tideline://context";  ///< at a device's endpoint: and /<path>
inline constexpr std::string_view in_fleet = "/context";             ///< after tideline://fleet/devices/<id>: and /<path>
}  // namespace context_uri
bool is_context_uri(std::string_view uri);  ///< of a device's endpoint

/// Templates; the tools are context_tools().
std::vector<mcp::ResourceTemplate> context_templates();

class ContextDesk final : private ContextSyncs::Listener {
 public:
  using Visit = std::function<void(Conversation&)>;
  using EachConversation = std::function<void(const Visit&)>;
  struct Parts {
    Router& router;
    StoreDesk& desk;
    ContextSyncs& syncs;
    ContextWrites& writes;
    TaskBook& book;
    const Registry& registry;
    EachConversation each_conversation;
  };
  explicit ContextDesk(Parts parts);
  ~ContextDesk() override;
  ContextDesk(const ContextDesk&) = delete;
  ContextDesk& operator=(const ContextDesk&) = delete;

  /// Of the fleet's endpoint. False when the call is for something else.
  bool on_call(const CallRef& ref, const Principal& principal, const mcp::Call& call);
  /// Of a device that is away, at its own endpoint. False as above.
  bool on_offline_call(const CallRef& ref, const Principal& principal, const mcp::Call& call, const DeviceEntry& device);
  void on_cancelled(const CallRef& ref);
  void on_tick(Instant now);
  /// Tasks of writes that did not end before the hub did.
  void load(const std::vector<TaskRecord>& open);

 private:
  struct Reading;
  struct Write;
  static constexpr size_t untold_most = 256;
  static constexpr size_t writes_waiting = 1024;

  void on_context_news(DeviceKey device, const std::vector<ContextNews>& news) override;
  void on_context_held(DeviceKey device, const context::Tops& holds) override;
  void on_context_link_changed(DeviceKey device, bool is_online) override;

  void get(const CallRef& ref, const DeviceEntry& device, const ContextGetRequest& request, const std::string& note);
  void get_resource(const CallRef& ref, const DeviceEntry& device, const std::string& uri, const std::string& path);
  void read(const CallRef& ref, ContextReading::Kind kind, const ContextListRequest& request, std::vector<ContextTarget> targets);
  void read_on(uint64_t id);
  void set(const CallRef& ref, const Principal& principal, const mcp::Call& call, NamedDevices named, const std::string& note);
  void start_task(uint64_t id, const Principal& principal, const mcp::Call& call, context::Change change);
  void begin(uint64_t id, context::Change change);
  void on_written(uint64_t id, std::vector<ContextOutcome> outcomes);
  void wait_for_devices(uint64_t id);
  void note_held(Write& write, DeviceKey device, const context::Tops& holds);
  void finish(uint64_t id);
  void keep(const Write& write);
  void load(const TaskRecord& record);
  bool on_resource(const CallRef& ref, const Principal& principal, const std::string& uri);
  void tell_fleet(DeviceKey device, const std::vector<ContextNews>& news);
  void tell_device(DeviceKey device, const std::vector<std::string>& paths);
  void refuse(const CallRef& ref, const std::string& text);
  ContextTarget target_of(const DeviceEntry& device) const { return {device.record.key, device.record.id, device.presence.is_online}; }

  Parts parts_;
  std::unordered_map<uint64_t, std::unique_ptr<Reading>> readings_;
  std::map<uint64_t, std::unique_ptr<Write>> writes_;
  std::unordered_map<DeviceKey, std::vector<ContextNews>> untold_;  ///< at the device's endpoint: until the device holds it
  uint64_t next_ = 1;
};

}  // namespace tideline::hub
