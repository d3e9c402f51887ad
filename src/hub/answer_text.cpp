#include "hub/answer_text.hpp"

#include "base/table.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::hub {

std::string latest_json(const std::vector<LatestValue>& values, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("latest").begin_array();
  for (const LatestValue& value : values) {
    w.begin_object();
    json::write_series(w, value.device, value.series, value.time_quality);
    w.key("time").text(format_utc({value.point.time_ns})).key("value");
    json::write_value(w, value.point);
    w.key("age_seconds").number((now - UtcNanos{value.point.time_ns}).seconds()).end_object();
  }
  w.end_array().end_object();
  return out;
}

std::string latest_table(const std::vector<LatestValue>& values, UtcNanos now) {
  Table table;
  for (const char* title : {"device", "series"}) table.add_column(title);
  table.add_column("value", Table::Align::right);
  table.add_column("unit");
  table.add_column("age", Table::Align::right);
  for (const LatestValue& value : values) {
    table.add_row({value.device, value.series.key(), model::value_text(value.point), value.series.unit, format_duration(now - UtcNanos{value.point.time_ns})});
  }
  return table.rows() == 0 ? "no values\n" : table.text();
}

std::string labels_json(const std::vector<std::pair<std::string, std::string>>& labels) {
  std::string out;
  json::Writer w(out);
  json::write_labels(w, labels);
  return out;
}

}  // namespace tideline::hub
