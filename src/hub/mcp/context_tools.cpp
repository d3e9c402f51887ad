#include "hub/mcp/context_tools.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "context/entry_json.hpp"
#include "context/limits.hpp"
#include "context/path.hpp"
#include "mcp/query_arguments.hpp"

namespace tideline::hub {
namespace {

using mcp::schema::input;
using mcp::schema::object;

constexpr mcp::ToolHints reads{.is_read_only = true, .is_destructive = false, .is_idempotent = true, .is_open_world = false};
constexpr mcp::ToolHints writes{.is_read_only = false, .is_destructive = true, .is_idempotent = true, .is_open_world = false};

constexpr const char* one_device = R"("device":{"type":"string","minLength":1,"maxLength":64,"description":"Device id, as in list_devices."})";
constexpr const char* some_devices =
    R"("device":{"type":"string","minLength":1,"maxLength":256,"default":"*","description":"Which devices: an id, a glob over ids, or label conditions in braces. Examples: pump-7, pump-*, {site=berlin}."})";
constexpr const char* path_argument =
    R"("path":{"type":"string","minLength":1,"maxLength":256,"description":"Path of the entry: mode, pump/7/setpoint. desired/... is written at the hub, reported/... by the device, anything else by both."})";
constexpr const char* wait_argument =
    R"("wait_seconds":{"type":"number","minimum":0,"maximum":86400,"default":0,"description":"Wait this long for the devices to hold it durably. Without it the answer comes when the hub holds it; devices that are offline get it when they return."})";
constexpr const char* version_argument =
    R"("if_version":{"type":"string","maxLength":32,"description":"Only if the entry has this version now; \"\" only if nothing is there. Without it the write always counts."})";
constexpr const char* delivery =
    R"("delivered":{"type":"boolean","description":"Of what the hub wrote: the device holds it durably."},"delivered_at":{"type":"string"})";
constexpr const char* answered_at = R"("answered_at":{"type":"string","description":"Time of the hub's clock (RFC 3339, UTC)."})";

std::string joined(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() || part.empty() ? "" : ",") + part;
  return text;
}

mcp::Tool tool(std::string_view name, const char* title, const char* description, std::string input_schema, std::string output_schema, const mcp::ToolHints& hints) {
  mcp::Tool made;
  made.name = name;
  made.title = title;
  made.description = description;
  made.input_schema_json = std::move(input_schema);
  made.output_schema_json = std::move(output_schema);
  made.annotations_json = mcp::hints_json(hints);
  return made;
}

std::string page_arguments() {
  return joined({mcp::schema::limit_argument(context_rows_most, context_rows_otherwise, "Most entries of one page."),
                 R"("cursor":{"type":"string","maxLength":400,"description":"next_cursor of the page before."})"});
}

std::string list_of(const char* name, const std::string& members) {
  return format(R"("%s":{"type":"array","items":)", name) + object(members, R"("device","path")") + R"(},"next_cursor":{"type":"string","description":"Missing on the last page."})";
}

std::string write_schema() {
  return object(R"("device":{"type":"string"},"path":{"type":"string"},"state":{"type":"string","enum":["delivered","waiting"],"description":"Of one device. delivered: it holds the write durably."},)"
                R"("version":{"type":"string"},"devices":{"type":"integer"},"written":{"type":"integer"},"refused":{"type":"integer"},"delivered":{"type":"integer"},"waiting":{"type":"integer"},)"
                R"("results":{"type":"array","description":"Of several devices, each one's.","items":{"type":"object","properties":{"device":{"type":"string"},"state":{"type":"string","enum":["delivered","waiting","refused"]},)"
                R"("version":{"type":"string"},"reason":{"type":"string"}},"required":["device","state"]}},"left_out":{"type":"integer","description":"Results that do not fit here."})",
                R"("path","written","refused","delivered","waiting")");
}

std::string read_path(mcp::Slice arguments, std::string& path) {
  path = mcp::text_argument(arguments, "path");
  const std::string problem = context::path_problem(path);
  return problem.empty() ? "" : "path '" + path + "': " + problem;
}

std::string read_wait(mcp::Slice arguments, ContextSetRequest& out) {
  const double wait = mcp::find_member(arguments, "wait_seconds").real().value_or(0);
  if (!(wait >= 0) || wait > context_wait_most.seconds()) return "wait_seconds: from 0 to 86400";
  out.wait = milliseconds(static_cast<int64_t>(wait * 1000));
  const mcp::Slice version = mcp::find_member(arguments, "if_version");
  if (version.is_present()) out.change.if_version = version.text();
  return {};
}

}  // namespace

bool is_context_tool(std::string_view name) {
  return name == context_tool::get || name == context_tool::list || name == context_tool::set || name == context_tool::erase || name == context_tool::diff;
}

std::vector<mcp::Tool> context_tools() {
  const std::string entry = joined({R"("device":{"type":"string"})", context::entry_schema(), delivery});
  const std::string difference =
      R"("device":{"type":"string"},"online":{"type":"boolean"},"path":{"type":"string","description":"Below desired/ and reported/."},"desired":)" + context::any_json_schema("Any JSON.") + R"(,"version":{"type":"string"},"author":{"type":"string"},"time":{"type":"string"},)" +
      std::string(delivery) + R"(,"reported":)" + context::any_json_schema("Absent while the device reported nothing.") + R"(,"reported_time":{"type":"string"},"equal":{"type":"boolean"},"error":)" + context::any_json_schema("What the device says is in the way (its reported/_error/...).");
  return {
      tool(context_tool::get, "Get an entry of a device's context",
           "What holds on a device: configuration, mode, set points, notes. From the hub's replica, also while the device is offline. Example: {\"device\":\"pump-7\",\"path\":\"mode\"}.",
           input(joined({one_device, path_argument, R"("history":{"type":"integer","minimum":0,"maximum":16,"default":0,"description":"How many earlier writes to show."})"}), R"("device","path")"),
           object(joined({answered_at, R"("online":{"type":"boolean"})", entry, context::history_schema()}), R"("answered_at","device","path","exists")"), reads),
      tool(context_tool::list, "List entries of devices' context",
           "Entries of one device or of many, with who wrote them; with conflicts_only those that device and hub wrote without knowing of each other. Example: {\"device\":\"pump-*\",\"prefix\":\"pump\"}.",
           input(joined({some_devices, R"("prefix":{"type":"string","maxLength":256,"description":"Only this path and those below it."})", R"("conflicts_only":{"type":"boolean","default":false})", page_arguments()})),
           object(joined({answered_at, list_of("entries", entry), R"("total":{"type":"integer","description":"Entries on the devices looked at, shown or not."},"conflicts":{"type":"integer"})"}), R"("answered_at","entries","total","conflicts")"), reads),
      tool(context_tool::set, "Set an entry of devices' context",
           "Writes a value on one device or on all that match; the hub holds it durably when this answers, and devices that are offline get it when they return. desired/... is what a device is asked to be; "
           "context_diff shows how far that is. Example: {\"device\":\"{site=berlin}\",\"path\":\"desired/mode\",\"value\":\"eco\",\"wait_seconds\":10}.",
           input(joined({some_devices, path_argument, R"("value":)" + context::any_json_schema("Any JSON, at most 64 KiB.") + R"(,"merge":{"type":"boolean","default":false,"description":"The value is a merge patch (RFC 7396) of what is there."})",
                         version_argument, R"("ttl_seconds":{"type":"number","exclusiveMinimum":0,"maximum":316224000,"description":"The entry is gone after this time."})", wait_argument}),
                 R"("device","path","value")"),
           write_schema(), writes),
      tool(context_tool::erase, "Delete an entry of devices' context", "Deletes it on one device or on all that match. Example: {\"device\":\"pump-7\",\"path\":\"note\"}.",
           input(joined({some_devices, path_argument, version_argument, wait_argument}), R"("device","path")"), write_schema(), writes),
      tool(context_tool::diff, "Desired and reported state of devices",
           "Compares desired/X, which the hub wrote, with reported/X, which the device answers with: what was delivered, what is in force, and what the device says went wrong. Shows what is not equal. "
           "Example: {\"device\":\"pump-*\",\"path\":\"config\"}.",
           input(joined({some_devices, R"("path":{"type":"string","maxLength":240,"description":"Only this path and those below it, without desired/."})", R"("all":{"type":"boolean","default":false,"description":"Also what is equal."})",
                         page_arguments()})),
           object(joined({answered_at, R"("devices":{"type":"integer"},"equal":{"type":"integer","description":"On this page's way, like different."},"different":{"type":"integer"})", list_of("differences", difference)}),
                  R"("answered_at","devices","equal","different","differences")"), reads),
  };
}

std::string read_context_get(mcp::Slice arguments, ContextGetRequest& out) {
  out.history = static_cast<size_t>(std::clamp<int64_t>(mcp::find_member(arguments, "history").integer().value_or(0), 0, context::limits::history));
  return read_path(arguments, out.path);
}

std::string read_context_list(mcp::Slice arguments, ContextListRequest& out) {
  out.prefix = mcp::text_argument(arguments, "prefix", mcp::text_argument(arguments, "path"));
  if (!out.prefix.empty() && out.prefix.back() == '/') out.prefix.pop_back();
  if (!out.prefix.empty() && !context::is_path(out.prefix)) return "'" + out.prefix + "': " + context::path_problem(out.prefix);
  out.conflicts_only = mcp::find_member(arguments, "conflicts_only").is_true();
  out.shows_all = mcp::find_member(arguments, "all").is_true();
  if (const auto limit = mcp::find_member(arguments, "limit").integer(); limit && *limit > 0) out.limit = std::min(static_cast<size_t>(*limit), context_rows_most);
  const std::string cursor = mcp::text_argument(arguments, "cursor");
  const size_t space = cursor.find(' ');
  if (!cursor.empty() && space == std::string::npos) return "cursor: give next_cursor of the page before as it is";
  out.after_device = cursor.substr(0, space);
  if (space != std::string::npos) out.after_path = cursor.substr(space + 1);
  return {};
}

std::string read_context_set(mcp::Slice arguments, ContextSetRequest& out) {
  if (std::string problem = read_path(arguments, out.change.path); !problem.empty()) return problem;
  const mcp::Slice value = mcp::find_member(arguments, "value");
  if (!value.is_present()) return "value: give any JSON; context_delete deletes";
  out.change.value = std::string(value.raw());
  out.change.operation = mcp::find_member(arguments, "merge").is_true() ? context::Operation::patch : context::Operation::set;
  if (const auto life = mcp::find_member(arguments, "ttl_seconds").real()) {
    if (!(*life > 0) || *life * 1000 > static_cast<double>(context::limits::time_to_live_most_ms)) return "ttl_seconds: more than 0 and at most ten years";
    out.change.time_to_live_ms = std::max<int64_t>(1, static_cast<int64_t>(*life * 1000));
  }
  return read_wait(arguments, out);
}

std::string read_context_delete(mcp::Slice arguments, ContextSetRequest& out) {
  if (std::string problem = read_path(arguments, out.change.path); !problem.empty()) return problem;
  out.change.operation = context::Operation::erase;
  return read_wait(arguments, out);
}

std::string find_named(const Registry& registry, const model::DeviceSelector& visible, const std::string& text, NamedDevices& out) {
  const DeviceEntry* one = registry.find(text);
  if (one != nullptr && visible.matches(one->record.id, one->record.labels)) {
    out = {{one}, true};
    return {};
  }
  const auto selector = model::parse_device_selector(text);
  if (!selector) return "device '" + text + "': " + selector.error().context + "; write pump-7, pump-*, {site=berlin} or pump-*{line=3}";
  out = {registry.select(model::both(*selector, visible)), false};
  return out.devices.empty() ? "no device matches '" + text + "'; list_devices shows what there is" : "";
}

std::string context_cursor(const std::string& device, const std::string& path) { return device + " " + path; }

}  // namespace tideline::hub
