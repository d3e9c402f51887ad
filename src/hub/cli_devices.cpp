// `tideline-hub devices`: the archive's devices joined with what the hub that runs knows of them right now.
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "base/table.hpp"
#include "base/text.hpp"
#include "clock.hpp"
#include "hub/admin_client.hpp"
#include "hub/answer_text.hpp"
#include "hub/cli.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"
#include "terminal.hpp"

namespace tideline::hub::cli {
namespace {

struct Online {
  double since_seconds = 0;
  int64_t backlog_readings = 0;
  std::string address;
};

struct DeviceView {
  DeviceRecord record;
  const Online* online = nullptr;
  uint64_t gaps = 0;
  uint64_t readings_lost = 0;
  int64_t last_value_ns = 0;
};

struct FleetView {
  bool hub_runs = false;
  std::map<std::string, Online> online;
  std::vector<DeviceView> devices;
};

void ask_online(const StateDirectory& state, FleetView& view) {
  const auto answer = ask_hub(state, {"online", {}});
  view.hub_runs = answer && answer->exit_code == 0;
  if (!view.hub_runs) return;
  for (mcp::Walk walk(mcp::find_member(mcp::Slice(answer->result), "devices")); walk.next();) {
    Online& online = view.online[walk.key().text()];
    online.since_seconds = mcp::find_member(walk.value(), "since_seconds").real().value_or(0);
    online.backlog_readings = mcp::find_member(walk.value(), "backlog_readings").integer().value_or(0);
    online.address = mcp::find_member(walk.value(), "address").text();
  }
}

Status read_archive(Archive& archive, const model::DeviceSelector& selector, FleetView& view) {
  ASSIGN_OR_RETURN(const std::vector<DeviceRecord> records, archive.devices());
  std::map<std::string, size_t> index;
  for (const DeviceRecord& record : records) {
    if (!selector.matches(record.id, record.labels)) continue;
    index[record.id] = view.devices.size();
    const auto online = view.online.find(record.id);
    view.devices.push_back({record, online == view.online.end() ? nullptr : &online->second, 0, 0, 0});
  }
  ASSIGN_OR_RETURN(const auto gaps, archive.gaps(selector));
  for (const auto& [device, gap] : gaps) {
    const auto found = index.find(device);
    if (found == index.end()) continue;
    ++view.devices[found->second].gaps;
    view.devices[found->second].readings_lost += gap.count;
  }
  // Left out for a fleet with more series than one answer may hold.
  if (const auto latest = archive.latest(selector, {})) {
    for (const LatestValue& value : *latest) {
      const auto found = index.find(value.device);
      if (found == index.end()) continue;
      int64_t& newest = view.devices[found->second].last_value_ns;
      newest = std::max(newest, value.point.time_ns);
    }
  }
  return {};
}

std::string age(int64_t time_ns, UtcNanos now) { return time_ns == 0 ? "never" : format_duration(Duration{std::max<int64_t>(now.nanos - time_ns, 0)}) + " ago"; }

std::string presence(const DeviceView& device, UtcNanos now) {
  if (device.record.revoked) return "revoked";
  if (device.online != nullptr) return "online";
  return device.record.enrolled_ns == 0 ? "not enrolled" : age(device.record.last_seen_ns, now);
}

std::string fleet_table(const FleetView& view, UtcNanos now) {
  Table table;
  for (const char* title : {"device", "seen", "labels", "agent"}) table.add_column(title);
  for (const char* title : {"backlog", "gaps", "lost", "newest value"}) table.add_column(title, Table::Align::right);
  size_t online = 0;
  for (const DeviceView& device : view.devices) {
    std::string labels;
    for (const auto& [name, value] : device.record.labels) labels += (labels.empty() ? "" : ",") + name + "=" + value;
    table.add_row({device.record.id, presence(device, now), labels, device.record.agent_version,
                   device.online != nullptr ? format_count(static_cast<uint64_t>(device.online->backlog_readings)) : "",
                   format_count(device.gaps), format_count(device.readings_lost), age(device.last_value_ns, now)});
    online += device.online != nullptr ? 1 : 0;
  }
  std::string text = view.devices.empty() ? "no devices; enrol one with 'tideline-hub token create --device ID'\n" : table.text();
  if (!view.hub_runs) return text + "\nno hub runs: nobody is online\n";
  return text + format("\n%zu of %zu online\n", online, view.devices.size());
}

std::string fleet_json(const FleetView& view) {
  const auto time_or_null = [](mcp::ObjectWriter& object, const char* name, int64_t time_ns) {
    time_ns == 0 ? object.raw(name, "null") : object.text(name, format_utc({time_ns}));
  };
  std::string items = "[";
  for (const DeviceView& device : view.devices) {
    if (items.size() > 1) items += ",";
    const DeviceRecord& record = device.record;
    mcp::ObjectWriter object(items);
    object.text("id", record.id).raw("labels", labels_json(record.labels)).boolean("online", device.online != nullptr);
    object.boolean("revoked", record.revoked).text("agent_version", record.agent_version);
    time_or_null(object, "enrolled", record.enrolled_ns);
    time_or_null(object, "last_seen", record.last_seen_ns);
    time_or_null(object, "newest_value", device.last_value_ns);
    object.integer("gaps", static_cast<int64_t>(device.gaps)).integer("readings_lost", static_cast<int64_t>(device.readings_lost));
    device.online != nullptr ? object.integer("backlog_readings", device.online->backlog_readings) : object.raw("backlog_readings", "null");
    device.online != nullptr ? object.text("address", device.online->address) : object.raw("address", "null");
    object.text("certificate", record.certificate_fingerprint);
    object.end();
  }
  std::string text;
  mcp::ObjectWriter object(text);
  object.boolean("hub_runs", view.hub_runs).raw("devices", items + "]");
  object.end();
  return text + "\n";
}

}  // namespace

int devices(const Arguments& arguments) {
  auto site = load(arguments, "devices");
  if (!site) return usage_error;
  const auto selector = model::parse_device_selector(arguments.get("device", "*"));
  if (!selector) return fail(usage_error, "devices", "--device '" + arguments.get("device") + "': " + selector.error().context);
  for (;;) {
    int code = done;
    const auto archive = open_for_reading(*site, "devices", code);
    if (archive == nullptr) return code;
    FleetView view;
    ask_online(site->state, view);
    if (const Status read = read_archive(*archive, *selector, view); !read) return fail(failed, "devices", describe(read.error()));
    const std::string text = arguments.has("json") ? fleet_json(view) : fleet_table(view, platform::wall_clock());
    if (arguments.has("watch") && platform::stdout_is_terminal()) std::fputs("\033[H\033[2J", stdout);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    if (!arguments.has("watch")) return done;
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

}  // namespace tideline::hub::cli
