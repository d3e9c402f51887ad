#include "hub/mcp/fleet_answers.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/text.hpp"
#include "clock.hpp"
#include "hub/mcp/fleet_tools.hpp"
#include "hub/mcp/fleet_tools_arguments.hpp"
#include "hub/mcp/fleet_tools_search.hpp"
#include "hub/mcp/offline_answers.hpp"
#include "hub/mcp/task_desk.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr size_t tool_examples = 3;

/// The structured content of a tool's answer, as a resource shows it; the error's text when it is one.
std::string structured_of(const std::string& answer) {
  const mcp::Slice content = mcp::find_member(mcp::Slice(answer), "structuredContent");
  return content.is_present() ? std::string(content.raw()) : answer;
}

mcp::Prompt prompt(const char* name, const char* title, const char* description, std::vector<mcp::PromptArgument> arguments) {
  mcp::Prompt made;
  made.name = name;
  made.title = title;
  made.description = description;
  made.arguments = std::move(arguments);
  return made;
}

std::string argument(const mcp::Call& call, std::string_view name) { return mcp::find_member(call.arguments, name).text(); }

}  // namespace

FleetOffer fleet_offer() {
  FleetOffer offer;
  offer.tools = fleet_tools();
  for (mcp::Tool& tool : queue_tools()) offer.tools.push_back(std::move(tool));
  mcp::Resource devices;
  devices.uri = fleet_uri::devices;
  devices.name = "devices";
  devices.title = "Devices of the fleet";
  devices.description = "Every device with its state, last contact, labels and backlog.";
  devices.mime_type = "application/json";
  offer.resources = {devices};
  mcp::ResourceTemplate device;
  device.uri_template = fleet_uri::device_template;
  device.name = "device";
  device.title = "One device";
  device.description = "State, newest values, gaps and tools of one device, as the hub knows them.";
  device.mime_type = "application/json";
  offer.templates = {device};
  offer.prompts = {prompt("fleet_health", "Health of the fleet", "Finds devices that are silent, behind, or have lost readings, and says what to do.", {}),
                   prompt("explain_outage", "Explain an outage", "What happened while a device was dark: gaps, last values, what came later.",
                          {{"device", "Id of the device.", true}, {"since", "How far back to look, such as 24h.", false}})};
  return offer;
}

bool FleetAnswers::on_call(const CallRef& ref, const Principal& principal, const mcp::Call& call) {
  switch (call.method) {
    case mcp::Method::call_tool: return on_tool(ref, principal, call);
    case mcp::Method::read_resource: return read_resource(ref, principal, std::string(call.target)), true;
    case mcp::Method::get_prompt: return get_prompt(ref, principal, call), true;
    case mcp::Method::complete: return complete(ref, principal, call), true;
    default: return false;
  }
}

bool FleetAnswers::on_tool(const CallRef& ref, const Principal& principal, const mcp::Call& call) {
  const std::string_view name = call.target;
  const mcp::Slice arguments = call.arguments;
  if (name == fleet_tool::list_devices) return list_devices(ref, principal, arguments), true;
  if (name == fleet_tool::latest) return latest(ref, principal, arguments), true;
  if (name == fleet_tool::query) return query(ref, principal, arguments), true;
  if (name == fleet_tool::list_gaps) return list_gaps(ref, principal, arguments), true;
  if (name == fleet_tool::find_tools) return find_tools(ref, principal, arguments), true;
  if (name != fleet_tool::describe_device) return false;
  std::string device;
  if (const std::string problem = read_describe_device(arguments, device); !problem.empty()) return wrong(ref, problem), true;
  return describe_device(ref, principal, device, false), true;
}

void FleetAnswers::wrong(const CallRef& ref, const std::string& problem) { router_.refuse(ref, problem, platform::now()); }

/// A question that the store refused was answered already.
void FleetAnswers::remember(const CallRef& ref, StoreToken token) {
  if (router_.is_open(ref)) asked_[ref] = token;
}

void FleetAnswers::on_cancelled(const CallRef& ref) {
  const auto found = asked_.find(ref);
  if (found == asked_.end()) return;
  desk_.cancel(found->second);
  asked_.erase(found);
}

// ---- Tools

void FleetAnswers::list_devices(const CallRef& ref, const Principal& principal, mcp::Slice arguments) {
  ListDevicesRequest request;
  if (const std::string problem = read_list_devices(arguments, principal.devices, request); !problem.empty()) return wrong(ref, problem);
  router_.reply_own(ref, list_devices_answer(request, visible(request.devices), platform::wall_clock()), "ok", platform::now());
}

void FleetAnswers::describe_device(const CallRef& ref, const Principal& principal, const std::string& device, bool as_resource) {
  const DeviceEntry* entry = registry_.find(device);
  if (entry == nullptr || !principal.sees(entry->record)) {
    const std::string uri = std::string(fleet_uri::device_prefix) + device;
    return as_resource ? router_.fail_not_found(ref, uri, platform::now()) : wrong(ref, "there is no device '" + device + "'; list_devices shows what there is");
  }
  model::DeviceSelector only;
  only.id_glob = device;
  const bool may_change = principal.may_change();
  remember(ref, desk_.ask_latest(only, {}, [this, ref, only, device, may_change, as_resource](const Result<std::vector<LatestValue>>& values) {
    asked_.erase(ref);
    if (!values) return wrong(ref, archive_problem(values.error()));
    remember(ref, desk_.ask_gaps(only, [this, ref, device, may_change, as_resource, values = *values](Result<StoreDesk::Gaps> gaps) {
      asked_.erase(ref);
      if (!gaps) return wrong(ref, archive_problem(gaps.error()));
      const DeviceEntry* known = registry_.find(device);
      if (known == nullptr) return wrong(ref, "device '" + device + "' is not known any more");
      const DeviceModel& model = catalogs_.of(known->record.key);
      const std::string answer = describe_device_answer(*known, may_change ? model.all : model.reading, values, *gaps, platform::wall_clock());
      if (!as_resource) return router_.reply_own(ref, answer, "ok", platform::now());
      const std::string uri = std::string(fleet_uri::device_prefix) + device;
      router_.reply_own(ref, mcp::read_result({mcp::text_resource(uri, "application/json", structured_of(answer))}), "ok", platform::now());
    }));
  }));
}

void FleetAnswers::latest(const CallRef& ref, const Principal& principal, mcp::Slice arguments) {
  LatestRequest request;
  if (const std::string problem = read_latest(arguments, principal.devices, request); !problem.empty()) return wrong(ref, problem);
  remember(ref, desk_.ask_latest(request.devices, request.series, [this, ref, request](const Result<std::vector<LatestValue>>& values) {
    asked_.erase(ref);
    if (!values) return wrong(ref, archive_problem(values.error()));
    router_.reply_own(ref, latest_answer(request, visible(request.devices), *values, platform::wall_clock()), "ok", platform::now());
  }));
}

void FleetAnswers::query(const CallRef& ref, const Principal& principal, mcp::Slice arguments) {
  QueryRequest request;
  if (const std::string problem = read_query(arguments, principal.devices, platform::wall_clock(), request); !problem.empty()) return wrong(ref, problem);
  remember(ref, desk_.ask(request.query, [this, ref, request](Result<model::QueryAnswer> answer) {
    asked_.erase(ref);
    if (!answer) return wrong(ref, archive_problem(answer.error()));
    router_.reply_own(ref, query_answer(request, visible(request.query.devices), *answer, platform::wall_clock()), "ok", platform::now());
  }));
}

void FleetAnswers::list_gaps(const CallRef& ref, const Principal& principal, mcp::Slice arguments) {
  GapsRequest request;
  if (const std::string problem = read_list_gaps(arguments, principal.devices, platform::wall_clock(), request); !problem.empty()) return wrong(ref, problem);
  remember(ref, desk_.ask_gaps(request.devices, [this, ref, request](Result<StoreDesk::Gaps> gaps) {
    asked_.erase(ref);
    if (!gaps) return wrong(ref, archive_problem(gaps.error()));
    router_.reply_own(ref, list_gaps_answer(request, *gaps, platform::wall_clock()), "ok", platform::now());
  }));
}

void FleetAnswers::find_tools(const CallRef& ref, const Principal& principal, mcp::Slice arguments) {
  FindToolsRequest request;
  if (const std::string problem = read_find_tools(arguments, request); !problem.empty()) return wrong(ref, problem);
  std::unordered_map<const DeviceModel*, std::vector<std::string>> devices;
  std::unordered_map<const DeviceModel*, size_t> counts;
  for (const DeviceEntry* device : visible(principal.devices)) {
    const DeviceModel* model = &catalogs_.of(device->record.key);
    if (++counts[model] <= tool_examples) devices[model].push_back(device->record.id);
  }
  const FleetCatalog& catalog = fleet_.of(principal);
  std::vector<SearchedTool> tools;
  for (const mcp::Tool& tool : catalog.lists.tools()) {
    SearchedTool& searched = tools.emplace_back();
    searched.tool = &tool;
    const auto type = catalog.tools.find(tool.name);
    if (type == catalog.tools.end()) continue;
    for (const DeviceModel* model : type->second.models) {
      searched.devices += counts[model];
      for (const std::string& id : devices[model]) {
        if (searched.examples.size() < tool_examples) searched.examples.push_back(id);
      }
    }
  }
  router_.reply_own(ref, find_tools_answer(request, tools), "ok", platform::now());
}

// ---- Resources, prompts, completions

void FleetAnswers::read_resource(const CallRef& ref, const Principal& principal, const std::string& uri) {
  if (uri == fleet_uri::devices) {
    ListDevicesRequest request;
    request.devices = principal.devices;
    request.limit = limits::hub_devices;
    const std::string answer = list_devices_answer(request, visible(request.devices), platform::wall_clock());
    return router_.reply_own(ref, mcp::read_result({mcp::text_resource(uri, "application/json", structured_of(answer))}), "ok", platform::now());
  }
  if (uri.starts_with(fleet_uri::device_prefix)) return describe_device(ref, principal, uri.substr(fleet_uri::device_prefix.size()), true);
  router_.fail_not_found(ref, uri, platform::now());
}

void FleetAnswers::get_prompt(const CallRef& ref, const Principal& principal, const mcp::Call& call) {
  const Instant now = platform::now();
  if (call.target == "fleet_health") {
    return router_.reply_own(ref, mcp::prompt_result("Health of the fleet", {mcp::text_content(
        "Judge the health of this fleet. Call list_devices to see who is offline and who has a backlog, list_gaps for readings that were lost and why, "
        "and latest for values that are old. Name each device that needs attention, what is wrong with it, since when, and what to do; say so when all is well.")}), "ok", now);
  }
  if (call.target != "explain_outage") return router_.fail_not_found(ref, call.target, now);
  const std::string device = argument(call, "device");
  const DeviceEntry* entry = registry_.find(device);
  if (entry == nullptr || !principal.sees(entry->record)) return router_.fail(ref, {mcp::RpcCode::invalid_params, "there is no device '" + device + "'", {}}, now);
  const std::string given = argument(call, "since");
  const std::string since = given.empty() ? "24h" : given;
  const std::string state = entry->presence.is_online ? "is online now" : absence_text(*entry, platform::wall_clock());
  router_.reply_own(ref, mcp::prompt_result("What happened while the device was dark", {mcp::text_content(
      "Device '" + device + "' " + state + ". Explain what happened to it in the last " + since + ". Call describe_device and list_gaps for it, then query its series with "
      "an aggregate around the edges of each gap. Tell apart: the sensor was silent, the device was off, readings were lost (how many, why), and readings that "
      "still wait on the device. End with what was measured before and after, and what remains unknown.")}), "ok", now);
}

void FleetAnswers::complete(const CallRef& ref, const Principal& principal, const mcp::Call& call) {
  const mcp::Slice about = mcp::find_member(call.params, "argument");
  std::vector<std::string> values;
  if (mcp::find_member(about, "name").equals("device")) {
    const std::string begun = mcp::find_member(about, "value").text();
    for (const DeviceEntry* device : visible(principal.devices)) {
      if (device->record.id.starts_with(begun)) values.push_back(device->record.id);
    }
  }
  router_.reply_own(ref, mcp::completion_result(values), "ok", platform::now());
}

// ---- For a device that is away

bool FleetAnswers::on_offline_call(const CallRef& ref, const mcp::Call& call, const DeviceEntry& device) {
  if (call.method != mcp::Method::call_tool) return false;
  const std::string id = device.record.id;
  model::DeviceSelector only;
  only.id_glob = id;
  if (call.target == "latest" || call.target == "list_series") {
    LatestRequest request;
    if (const std::string problem = read_latest(call.arguments, only, request); !problem.empty()) return wrong(ref, problem), true;
    remember(ref, desk_.ask_latest(only, request.series, [this, ref, id](const Result<std::vector<LatestValue>>& values) {
      asked_.erase(ref);
      const DeviceEntry* known = registry_.find(id);
      if (!values || known == nullptr) return wrong(ref, values ? "the device is not known any more" : archive_problem(values.error()));
      router_.reply_own(ref, offline_latest(*known, *values, platform::wall_clock()), "ok", platform::now());
    }));
    return true;
  }
  if (call.target != "query") return false;
  QueryRequest request;
  if (const std::string problem = read_query(call.arguments, only, platform::wall_clock(), request); !problem.empty()) return wrong(ref, problem), true;
  remember(ref, desk_.ask(request.query, [this, ref, id](Result<model::QueryAnswer> answer) {
    asked_.erase(ref);
    const DeviceEntry* known = registry_.find(id);
    if (!answer || known == nullptr) return wrong(ref, answer ? "the device is not known any more" : archive_problem(answer.error()));
    router_.reply_own(ref, offline_query(*known, *answer, platform::wall_clock()), "ok", platform::now());
  }));
  return true;
}

}  // namespace tideline::hub
