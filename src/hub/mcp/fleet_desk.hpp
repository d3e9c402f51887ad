// The fleet's endpoint: tools of devices on the device or the devices that an argument names, and the hub's own tools, resources and
// prompts. Also answers for a device that is away, from what the hub holds of it.
//
// Owned by McpService. Thread: loop. Memory only.
#pragma once

#include <string>

#include "hub/mcp/fan_out.hpp"
#include "hub/mcp/fleet_catalog.hpp"
#include "hub/mcp/router.hpp"

namespace tideline::hub {

class FleetDesk final : private FanOuts::Host {
 public:
  FleetDesk(Router& router, DeviceCalls& calls, FleetCatalogs& catalogs, const Catalogs& devices, const Registry& registry)
      : router_(router), catalogs_(catalogs), devices_(devices), registry_(registry), fan_outs_(static_cast<FanOuts::Host&>(*this), calls) {}

  void on_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call, Instant now);
  /// The call came back because its device went away meanwhile.
  void on_cancelled(const CallRef& ref) { fan_outs_.cancel(ref); }
  void on_tick(Instant now) { fan_outs_.on_tick(now); }

 private:
  void on_device_tool(const CallRef& ref, const Principal& principal, const mcp::Call& call, const FleetTool& tool, Instant now);
  void on_device_task(const CallRef& ref, const Principal& principal, const mcp::Call& call, Instant now);
  void start_fan_out(const CallRef& ref, const Principal& principal, const mcp::Call& call, const FleetTool& tool, const std::string& selector, Instant now);
  bool offers(const DeviceEntry& device, const FleetTool& tool, const Principal& principal, std::string& why) const;
  void on_fan_out_progress(const CallRef& ref, size_t done, size_t total) override;
  void on_fan_out_done(const CallRef& ref, const std::string& result_json) override;

  Router& router_;
  FleetCatalogs& catalogs_;
  const Catalogs& devices_;
  const Registry& registry_;
  FanOuts fan_outs_;
};

}  // namespace tideline::hub
