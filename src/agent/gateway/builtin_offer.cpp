#include "agent/gateway/builtin_offer.hpp"

#include "agent/gateway/hearing.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "mcp/query_arguments.hpp"

namespace tideline::agent {
namespace {

using mcp::schema::input;
using mcp::schema::object;

constexpr mcp::ToolHints reads{.is_read_only = true, .is_destructive = false, .is_idempotent = true, .is_open_world = false};
constexpr mcp::ToolHints writes{.is_read_only = false, .is_destructive = false, .is_idempotent = false, .is_open_world = false};
constexpr mcp::ToolHints nudges{.is_read_only = false, .is_destructive = false, .is_idempotent = true, .is_open_world = false};

constexpr const char* no_arguments = R"({"type":"object","properties":{},"additionalProperties":false})";

// Members of "properties", used in several schemas; those that the fleet's tools have too are in mcp/query_arguments.hpp.
constexpr const char* head =
    R"("device":{"type":"string"},"answered_at":{"type":"string","description":"Time of the device's clock (RFC 3339, UTC)."},)"
    R"("time_quality":{"type":"string","enum":["none","floor","rtc","hub","synced"],"description":"How far that clock can be trusted; synced is best."})";
const std::string series_members =
    std::string(R"("key":{"type":"string","description":"Name with labels, as accepted by the argument series."},)") + mcp::schema::series_members;
constexpr const char* latest_members =
    R"("latest":{"type":"object","description":"Missing when no reading is held.","properties":{"time":{"type":"string"},"age_s":{"type":"number","description":"Seconds since the reading."},)"
    R"("value":{"description":"Number, boolean or text; null for not a number.","anyOf":[{"type":"number"},{"type":"boolean"},{"type":"string"},{"type":"null"}]},"value_is_cut":{"type":"boolean"}},"required":["time","age_s"]},)"
    R"("reading_back":{"type":"boolean","description":"A value from long ago is still being looked for: ask again."})";

mcp::Tool tool(const char* name, const char* title, const char* description, std::string input_schema, std::string output_schema, const mcp::ToolHints& hints) {
  mcp::Tool one;
  one.name = name;
  one.title = title;
  one.description = description;
  one.input_schema_json = std::move(input_schema);
  one.output_schema_json = std::move(output_schema);
  one.annotations_json = mcp::hints_json(hints);
  return one;
}

mcp::Tool list_series() {
  const std::string item = series_members + "," + latest_members;
  return tool("list_series", "List series",
              "Lists what this device measures: each series with unit, kind, class, and its newest value with its age. Start here to learn the names.",
              input(mcp::schema::series_argument),
              object(std::string(head) + R"(,"series":{"type":"array","items":)" + object(item, R"("key","name","unit")") +
                         R"(},"total":{"type":"integer","description":"Series on this device, shown or not."},)" + judgement_schema(),
                     R"("device","answered_at","series","completeness")"),
              reads);
}

mcp::Tool latest() {
  const std::string item = series_members + "," + latest_members +
                           R"(,"since_then":{"type":"string","description":"Why there is nothing newer: silent, lost or not_listening."})";
  return tool("latest", "Latest values",
              "The newest value of each series that matches, with its age in seconds, without reading history. Also says why there is nothing newer.",
              input(mcp::schema::series_argument), object(std::string(head) + R"(,"series":{"type":"array","items":)" + object(item, R"("key","name","unit")") + "}," + judgement_schema(), R"("device","answered_at","series","completeness")"),
              reads);
}

mcp::Tool query() {
  const std::string arguments = std::string(mcp::schema::series_argument) + "," + mcp::schema::from_argument("-1h") + "," + mcp::schema::to_argument + "," +
                                mcp::schema::aggregate_arguments + "," +
                                mcp::schema::limit_argument(limits::tool_query_rows, mcp::query_rows_otherwise,
                                                            "Most rows of all series together; the newest are kept, and completeness.truncated says so.");
  const std::string item = series_members +
                           R"(,"points":{"type":"array","items":{"type":"object","properties":{"time":{"type":"string","description":"Of the reading, or the beginning of the bucket (RFC 3339, UTC)."},)"
                           R"("value":{"description":"Number, boolean or text; null for not a number.","anyOf":[{"type":"number"},{"type":"boolean"},{"type":"string"},{"type":"null"}]},)"
                           R"("count":{"type":"integer","description":"Readings behind a bucket."}},"required":["time"]}})";
  return tool("query", "Query readings",
              "Readings of a time range, or aggregates per time bucket, with the gaps in it. Times are UTC. For long ranges give aggregate and step. "
              "Example: {\"series\":\"cpu.percent\",\"from\":\"-6h\",\"aggregate\":\"max\",\"step\":\"15m\"}.",
              input(arguments),
              object(std::string(head) + R"(,"from":{"type":"string"},"to":{"type":"string"},"aggregate":{"type":"string"},"step_s":{"type":"number"},"rows":{"type":"integer"},)"
                     R"("age_s":{"type":"number","description":"Seconds since the newest row."},"series":{"type":"array","items":)" + object(item, R"("key","name","unit","points")") + "}," + judgement_schema(),
                     R"("device","answered_at","rows","series","completeness","gaps")"),
              reads);
}

mcp::Tool record() {
  const std::string reading =
      R"("series":{"type":"string","minLength":1,"description":"Name, with labels in braces: temp or temp{room=a}. A new one is made."},)"
      R"("value":{"anyOf":[{"type":"number"},{"type":"boolean"},{"type":"string"}],"description":"The measured value."},)"
      R"("unit":{"type":"string","maxLength":32,"description":"UCUM code of a new series: Cel, %, By, m/s."},)"
      R"("time":{"type":"string","description":"When it was measured: -5m, 2026-11-21T06:00:00Z; default now."},)"
      R"("class":{"type":"string","enum":["critical","normal","bulk"],"description":"Who is kept longest and sent first. Default: the operator's rules, else normal."})";
  return tool("record", "Record readings",
              "Stores readings on this device; the answer comes when they are on its disk. They go to the hub like those of sensors. All are taken, or none. "
              "Example: {\"readings\":[{\"series\":\"note{by=operator}\",\"value\":\"filter changed\"}]}.",
              input(format(R"("readings":{"type":"array","minItems":1,"maxItems":%zu,"items":)", limits::tool_readings) + input(reading, R"("series","value")") + "}", R"("readings")"),
              object(std::string(head) + R"(,"recorded":{"type":"integer"},"durable":{"type":"boolean"})", R"("device","answered_at","recorded","durable")"), writes);
}

std::string sync_schema() {
  return object(std::string(head) +
                    R"(,"hub":{"type":"string","description":"host:port; empty when no hub is configured."},"state":{"type":"string"},"idle_reason":{"type":"string"},"last_error":{"type":"string"},)"
                    R"("synced":{"type":"boolean","description":"Everything stored is at the hub."},"last_ack_age_s":{"type":"number","description":"Seconds since the hub acknowledged readings."},)"
                    R"("next_attempt_s":{"type":"number"},"backlog_readings":{"type":"integer","description":"Stored here, not yet at the hub."},"backlog_is_upper_bound":{"type":"boolean"},)"
                    R"("backlog":{"type":"object","description":"The same per class."},"readings_acknowledged":{"type":"integer","description":"Since the agent started."},)"
                    R"("loss_window_s":{"type":"number","description":"Readings younger than this may be lost with the power."},"requested":{"type":"boolean"},)" +
                    judgement_schema(),
                R"("device","answered_at","hub","state","synced","backlog_readings")");
}

mcp::Tool doctor() {
  return tool("doctor", "Check the device",
              "Checks store, clock, identity, hub link and sensors, and says for each what was seen and what to do.", no_arguments,
              object(std::string(head) + R"(,"health":{"type":"string","enum":["ok","warning","bad"]},"findings":{"type":"array","items":)" +
                         object(R"("check":{"type":"string"},"health":{"type":"string","enum":["ok","warning","bad"]},"what":{"type":"string"},"advice":{"type":"string"})", R"("check","health","what","advice")") + "}",
                     R"("device","answered_at","health","findings")"),
              reads);
}

mcp::Resource resource(std::string_view address, const char* name, const char* title, const char* description) {
  mcp::Resource one;
  one.uri = address;
  one.name = name;
  one.title = title;
  one.description = description;
  one.mime_type = "application/json";
  return one;
}

}  // namespace

Offer builtin_offer() {
  Offer offer;
  offer.tools = {list_series(), latest(), query(), record(),
                 tool("sync_status", "Sync status", "How syncing to the hub goes: link, backlog per class, last acknowledgement, next attempt.", no_arguments, sync_schema(), reads),
                 tool("sync_now", "Sync now", "Commits what is pending and connects to the hub at once instead of waiting for the next attempt. Answers with the state just after.",
                      no_arguments, sync_schema(), nudges),
                 doctor()};
  offer.resources = {resource(uri::status, "status", "Device status", "Store, link, clock, inputs and backlog of this device. Changes all the time; subscribers hear at most every 5 s."),
                     resource(uri::series, "series", "Series", "Every series of this device with its newest value."),
                     resource(uri::gaps, "gaps", "Gaps", "What is known to be missing, how many readings, when and why.")};
  mcp::ResourceTemplate one;
  one.uri_template = uri::series_template;
  one.name = "series_by_name";
  one.title = "One series";
  one.description = format("Newest value and the newest %u readings of one series. Labels go into the name, percent-encoded: temp%%7Broom%%3Da%%7D.", limits::resource_points);
  one.mime_type = "application/json";
  offer.templates = {one};
  mcp::Prompt diagnose;
  diagnose.name = "diagnose_device";
  diagnose.title = "Diagnose this device";
  diagnose.description = "Status, findings and gaps of this device, with the question what is wrong and what to do.";
  diagnose.arguments = {{"series", "Series to look at closely, e.g. cpu.percent", false}};
  mcp::Prompt outage;
  outage.name = "explain_outage";
  outage.title = "Explain an outage";
  outage.description = "What was lost, what waits and when nobody listened since a time, with the question to explain it.";
  outage.arguments = {{"since", "Beginning: an age such as -24h, or a time such as 2026-11-21T06:00:00Z", true}, {"series", "Only this series", false}};
  offer.prompts = {diagnose, outage};
  return offer;
}

std::string_view builtin_instructions() {
  return "A device that measures. list_series tells what it measures, latest gives values with their age, query gives history, aggregates and gaps. "
         "Every answer has completeness: it tells apart a silent sensor, lost readings, and times when the agent did not run. Times are UTC.";
}

}  // namespace tideline::agent
