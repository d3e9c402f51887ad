#include "hub/mcp/fleet_tools.hpp"

#include <string>

#include "base/limits.hpp"
#include "hub/mcp/fleet_tools_arguments.hpp"
#include "mcp/query_arguments.hpp"

namespace tideline::hub {
namespace {

using mcp::schema::input;
using mcp::schema::object;

constexpr mcp::ToolHints reads{.is_read_only = true, .is_destructive = false, .is_idempotent = true, .is_open_world = false};

// Members of "properties", used in several schemas.
constexpr const char* devices_argument =
    R"("devices":{"type":"string","minLength":1,"maxLength":256,"default":"*","description":"Which devices: an id, a glob over ids, or label conditions in braces. Examples: pump-7, pump-*, {site=berlin}, pump-*{site=berlin,line=3}."})";
constexpr const char* answered_at = R"("answered_at":{"type":"string","description":"Time of the hub's clock (RFC 3339, UTC)."})";
constexpr const char* device_members =
    R"("device":{"type":"string","description":"Device id."},"state":{"type":"string","enum":["online","offline","never_seen","revoked"]},)"
    R"("last_seen":{"anyOf":[{"type":"string"},{"type":"null"}],"description":"Last contact (RFC 3339, UTC)."},"last_seen_age_s":{"anyOf":[{"type":"number"},{"type":"null"}],"description":"Seconds since then; 0 while online."},)"
    R"("backlog":{"type":"object","description":"Readings that an online device said it still holds for the hub, by class.","properties":{"critical":{"type":"integer"},"normal":{"type":"integer"},"bulk":{"type":"integer"}}},)"
    R"("labels":{"type":"object"},"agent_version":{"type":"string"})";
constexpr const char* value_members =
    R"("time":{"type":"string"},"age_s":{"type":"number","description":"Seconds since the reading."},)"
    R"("value":{"description":"Number, boolean or text; null for not a number.","anyOf":[{"type":"number"},{"type":"boolean"},{"type":"string"},{"type":"null"}]})";
constexpr const char* completeness =
    R"("completeness":{"type":"object","description":"What this answer is worth: whether no data means that sensors were silent, that readings were lost, or that they still wait on a device.","properties":{)"
    R"("state":{"type":"string","enum":["complete","partial","silent","lost","waiting","future","no_device"]},"explanation":{"type":"string"},)"
    R"("devices":{"type":"integer","description":"Devices that match."},"devices_waiting":{"type":"integer","description":"Of these, offline or with a backlog: their readings may come later."},)"
    R"("waiting":{"type":"array","description":"Some of them.","items":{"type":"object","properties":{"device":{"type":"string"},"state":{"type":"string"},"last_seen":{"anyOf":[{"type":"string"},{"type":"null"}]},"backlog_readings":{"type":"integer"}}}},)"
    R"("lost_readings":{"type":"integer"},"truncated":{"type":"boolean"},"unreadable_blocks":{"type":"integer"}},"required":["state","explanation","devices","devices_waiting","truncated"]})";
constexpr const char* gap_members =
    R"("device":{"type":"string"},"class":{"type":"string","enum":["critical","normal","bulk"]},"reason":{"type":"string","enum":["evicted","damaged","rollback","refused","overrun","disk_full","hub_rollback"]},)"
    R"("count":{"type":"integer","description":"Readings lost."},"at_least":{"type":"boolean","description":"The count may be higher."},"first":{"type":"integer"},"last":{"type":"integer"},)"
    R"("from":{"anyOf":[{"type":"string"},{"type":"null"}]},"to":{"anyOf":[{"type":"string"},{"type":"null"}]},"declared":{"anyOf":[{"type":"string"},{"type":"null"}]})";

std::string array_of(std::string_view name, const std::string& item) { return "\"" + std::string(name) + R"(":{"type":"array","items":)" + item + "}"; }
std::string join(std::initializer_list<std::string> members) {
  std::string text;
  for (const std::string& member : members) text += (text.empty() ? "" : ",") + member;
  return text;
}
std::string gaps_member() { return array_of("gaps", object(gap_members, R"("device","class","reason","count")")); }
std::string series_item() { return join({R"("device":{"type":"string"},"key":{"type":"string","description":"Name with labels, as accepted by the argument series."})", mcp::schema::series_members}); }

mcp::Tool tool(std::string_view name, const char* title, const char* description, std::string input_schema, std::string output_schema) {
  mcp::Tool one;
  one.name = name;
  one.title = title;
  one.description = description;
  one.input_schema_json = std::move(input_schema);
  one.output_schema_json = std::move(output_schema);
  one.annotations_json = mcp::hints_json(reads);
  return one;
}

mcp::Tool list_devices() {
  return tool(fleet_tool::list_devices, "List devices",
              "The devices of the fleet: who is online, when each was last seen, labels for selectors, and what still waits on it. Start here. "
              "Example: {\"devices\":\"{site=berlin}\",\"state\":\"offline\"}.",
              input(join({devices_argument, R"("state":{"type":"string","enum":["any","online","offline"],"default":"any","description":"Only those that are connected now, or only those that are not."})",
                          mcp::schema::limit_argument(limits::fleet_page_devices, devices_otherwise, "Most devices of one page."),
                          R"("cursor":{"type":"string","maxLength":64,"description":"next_cursor of the page before."})"})),
              object(join({answered_at, array_of("devices", object(device_members, R"("device","state","labels")")), R"("total":{"type":"integer","description":"Devices that match, on all pages."})",
                           R"("online":{"type":"integer","description":"Of these, online."})", R"("next_cursor":{"type":"string","description":"Missing on the last page."})"}),
                     R"("answered_at","devices","total","online")"));
}

mcp::Tool describe_device() {
  const std::string tool_item = object(R"("name":{"type":"string"},"title":{"type":"string"},"description":{"type":"string"},"read_only":{"type":"boolean"})", R"("name","read_only")");
  return tool(fleet_tool::describe_device, "Describe a device",
              "One device in full: state, labels, what it measures with newest values, the tools it offers, what it lost. Example: {\"device\":\"pump-7\"}.",
              input(R"("device":{"type":"string","minLength":1,"maxLength":64,"description":"Device id, as in list_devices."})", R"("device")"),
              object(join({answered_at, device_members, R"("enrolled":{"anyOf":[{"type":"string"},{"type":"null"}]})", array_of("series", object(join({series_item(), value_members}), R"("key","unit","time","age_s")")),
                           array_of("tools", tool_item), R"("resources":{"type":"integer"},"prompts":{"type":"integer"},"lost_readings":{"type":"integer"})", gaps_member()}),
                     R"("answered_at","device","state","series","tools")"));
}

mcp::Tool latest() {
  const std::string item = join({series_item(), value_members, R"("online":{"type":"boolean","description":"Whether the device is connected now."})"});
  return tool(fleet_tool::latest, "Latest values of the fleet",
              "The newest value of each series on the devices that match, with its age and how far its time can be trusted; also of devices that are offline. "
              "Example: {\"devices\":\"{site=berlin}\",\"series\":\"temp*\"}.",
              input(join({devices_argument, mcp::schema::series_argument, mcp::schema::limit_argument(limits::fleet_values, mcp::query_rows_otherwise, "Most values.")})),
              object(join({answered_at, array_of("values", object(item, R"("device","key","unit","time","age_s","online")")), R"("total":{"type":"integer","description":"Values that match, shown or not."})", completeness}),
                     R"("answered_at","values","total","completeness")"));
}

mcp::Tool query() {
  const std::string points = R"("points":{"type":"array","items":{"type":"object","properties":{"time":{"type":"string","description":"Of the reading, or the beginning of the bucket (RFC 3339, UTC)."},)"
                             R"("value":{"description":"Number, boolean or text; null for not a number.","anyOf":[{"type":"number"},{"type":"boolean"},{"type":"string"},{"type":"null"}]},)"
                             R"("count":{"type":"integer","description":"Readings behind a bucket."}},"required":["time"]}})";
  return tool(fleet_tool::query, "Query readings of the fleet",
              "Readings of a time range of many devices and series, or aggregates per time bucket, with the gaps in it. Times are UTC. For long ranges or many devices give aggregate and "
              "step; group_by puts devices and series together. Example: {\"devices\":\"*\",\"series\":\"temp\",\"from\":\"-24h\",\"aggregate\":\"max\",\"step\":\"1h\",\"group_by\":[\"site\"]}.",
              input(join({devices_argument, mcp::schema::series_argument, mcp::schema::from_argument("-1h"), mcp::schema::to_argument, mcp::schema::aggregate_arguments,
                          R"("group_by":{"type":"array","maxItems":16,"items":{"type":"string","minLength":1,"maxLength":128},"description":"With an aggregate: one row per bucket for each different device, series or label named here, e.g. [\"site\"], [\"device\"], [\"series\",\"line\"]; [] puts everything together. A label is the series' or else the device's. Different units stay apart. Without it each series of each device is on its own."})",
                          mcp::schema::limit_argument(limits::tool_query_rows, mcp::query_rows_otherwise, "Most rows of all series together; the newest are kept, and completeness.truncated says so.")})),
              object(join({answered_at, R"("from":{"type":"string"},"to":{"type":"string"},"aggregate":{"type":"string"},"step_s":{"type":"number"},"group_by":{"type":"array","items":{"type":"string"}},"rows":{"type":"integer"})",
                           array_of("series", object(join({series_item(), points}), R"("key","unit","points")")), completeness, gaps_member()}),
                     R"("answered_at","aggregate","rows","series","completeness","gaps")"));
}

mcp::Tool list_gaps() {
  return tool(fleet_tool::list_gaps, "List gaps",
              "Readings that are known to be missing: on which device, how many, when and why; the newest records first. Example: {\"devices\":\"pump-*\",\"from\":\"-7d\"}.",
              input(join({devices_argument, mcp::schema::from_argument("-7d"), mcp::schema::to_argument, R"("class":{"type":"string","enum":["critical","normal","bulk"],"description":"Only readings of this class."})",
                          mcp::schema::limit_argument(limits::query_gaps, gaps_otherwise, "Most records.")})),
              object(join({answered_at, gaps_member(), R"("total":{"type":"integer","description":"Records that match, shown or not."},"lost_readings":{"type":"integer","description":"In all of them."},"truncated":{"type":"boolean"})"}),
                     R"("answered_at","gaps","total","lost_readings","truncated")"));
}

mcp::Tool find_tools() {
  const std::string item = object(R"("name":{"type":"string","description":"To be called at this endpoint."},"title":{"type":"string"},"description":{"type":"string"},"read_only":{"type":"boolean"},)"
                                  R"("devices":{"type":"integer","description":"Devices that offer it; 0: the hub's own."},"examples":{"type":"array","items":{"type":"string"},"description":"Some of them."},)"
                                  R"("input_schema":{"type":"object"})",
                                  R"("name","read_only","devices","input_schema")");
  return tool(fleet_tool::find_tools, "Find tools",
              "Searches names, titles, descriptions and arguments of all tools of the fleet; the best match first, with its arguments and the devices that offer it. Example: {\"query\":\"restart service\"}.",
              input(join({R"("query":{"type":"string","minLength":1,"maxLength":256,"description":"Words to look for, e.g. what is to be done."})",
                          mcp::schema::limit_argument(limits::fleet_found_tools, tools_otherwise, "Most tools.")}),
                    R"("query")"),
              object(join({array_of("tools", item), R"("total":{"type":"integer","description":"Tools that match, shown or not."})"}), R"("tools","total")"));
}

}  // namespace

std::vector<mcp::Tool> fleet_tools() { return {list_devices(), describe_device(), latest(), query(), list_gaps(), find_tools()}; }

}  // namespace tideline::hub
