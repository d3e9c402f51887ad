#include "wrap/json/answer_json.hpp"

#include <bit>

namespace tideline::json {
namespace {

void write_time(Writer& w, const char* name, int64_t time_ns) {
  w.key(name);
  if (time_ns == 0) {
    w.null();
  } else {
    w.text(format_utc({time_ns}));
  }
}

}  // namespace

std::string answer_json(const model::QueryAnswer& answer) {
  std::string out;
  Writer w(out);
  w.begin_object().key("series").begin_array();
  for (const model::SeriesAnswer& one : answer.series) {
    w.begin_object();
    write_series(w, one.device, one.series, one.time_quality);
    w.key("points").begin_array();
    for (const model::Point& point : one.points) {
      w.begin_object().key("time").text(format_utc({point.time_ns})).key("value");
      write_value(w, point);
      w.key("count").unsigned_integer(point.count).end_object();
    }
    w.end_array().end_object();
  }
  w.end_array().key("gaps").begin_array();
  for (const auto& [device, gap] : answer.gaps) write_gap(w, device, gap);
  w.end_array().key("truncated").boolean(answer.truncated);
  w.key("readings_scanned").unsigned_integer(answer.readings_scanned).key("blocks_scanned").unsigned_integer(answer.blocks_scanned);
  w.key("blocks_unreadable").unsigned_integer(answer.blocks_unreadable).end_object();
  return out;
}

void write_series(Writer& w, const std::string& device, const model::Series& series, model::TimeQuality quality) {
  if (!device.empty()) w.key("device").text(device);
  w.key("name").text(series.name).key("labels");
  write_labels(w, series.labels);
  w.key("unit").text(series.unit).key("kind").text(model::kind_name(series.kind)).key("class").text(model::stream_name(series.stream));
  w.key("time_quality").text(model::time_quality_name(quality));
}

void write_gap(Writer& w, const std::string& device, const model::Gap& gap) {
  w.begin_object();
  if (!device.empty()) w.key("device").text(device);
  w.key("class").text(model::stream_name(gap.stream)).key("reason").text(model::gap_reason_name(gap.reason));
  w.key("count").unsigned_integer(gap.count).key("at_least").boolean(gap.at_least);
  w.key("first").unsigned_integer(gap.range.first).key("last").unsigned_integer(gap.range.last);
  write_time(w, "from", gap.from_ns);
  write_time(w, "to", gap.to_ns);
  write_time(w, "declared", gap.declared_ns);
  w.end_object();
}

void write_value(Writer& w, const model::Point& point) {
  switch (point.type) {
    case model::ValueType::f64: w.number(std::bit_cast<double>(point.bits)); return;
    case model::ValueType::i64: w.integer(static_cast<int64_t>(point.bits)); return;
    case model::ValueType::boolean: w.boolean(point.bits != 0); return;
    case model::ValueType::text: w.text(point.text); return;
  }
}

void write_labels(Writer& w, const std::vector<std::pair<std::string, std::string>>& labels) {
  w.begin_object();
  for (const auto& [name, value] : labels) w.key(name).text(value);
  w.end_object();
}

}  // namespace tideline::json
