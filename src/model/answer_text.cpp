#include "model/answer_text.hpp"

#include <algorithm>

#include "base/table.hpp"
#include "base/text.hpp"

namespace tideline::model {
namespace {

using Row = std::vector<std::string>;

/// The row without the device where there is none.
void add_row(Table& table, bool has_device, Row row) {
  if (!has_device) row.erase(row.begin());
  table.add_row(std::move(row));
}

void add_columns(Table& table, bool has_device, std::initializer_list<const char*> titles, std::string_view right) {
  if (has_device) table.add_column("device");
  for (const char* title : titles) table.add_column(title, title == right ? Table::Align::right : Table::Align::left);
}

std::string points_text(const QueryAnswer& answer) {
  const bool has_device = std::any_of(answer.series.begin(), answer.series.end(), [](const SeriesAnswer& one) { return !one.device.empty(); });
  Table table;
  add_columns(table, has_device, {"time", "series", "value", "unit"}, "value");
  for (const SeriesAnswer& one : answer.series) {
    for (const Point& point : one.points) add_row(table, has_device, {one.device, short_time(point.time_ns), one.series.key(), value_text(point), one.series.unit});
  }
  return table.rows() == 0 ? "no readings\n" : table.text();
}

std::string gaps_text(const QueryAnswer& answer) {
  const bool has_device = std::any_of(answer.gaps.begin(), answer.gaps.end(), [](const auto& entry) { return !entry.first.empty(); });
  const auto when = [](int64_t time_ns) { return time_ns == 0 ? std::string("unknown") : short_time(time_ns); };
  Table table;
  add_columns(table, has_device, {"class", "missing", "why", "from", "to"}, "missing");
  for (const auto& [device, gap] : answer.gaps) {
    add_row(table, has_device, {device, stream_name(gap.stream), (gap.at_least ? ">=" : "") + format_count(gap.count), gap_reason_name(gap.reason),
                                when(gap.from_ns), when(gap.to_ns)});
  }
  return table.text();
}

}  // namespace

std::string answer_text(const QueryAnswer& answer, AnswerParts parts) {
  std::string text;
  if (parts == AnswerParts::everything) text += points_text(answer);
  if (!answer.gaps.empty()) {
    text += (parts == AnswerParts::everything ? "\nmissing:\n" : "") + gaps_text(answer);
  } else if (parts == AnswerParts::gaps_only) {
    text += "nothing is missing\n";
  }
  if (answer.truncated) text += "\nOnly the newest rows are shown; ask for a shorter time, fewer series, or --aggregate.\n";
  if (answer.blocks_unreadable > 0) text += "\n" + format_count(answer.blocks_unreadable) + " blocks could not be read; run 'verify'.\n";
  return text;
}

std::string value_text(const Point& point) {
  switch (point.type) {
    case ValueType::f64: return format_number(std::bit_cast<double>(point.bits));
    case ValueType::i64: return std::to_string(static_cast<int64_t>(point.bits));
    case ValueType::boolean: return point.bits != 0 ? "true" : "false";
    case ValueType::text: break;
  }
  std::string text = point.text;
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string short_time(int64_t time_ns) { return format_utc({time_ns / 1'000'000 * 1'000'000}); }

}  // namespace tideline::model
