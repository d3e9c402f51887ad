#include "agent/gateway/tool_arguments.hpp"

#include <bit>
#include <cmath>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::agent {
namespace {

using mcp::JsonKind;
using mcp::read_when;
using mcp::Slice;
using mcp::text_argument;

constexpr double whole_most = 9007199254740991.0;  // 2^53 - 1: no double beyond holds every integer

std::string read_value(Slice value, NewReading& out) {
  switch (value.kind()) {
    case JsonKind::boolean:
      out.type = model::ValueType::boolean;
      out.bits = value.is_true() ? 1 : 0;
      return {};
    case JsonKind::string:
      out.type = model::ValueType::text;
      out.text = value.text();
      return out.text.size() <= limits::text_value_bytes ? "" : format("a text value takes at most %zu bytes", limits::text_value_bytes);
    case JsonKind::number: {
      const auto real = value.real();
      if (!real) return "the number is out of range";
      const auto integer = value.integer();
      const bool needs_integer = integer && std::abs(*real) > whole_most;
      out.type = needs_integer ? model::ValueType::i64 : model::ValueType::f64;
      out.bits = needs_integer ? static_cast<uint64_t>(*integer) : std::bit_cast<uint64_t>(*real);
      return {};
    }
    default: return "a value is a number, true, false or a text";
  }
}

std::string read_reading(Slice one, UtcNanos now, NewReading& out) {
  auto series = model::parse_series_key(text_argument(one, "series"));
  if (!series) return std::string("series: ") + series.error().context + "; write temp or temp{room=a}";
  out.series = std::move(*series);
  out.series.unit = text_argument(one, "unit");
  const std::string stream = text_argument(one, "class");
  out.chooses_class = !stream.empty();
  if (!stream.empty() && !model::parse_stream(stream, out.series.stream)) return "class: critical, normal or bulk";
  if (const Status sound = model::validate(out.series); !sound) return sound.error().context;
  if (std::string problem = read_value(mcp::find_member(one, "value"), out); !problem.empty()) return "value: " + problem;
  const std::string time = text_argument(one, "time");
  if (time.empty()) return {};
  int64_t time_ns = 0;
  if (std::string problem = read_when(time, now, time_ns); !problem.empty()) return "time: " + problem;
  out.time = UtcNanos{time_ns};
  return {};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string read_query(Slice arguments, UtcNanos now, model::Query& query, TimeRange& range) {
  if (std::string problem = mcp::read_series_argument(arguments, query.series); !problem.empty()) return problem;
  if (std::string problem = mcp::read_range_arguments(arguments, now, "-1h", range.from_ns, range.to_ns); !problem.empty()) return problem;
  query.from_ns = range.from_ns;
  query.to_ns = range.to_ns;
  return mcp::read_aggregate_arguments(arguments, query);
}

std::string read_readings(Slice arguments, UtcNanos now, std::vector<NewReading>& out) {
  for (mcp::Walk walk(mcp::find_member(arguments, "readings")); walk.next();) {
    out.emplace_back();
    if (std::string problem = read_reading(walk.value(), now, out.back()); !problem.empty()) {
      return format("readings[%zu]: ", out.size() - 1) + problem + ". Nothing was stored.";
    }
  }
  return {};
}

bool decode_percent(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return is_utf8(out);
}

}  // namespace tideline::agent
