#include "hub/mcp/offline_answers.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "hub/mcp/fleet_tools_answers.hpp"
#include "hub/mcp/router.hpp"
#include "mcp/content.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::hub {
namespace {

std::string explanation(const DeviceEntry& device, UtcNanos now) {
  return "The device " + absence_text(device, now) + "; this is what its hub holds. Newer readings may wait on the device.";
}

json::Writer& begin(json::Writer& w, const DeviceEntry& device, UtcNanos now) {
  w.begin_object().key("device").text(device.record.id).key("answered_at").text(format_utc(now)).key("time_quality").text("hub");
  return w;
}

void write_judgement(json::Writer& w, const DeviceEntry& device, const std::vector<std::pair<std::string, model::Gap>>& gaps, bool is_truncated, UtcNanos now) {
  w.key("completeness").begin_object().key("state").text("partial").key("explanation").text(explanation(device, now));
  w.key("listening_since").text(format_utc({device.record.enrolled_ns})).key("truncated").boolean(is_truncated).end_object();
  w.key("gaps").begin_array();
  for (const auto& [id, gap] : gaps) json::write_gap(w, id, gap);
  w.end_array();
}

std::string finish(const std::string& text, const std::string& json) {
  if (json.size() <= limits::tool_answer_bytes) return mcp::tool_answer(text, json);
  return mcp::tool_error("The answer has " + format_size(json.size()) + ". Ask for fewer series, a shorter time, a smaller limit, or an aggregate with a step.");
}

}  // namespace

std::string offline_latest(const DeviceEntry& device, const std::vector<LatestValue>& values, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  Table table;
  for (const char* title : {"series", "value", "unit", "age"}) table.add_column(title);
  begin(w, device, now).key("series").begin_array();
  for (const LatestValue& value : values) {
    const Duration age = now - UtcNanos{value.point.time_ns};
    w.begin_object().key("key").text(value.series.key());
    json::write_series(w, "", value.series, value.time_quality);
    w.key("latest").begin_object().key("time").text(format_utc({value.point.time_ns})).key("age_s").number(age.seconds()).key("value");
    json::write_value(w, value.point);
    w.end_object().end_object();
    if (table.rows() < limits::tool_text_rows) table.add_row({value.series.key(), model::value_text(value.point), value.series.unit, format_duration(age) + " ago"});
  }
  w.end_array().key("total").unsigned_integer(values.size());
  write_judgement(w, device, {}, false, now);
  w.end_object();
  return finish((values.empty() ? "" : table.text() + "\n") + explanation(device, now), out);
}

std::string offline_query(const DeviceEntry& device, const model::QueryAnswer& answer, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  uint64_t rows = 0;
  int64_t newest = 0;
  begin(w, device, now).key("series").begin_array();
  for (const model::SeriesAnswer& series : answer.series) {
    w.begin_object().key("key").text(series.series.key());
    json::write_series(w, "", series.series, series.time_quality);
    w.key("points").begin_array();
    for (const model::Point& point : series.points) {
      w.begin_object().key("time").text(format_utc({point.time_ns})).key("value");
      json::write_value(w, point);
      w.key("count").unsigned_integer(point.count).end_object();
      newest = std::max(newest, point.time_ns);
    }
    rows += series.points.size();
    w.end_array().end_object();
  }
  w.end_array().key("rows").unsigned_integer(rows);
  if (newest > 0) w.key("age_s").number((now - UtcNanos{newest}).seconds());
  write_judgement(w, device, answer.gaps, answer.truncated, now);
  w.end_object();
  return finish(format("%llu rows of %zu series. ", static_cast<unsigned long long>(rows), answer.series.size()) + explanation(device, now), out);
}

}  // namespace tideline::hub
