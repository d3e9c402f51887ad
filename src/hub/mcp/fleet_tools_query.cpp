// The answer of the fleet's `query`.
#include <algorithm>

#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "hub/mcp/fleet_tools_answers.hpp"
#include "hub/mcp/fleet_tools_worth.hpp"
#include "mcp/content.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::hub {
namespace {

size_t rows_of(const model::QueryAnswer& answer) {
  size_t rows = 0;
  for (const model::SeriesAnswer& one : answer.series) rows += one.points.size();
  return rows;
}

/// The newest rows of all.
std::string rows_text(const model::QueryAnswer& answer, size_t rows) {
  if (rows == 0) return {};
  Table table;
  for (const char* title : {"time", "device", "series", "value", "unit"}) table.add_column(title, std::string_view(title) == "value" ? Table::Align::right : Table::Align::left);
  const size_t each = std::max<size_t>(1, limits::tool_text_rows / answer.series.size());
  for (const model::SeriesAnswer& one : answer.series) {
    for (size_t i = one.points.size() - std::min(one.points.size(), each); i < one.points.size() && table.rows() < limits::tool_text_rows; ++i) {
      table.add_row({model::short_time(one.points[i].time_ns), one.device, one.series.key(), model::value_text(one.points[i]), one.series.unit});
    }
  }
  std::string text = table.text();
  if (rows > table.rows()) text += format("%zu rows in all; %zu are shown here, the newest of each series.\n", rows, table.rows());
  return text + "\n";
}

void write_series(json::Writer& w, const model::QueryAnswer& answer, bool is_raw) {
  w.key("series").begin_array();
  for (const model::SeriesAnswer& one : answer.series) {
    w.begin_object().key("key").text(one.series.key());
    json::write_series(w, one.device, one.series, one.time_quality);
    w.key("points").begin_array();
    for (const model::Point& point : one.points) {
      w.begin_object().key("time").text(format_utc({point.time_ns})).key("value");
      json::write_value(w, point);
      if (!is_raw) w.key("count").unsigned_integer(point.count);
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
}

}  // namespace

std::string query_answer(const QueryRequest& request, const Devices& devices, const model::QueryAnswer& answer, UtcNanos now) {
  const model::Query& query = request.query;
  const size_t rows = rows_of(answer);
  std::string out;
  json::Writer w(out);
  w.begin_object().key("answered_at").text(format_utc(now));
  if (query.from_ns != INT64_MIN) w.key("from").text(format_utc({query.from_ns}));
  if (query.to_ns != INT64_MAX) w.key("to").text(format_utc({query.to_ns}));
  w.key("aggregate").text(model::aggregate_name(query.aggregate));
  if (query.step.nanos > 0) w.key("step_s").number(query.step.seconds());
  if (query.group) {
    w.key("group_by").begin_array();
    for (const std::string& word : request.group_by) w.text(word);
    w.end_array();
  }
  w.key("rows").unsigned_integer(rows);
  write_series(w, answer, query.aggregate == model::Aggregate::none);
  FleetHeard heard{devices};
  heard.from_ns = query.from_ns;
  heard.to_ns = query.to_ns;
  heard.has_data = rows > 0;
  heard.lost_readings = lost_in(answer.gaps);
  heard.is_truncated = answer.truncated;
  heard.blocks_unreadable = answer.blocks_unreadable;
  const FleetJudgement judgement = judge(heard, now);
  write_completeness(w, heard, judgement);
  w.key("gaps").begin_array();
  for (const auto& [device, gap] : answer.gaps) json::write_gap(w, device, gap);
  w.end_array().end_object();
  if (out.size() > limits::tool_answer_bytes) {
    return mcp::tool_error("The answer has " + format_size(out.size()) + ", more than the " + format_size(limits::tool_answer_bytes) +
                           " allowed. Ask for fewer devices or series, a shorter time, a smaller limit, or an aggregate with a step.");
  }
  return mcp::tool_answer(rows_text(answer, rows) + judgement.explanation, out);
}

}  // namespace tideline::hub
