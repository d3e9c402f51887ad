// The fleet's own tools, resources, prompts and completions: reads what is asked, asks the archive, writes the answer. Also answers what a
// device that is away would have said of its readings, from what the hub holds.
//
// Owned by McpService. Thread: loop. Memory only. Bounds: those of the archive's questions; an answer too large is an error that says how to
// ask for less.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hub/mcp/fleet_catalog.hpp"
#include "hub/mcp/fleet_tools_answers.hpp"
#include "hub/mcp/router.hpp"
#include "hub/store/store_desk.hpp"

namespace tideline::hub {

namespace fleet_uri {
inline constexpr std::string_view devices = "tideline://fleet/devices";
inline constexpr std::string_view device_prefix = "tideline://fleet/devices/";
inline constexpr const char* device_template = "tideline://fleet/devices/{device}";
}  // namespace fleet_uri

/// Tools, resources, templates and prompts of on_call().
FleetOffer fleet_offer();

class FleetAnswers {
 public:
  FleetAnswers(Router& router, StoreDesk& desk, FleetCatalogs& fleet, const Catalogs& catalogs, const Registry& registry)
      : router_(router), desk_(desk), fleet_(fleet), catalogs_(catalogs), registry_(registry) {}

  /// False when the call is for nothing of the fleet's own.
  bool on_call(const CallRef& ref, const Principal& principal, const mcp::Call& call);
  /// latest, query, list_series and the series of a device that is away. False when only the device could answer.
  bool on_offline_call(const CallRef& ref, const mcp::Call& call, const DeviceEntry& device);
  void on_cancelled(const CallRef& ref);

 private:
  bool on_tool(const CallRef& ref, const Principal& principal, const mcp::Call& call);
  void list_devices(const CallRef& ref, const Principal& principal, mcp::Slice arguments);
  void describe_device(const CallRef& ref, const Principal& principal, const std::string& device, bool as_resource);
  void latest(const CallRef& ref, const Principal& principal, mcp::Slice arguments);
  void query(const CallRef& ref, const Principal& principal, mcp::Slice arguments);
  void list_gaps(const CallRef& ref, const Principal& principal, mcp::Slice arguments);
  void find_tools(const CallRef& ref, const Principal& principal, mcp::Slice arguments);
  void read_resource(const CallRef& ref, const Principal& principal, const std::string& uri);
  void get_prompt(const CallRef& ref, const Principal& principal, const mcp::Call& call);
  void complete(const CallRef& ref, const Principal& principal, const mcp::Call& call);
  Devices visible(const model::DeviceSelector& selector) const { return registry_.select(selector); }
  void remember(const CallRef& ref, StoreToken token);
  void wrong(const CallRef& ref, const std::string& problem);

  Router& router_;
  StoreDesk& desk_;
  FleetCatalogs& fleet_;
  const Catalogs& catalogs_;
  const Registry& registry_;
  std::map<CallRef, StoreToken> asked_;
};

}  // namespace tideline::hub
