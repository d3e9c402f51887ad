#include "hub/mcp/fleet_desk.hpp"

#include "base/log.hpp"
#include "clock.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr std::string_view foreign_task = "d.";

/// "d.pump-7.<the device's own id>": device ids may hold dots, so the longest known one counts.
const DeviceEntry* device_of_task(const Registry& registry, std::string_view task, std::string_view& own_id) {
  if (!task.starts_with(foreign_task)) return nullptr;
  task.remove_prefix(foreign_task.size());
  for (size_t dot = task.rfind('.'); dot != std::string_view::npos && dot > 0; dot = task.rfind('.', dot - 1)) {
    if (const DeviceEntry* entry = registry.find(std::string(task.substr(0, dot)))) {
      own_id = task.substr(dot + 1);
      return entry;
    }
  }
  return nullptr;
}

}  // namespace

void FleetDesk::on_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call, Instant now) {
  const Principal& principal = conversation.principal();
  switch (call.method) {
    case mcp::Method::call_tool: {
      const FleetCatalog& catalog = catalogs_.of(principal);
      const auto tool = catalog.tools.find(call.target);
      if (tool != catalog.tools.end()) return on_device_tool(ref, principal, call, tool->second, now);
      return router_.fail_not_found(ref, call.target, now);
    }
    case mcp::Method::get_task:
    case mcp::Method::update_task:
    case mcp::Method::cancel_task: return on_device_task(ref, principal, call, now);
    default: return router_.fail_not_found(ref, call.target, now);
  }
}

/// A task that a device made: the way to it is in the id.
void FleetDesk::on_device_task(const CallRef& ref, const Principal& principal, const mcp::Call& call, Instant now) {
  std::string_view own_id;
  const DeviceEntry* device = device_of_task(registry_, call.target, own_id);
  if (device == nullptr || !principal.sees(device->record)) return router_.fail_not_found(ref, call.target, now);
  RelayChange change;
  change.task_id = own_id;
  router_.relay(ref, call, {device->record.key, device->record.id}, change, now);
}

// ---- Tools of devices

bool FleetDesk::offers(const DeviceEntry& device, const FleetTool& tool, const Principal& principal, std::string& why) const {
  const DeviceModel& model = devices_.of(device.record.key);
  const mcp::Tool* offered = (principal.may_change() ? model.all : model.reading).find_tool(tool.name);
  if (offered == nullptr) {
    why = "the device has no tool '" + tool.name + "'";
    return false;
  }
  std::string definition;
  mcp::append_tool(definition, *offered, mcp::newest_modern);
  if (definition != tool.definition) why = "the device has another version of '" + tool.name + "'; find_tools shows under which name";
  return definition == tool.definition;
}

void FleetDesk::on_device_tool(const CallRef& ref, const Principal& principal, const mcp::Call& call, const FleetTool& tool, Instant now) {
  const mcp::Slice argument = mcp::find_member(call.arguments, tool.device_argument);
  if (!argument.is(mcp::JsonKind::string)) {
    return router_.refuse(ref, "arguments." + tool.device_argument + ": name a device, a glob or labels as a string; list_devices shows what there is", now);
  }
  const std::string selector = argument.text();
  const DeviceEntry* device = registry_.find(selector);
  if (device == nullptr || !principal.sees(device->record)) return start_fan_out(ref, principal, call, tool, selector, now);
  std::string why;
  if (!offers(*device, tool, principal, why)) return router_.refuse(ref, "device '" + selector + "': " + why, now);
  RelayChange change;
  change.name = tool.name;
  change.drop_argument = tool.device_argument;
  router_.relay(ref, call, {device->record.key, device->record.id}, change, now);
}

void FleetDesk::start_fan_out(const CallRef& ref, const Principal& principal, const mcp::Call& call, const FleetTool& tool, const std::string& text, Instant now) {
  const auto selector = model::parse_device_selector(text);
  if (!selector) return router_.refuse(ref, "arguments." + tool.device_argument + ": '" + text + "' is no device id, glob or selector: " + selector.error().context, now);
  std::vector<FanOuts::Member> members;
  const UtcNanos wall = platform::wall_clock();
  for (const DeviceEntry* device : registry_.select(*selector)) {
    if (!principal.sees(device->record)) continue;
    FanOuts::Member member{device->record.key, device->record.id, "", ""};
    if (!offers(*device, tool, principal, member.problem)) {
      member.status = "unsupported";
    } else if (!device->presence.is_online) {
      member.status = "offline";
      member.problem = absence_text(*device, wall);
    }
    members.push_back(std::move(member));
  }
  if (members.empty()) return router_.refuse(ref, "no device matches '" + text + "'; list_devices shows what there is", now);
  if (members.size() > limits::hub_fan_out) {
    return router_.refuse(ref, format("'%s' matches %zu devices; one call takes at most %zu. Narrow it down by a glob or labels.", text.c_str(), members.size(), limits::hub_fan_out), now);
  }
  RelayChange change;
  change.name = tool.name;
  change.drop_argument = tool.device_argument;
  fan_outs_.start(ref, std::move(members), relay_members(call, change), mcp::passing_meta(call.meta), principal.id, now);
}

void FleetDesk::on_fan_out_progress(const CallRef& ref, size_t done, size_t total) {
  router_.progress(ref, {static_cast<double>(done), static_cast<double>(total), {}}, platform::now());
}

void FleetDesk::on_fan_out_done(const CallRef& ref, const std::string& result_json) {
  router_.reply(ref, result_json, "ok", platform::now());
}

}  // namespace tideline::hub
