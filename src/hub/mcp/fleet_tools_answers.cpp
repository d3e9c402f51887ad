#include "hub/mcp/fleet_tools_answers.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "hub/mcp/fleet_tools_worth.hpp"
#include "mcp/content.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::hub {
namespace {

std::string age_text(UtcNanos now, int64_t time_ns) {
  const Duration age = now - UtcNanos{time_ns};
  return age.nanos < 0 ? "in " + format_duration({-age.nanos}) : format_duration(age) + " ago";
}

std::string seen_text(const DeviceEntry& device, UtcNanos now) {
  if (device.presence.is_online) return "now";
  return device.record.last_seen_ns == 0 ? "never" : age_text(now, device.record.last_seen_ns);
}

std::string labels_text(const DeviceRecord& record) {
  std::string text;
  for (const auto& [name, value] : record.labels) text += (text.empty() ? "" : ",") + name + "=" + value;
  return text;
}

/// A text of limited length, and the whole as structured content.
std::string finish(const std::string& text, const std::string& json) {
  if (json.size() <= limits::tool_answer_bytes) return mcp::tool_answer(text, json);
  return mcp::tool_error("The answer has " + format_size(json.size()) + ", more than the " + format_size(limits::tool_answer_bytes) +
                         " allowed. Ask for fewer devices or series, a shorter time, a smaller limit, or an aggregate with a step.");
}

std::string table_text(const Table& table, size_t rows) {
  if (rows == 0) return {};
  std::string text = table.text();
  if (rows > table.rows()) text += format("%zu in all; the first %zu are shown here.\n", rows, table.rows());
  return text + "\n";
}

void write_time(json::Writer& w, const char* name, int64_t time_ns) {
  w.key(name);
  time_ns == 0 ? w.null() : w.text(format_utc({time_ns}));
}

void write_device(json::Writer& w, const DeviceEntry& device, UtcNanos now) {
  const int64_t seen = last_seen_ns(device, now);
  w.key("device").text(device.record.id).key("state").text(device_state(device));
  write_time(w, "last_seen", seen);
  w.key("last_seen_age_s");
  seen == 0 ? w.null() : w.number((now - UtcNanos{seen}).seconds());
  if (device.presence.is_online) {
    w.key("backlog").begin_object();
    for (const model::Stream stream : model::streams) w.key(model::stream_name(stream)).unsigned_integer(device.presence.backlog[model::index_of(stream)]);
    w.end_object();
  }
  w.key("labels");
  json::write_labels(w, device.record.labels);
  w.key("agent_version").text(device.record.agent_version);
}

/// Members of one newest value.
void write_value(json::Writer& w, const LatestValue& value, UtcNanos now) {
  w.key("key").text(value.series.key());
  json::write_series(w, value.device, value.series, value.time_quality);
  w.key("time").text(format_utc({value.point.time_ns})).key("age_s").number((now - UtcNanos{value.point.time_ns}).seconds()).key("value");
  json::write_value(w, value.point);
}

json::Writer& begin(json::Writer& w, UtcNanos now) { return w.begin_object().key("answered_at").text(format_utc(now)); }

void write_gaps(json::Writer& w, const DeviceGaps& gaps, size_t most) {
  w.key("gaps").begin_array();
  for (size_t i = 0; i < std::min(gaps.size(), most); ++i) json::write_gap(w, gaps[i].first, gaps[i].second);
  w.end_array();
}

}  // namespace

std::string list_devices_answer(const ListDevicesRequest& request, const Devices& devices, UtcNanos now) {
  using Show = ListDevicesRequest::Show;
  Table table;
  for (const char* title : {"device", "state", "last seen", "backlog", "labels"}) table.add_column(title, std::string_view(title) == "backlog" ? Table::Align::right : Table::Align::left);
  std::string out;
  json::Writer w(out);
  begin(w, now).key("devices").begin_array();
  size_t total = 0;
  size_t online = 0;
  size_t shown = 0;
  std::string last;
  bool has_more = false;
  for (const DeviceEntry* device : devices) {
    const bool is_online = device->presence.is_online;
    if ((request.show == Show::online && !is_online) || (request.show == Show::offline && is_online)) continue;
    ++total;
    online += is_online ? 1 : 0;
    if (device->record.id <= request.after) continue;
    if (shown == request.limit) {
      has_more = true;
      continue;
    }
    ++shown;
    last = device->record.id;
    w.begin_object();
    write_device(w, *device, now);
    w.end_object();
    if (table.rows() < limits::tool_text_rows) {
      table.add_row({last, device_state(*device), seen_text(*device, now), is_online ? format_count(backlog_of(*device)) : "", labels_text(device->record)});
    }
  }
  w.end_array().key("total").unsigned_integer(total).key("online").unsigned_integer(online);
  if (has_more) w.key("next_cursor").text(last);
  w.end_object();
  std::string text = table_text(table, shown) + format("%zu devices match, %zu of them online.", total, online);
  if (has_more) text += " There are more: ask again with cursor " + last + ".";
  return finish(text, out);
}

std::string describe_device_answer(const DeviceEntry& device, const mcp::ListCatalog& offer, const std::vector<LatestValue>& values, const DeviceGaps& gaps, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  begin(w, now);
  write_device(w, device, now);
  write_time(w, "enrolled", device.record.enrolled_ns);
  w.key("series").begin_array();
  Table table;
  for (const char* title : {"series", "value", "unit", "age"}) table.add_column(title, std::string_view(title) == "value" ? Table::Align::right : Table::Align::left);
  for (const LatestValue& value : values) {
    w.begin_object();
    write_value(w, value, now);
    w.end_object();
    if (table.rows() < limits::tool_text_rows) table.add_row({value.series.key(), model::value_text(value.point), value.series.unit, age_text(now, value.point.time_ns)});
  }
  w.end_array().key("tools").begin_array();
  std::string tools;
  for (const mcp::Tool& tool : offer.tools()) {
    w.begin_object().key("name").text(tool.name).key("title").text(tool.title).key("description").text(tool.description);
    w.key("read_only").boolean(mcp::read_hints(mcp::Slice(tool.annotations_json)).is_read_only).end_object();
    tools += (tools.empty() ? "" : ", ") + tool.name;
  }
  w.end_array().key("resources").unsigned_integer(offer.size(mcp::ListKind::resources)).key("prompts").unsigned_integer(offer.size(mcp::ListKind::prompts));
  w.key("lost_readings").unsigned_integer(lost_in(gaps));
  write_gaps(w, gaps, gaps_otherwise);
  w.end_object();
  std::string text = format("Device %s: %s, last seen %s", device.record.id.c_str(), device_state(device), seen_text(device, now).c_str());
  if (!device.record.labels.empty()) text += ", labels " + labels_text(device.record);
  text += ".\n\n" + table_text(table, values.size());
  text += tools.empty() ? "It has offered no tools." : "Tools: " + tools + ".";
  if (lost_in(gaps) > 0) text += " " + format_count(lost_in(gaps)) + " readings were lost; list_gaps tells when and why.";
  return finish(text, out);
}

std::string latest_answer(const LatestRequest& request, const Devices& devices, const std::vector<LatestValue>& values, UtcNanos now) {
  std::unordered_map<std::string_view, const DeviceEntry*> by_id;
  for (const DeviceEntry* device : devices) by_id.emplace(device->record.id, device);
  Table table;
  for (const char* title : {"device", "series", "value", "unit", "age", "device is"}) table.add_column(title, std::string_view(title) == "value" ? Table::Align::right : Table::Align::left);
  std::string out;
  json::Writer w(out);
  begin(w, now).key("values").begin_array();
  for (size_t i = 0; i < std::min(values.size(), request.limit); ++i) {
    const LatestValue& value = values[i];
    const auto found = by_id.find(value.device);
    const bool is_online = found != by_id.end() && found->second->presence.is_online;
    w.begin_object();
    write_value(w, value, now);
    w.key("online").boolean(is_online).end_object();
    if (table.rows() < limits::tool_text_rows) {
      table.add_row({value.device, value.series.key(), model::value_text(value.point), value.series.unit, age_text(now, value.point.time_ns), is_online ? "online" : "offline"});
    }
  }
  FleetHeard heard{devices};
  heard.has_data = !values.empty();
  heard.is_truncated = values.size() > request.limit;
  const FleetJudgement judgement = judge(heard, now);
  w.end_array().key("total").unsigned_integer(values.size());
  write_completeness(w, heard, judgement);
  w.end_object();
  return finish(table_text(table, values.size()) + judgement.explanation, out);
}

std::string list_gaps_answer(const GapsRequest& request, const DeviceGaps& gaps, UtcNanos now) {
  DeviceGaps matching;
  for (const auto& [device, gap] : gaps) {
    if (model::may_touch(gap, request.from_ns, request.to_ns) && (!request.stream || *request.stream == gap.stream)) matching.emplace_back(device, gap);
  }
  const bool is_truncated = matching.size() > request.limit || gaps.size() >= limits::query_gaps;
  std::string out;
  json::Writer w(out);
  begin(w, now);
  write_gaps(w, matching, request.limit);
  w.key("total").unsigned_integer(matching.size()).key("lost_readings").unsigned_integer(lost_in(matching)).key("truncated").boolean(is_truncated).end_object();
  Table table;
  for (const char* title : {"device", "class", "lost", "from", "to", "reason"}) table.add_column(title, std::string_view(title) == "lost" ? Table::Align::right : Table::Align::left);
  for (size_t i = 0; i < std::min({matching.size(), request.limit, limits::tool_text_rows}); ++i) {
    const auto& [device, gap] = matching[i];
    const auto when = [](int64_t time_ns) { return time_ns == 0 ? std::string("?") : model::short_time(time_ns); };
    table.add_row({device, model::stream_name(gap.stream), (gap.at_least ? ">=" : "") + format_count(gap.count), when(gap.from_ns), when(gap.to_ns), model::gap_reason_name(gap.reason)});
  }
  std::string text = table_text(table, std::min(matching.size(), request.limit));
  text += matching.empty() ? "No gap is recorded in this time." : format_count(lost_in(matching)) + " readings lost in " + format_count(matching.size()) + " gaps.";
  if (is_truncated) text += " There are more: ask for fewer devices or a shorter time.";
  return finish(text, out);
}

std::string archive_problem(const Error& error) {
  if (error.code == ErrorCode::limit || error.code == ErrorCode::full) return std::string(error.context) + ". Ask for fewer devices or series, or try again in a moment.";
  return std::string("The hub's archive cannot answer now: ") + error.context + ", " + error_name(error.code) + ". Try again in a moment.";
}

}  // namespace tideline::hub
