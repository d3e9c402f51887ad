#include "hub/answer_text.hpp"

#include <bit>
#include <cmath>

#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

int64_t to_integer(uint64_t bits) { return static_cast<int64_t>(bits); }

void append_comma(std::string& out, bool& is_first) {
  if (!is_first) out.push_back(',');
  is_first = false;
}

void write_series(mcp::ObjectWriter& object, const std::string& device, const model::Series& series, model::TimeQuality quality) {
  object.text("device", device).text("name", series.name).raw("labels", labels_json(series.labels));
  object.text("unit", series.unit).text("kind", model::kind_name(series.kind)).text("class", model::stream_name(series.stream));
  object.text("time_quality", model::time_quality_name(quality));
}

std::string quoted(std::string_view text) {
  std::string out;
  mcp::append_string(out, text);
  return out;
}

std::string time_or_null(int64_t time_ns) { return time_ns == 0 ? "null" : quoted(format_utc({time_ns})); }

std::string gaps_json(const std::vector<std::pair<std::string, model::Gap>>& gaps) {
  std::string text = "[";
  bool is_first = true;
  for (const auto& [device, gap] : gaps) {
    append_comma(text, is_first);
    mcp::ObjectWriter object(text);
    object.text("device", device).text("class", model::stream_name(gap.stream)).text("reason", model::gap_reason_name(gap.reason));
    object.integer("count", to_integer(gap.count)).boolean("at_least", gap.at_least);
    object.integer("first", to_integer(gap.range.first)).integer("last", to_integer(gap.range.last));
    object.raw("from", time_or_null(gap.from_ns)).raw("to", time_or_null(gap.to_ns)).raw("declared", time_or_null(gap.declared_ns));
    object.end();
  }
  return text + "]";
}

/// Milliseconds are what people read; the JSON form has all digits.
std::string short_time(int64_t time_ns) { return format_utc({time_ns / 1'000'000 * 1'000'000}); }

Table gap_table(const std::vector<std::pair<std::string, model::Gap>>& gaps) {
  Table table;
  for (const char* title : {"device", "class", "missing", "why", "from", "to"}) {
    table.add_column(title, std::string_view(title) == "missing" ? Table::Align::right : Table::Align::left);
  }
  for (const auto& [device, gap] : gaps) {
    table.add_row({device, model::stream_name(gap.stream), (gap.at_least ? ">=" : "") + format_count(gap.count), model::gap_reason_name(gap.reason),
                   gap.from_ns == 0 ? "unknown" : short_time(gap.from_ns), gap.to_ns == 0 ? "unknown" : short_time(gap.to_ns)});
  }
  return table;
}

}  // namespace

std::string answer_json(const model::QueryAnswer& answer) {
  std::string series_text = "[";
  bool is_first = true;
  for (const model::SeriesAnswer& one : answer.series) {
    append_comma(series_text, is_first);
    mcp::ObjectWriter object(series_text);
    write_series(object, one.device, one.series, one.time_quality);
    object.key("points");
    series_text += "[";
    bool is_first_point = true;
    for (const model::Point& point : one.points) {
      append_comma(series_text, is_first_point);
      mcp::ObjectWriter item(series_text);
      item.text("time", format_utc({point.time_ns})).raw("value", value_json(point)).integer("count", to_integer(point.count));
      item.end();
    }
    series_text += "]";
    object.end();
  }
  series_text += "]";
  std::string text;
  mcp::ObjectWriter object(text);
  object.raw("series", series_text).raw("gaps", gaps_json(answer.gaps)).boolean("truncated", answer.truncated);
  object.integer("readings_scanned", to_integer(answer.readings_scanned)).integer("blocks_scanned", to_integer(answer.blocks_scanned));
  object.integer("blocks_unreadable", to_integer(answer.blocks_unreadable));
  object.end();
  return text;
}

std::string latest_json(const std::vector<LatestValue>& values, UtcNanos now) {
  std::string items = "[";
  bool is_first = true;
  for (const LatestValue& value : values) {
    append_comma(items, is_first);
    mcp::ObjectWriter object(items);
    write_series(object, value.device, value.series, value.time_quality);
    object.text("time", format_utc({value.point.time_ns})).raw("value", value_json(value.point));
    object.real("age_seconds", (now - UtcNanos{value.point.time_ns}).seconds());
    object.end();
  }
  return "{\"latest\":" + items + "]}";
}

std::string answer_table(const model::QueryAnswer& answer, bool only_gaps) {
  Table table;
  for (const char* title : {"time", "device", "series"}) table.add_column(title);
  table.add_column("value", Table::Align::right);
  table.add_column("unit");
  for (const model::SeriesAnswer& one : answer.series) {
    for (const model::Point& point : one.points) {
      table.add_row({short_time(point.time_ns), one.device, one.series.key(), value_text(point), one.series.unit});
    }
  }
  std::string text;
  if (!only_gaps) text += table.rows() == 0 ? "no readings\n" : table.text();
  if (!answer.gaps.empty()) {
    text += (only_gaps ? "" : "\nmissing:\n") + gap_table(answer.gaps).text();
  } else if (only_gaps) {
    text += "nothing is missing\n";
  }
  if (answer.truncated) text += "\nOnly the newest rows are shown; ask for a shorter time, fewer series, or --aggregate.\n";
  if (answer.blocks_unreadable > 0) text += format("\n%s blocks could not be read; run 'tideline-hub verify'.\n", format_count(answer.blocks_unreadable).c_str());
  return text;
}

std::string latest_table(const std::vector<LatestValue>& values, UtcNanos now) {
  Table table;
  for (const char* title : {"device", "series"}) table.add_column(title);
  table.add_column("value", Table::Align::right);
  table.add_column("unit");
  table.add_column("age", Table::Align::right);
  for (const LatestValue& value : values) {
    table.add_row({value.device, value.series.key(), value_text(value.point), value.series.unit, format_duration(now - UtcNanos{value.point.time_ns})});
  }
  return table.rows() == 0 ? "no values\n" : table.text();
}

std::string value_text(const model::Point& point) {
  switch (point.type) {
    case model::ValueType::f64: return format_number(std::bit_cast<double>(point.bits));
    case model::ValueType::i64: return std::to_string(to_integer(point.bits));
    case model::ValueType::boolean: return point.bits != 0 ? "true" : "false";
    case model::ValueType::text: break;
  }
  std::string text;  // a value must not break the table or the terminal
  for (const char c : point.text) text.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  return text;
}

std::string value_json(const model::Point& point) {
  switch (point.type) {
    case model::ValueType::f64: {
      const double value = std::bit_cast<double>(point.bits);
      return std::isfinite(value) ? format_number(value) : "null";
    }
    case model::ValueType::i64: return std::to_string(to_integer(point.bits));
    case model::ValueType::boolean: return point.bits != 0 ? "true" : "false";
    case model::ValueType::text: break;
  }
  return quoted(point.text);
}

std::string labels_json(const std::vector<std::pair<std::string, std::string>>& labels) {
  std::string text;
  mcp::ObjectWriter object(text);
  for (const auto& [name, value] : labels) object.text(name, value);
  object.end();
  return text;
}

}  // namespace tideline::hub
