#include "mcp/query_arguments.hpp"

#include "base/log.hpp"

namespace tideline::mcp {

std::string text_argument(Slice arguments, std::string_view name, std::string_view otherwise) {
  const Slice value = find_member(arguments, name);
  return value.is(JsonKind::string) ? value.text() : std::string(otherwise);
}

std::string read_when(std::string_view text, UtcNanos now, int64_t& out_ns) {
  if (text == "now") return out_ns = now.nanos, std::string();
  if (text.size() > 1 && text.front() == '-') {
    Duration age;
    if (!parse_duration(text.substr(1), age)) return "'" + std::string(text) + "' is not an age: a number with a unit, such as -90s, -15m, -24h or -7d";
    if (__builtin_sub_overflow(now.nanos, age.nanos, &out_ns)) out_ns = INT64_MIN;
    return {};
  }
  UtcNanos time;
  if (!parse_utc(text, time)) return "'" + std::string(text) + "' is not a time: write -15m, now, 2026-11-21T06:00:00Z, a date, or seconds since 1970";
  out_ns = time.nanos;
  return {};
}

std::string read_series_argument(Slice arguments, model::SeriesSelector& out) {
  const std::string text = text_argument(arguments, "series", "*");
  const auto selector = model::parse_series_selector(text);
  if (!selector) return "series '" + text + "': " + selector.error().context + "; write cpu*, temp{room=a} or {room=*}";
  out = *selector;
  return {};
}

std::string read_range_arguments(Slice arguments, UtcNanos now, std::string_view from_otherwise, int64_t& from_ns, int64_t& to_ns) {
  if (std::string problem = read_when(text_argument(arguments, "from", from_otherwise), now, from_ns); !problem.empty()) return "from: " + problem;
  const std::string to = text_argument(arguments, "to");
  if (std::string problem = to.empty() ? "" : read_when(to, now, to_ns); !problem.empty()) return "to: " + problem;
  return from_ns < to_ns ? "" : "the time is empty: from must be before to";
}

std::string read_aggregate_arguments(Slice arguments, model::Query& query) {
  const std::string step = text_argument(arguments, "step");
  if (!step.empty() && (!parse_duration(step, query.step) || query.step.nanos <= 0)) {
    return "step: '" + step + "' is not a width: a number with a unit, such as 10s, 5m or 1h";
  }
  const std::string aggregate = text_argument(arguments, "aggregate", step.empty() ? "none" : "mean");
  if (!model::parse_aggregate(aggregate, query.aggregate)) return "aggregate: none, mean, min, max, sum, count, first or last";
  if (query.step.nanos > 0 && query.aggregate == model::Aggregate::none) return "step needs an aggregate other than none";
  const auto limit = find_member(arguments, "limit").integer();
  query.limit = limit ? static_cast<uint32_t>(*limit) : query_rows_otherwise;
  return {};
}

namespace schema {

std::string from_argument(std::string_view otherwise) {
  return R"("from":{"type":"string","default":")" + std::string(otherwise) +
         R"(","description":"Beginning, included: an age such as -15m, -24h or -7d, a time such as 2026-11-21T06:00:00Z, a date, or seconds since 1970."})";
}

std::string limit_argument(size_t most, size_t otherwise, std::string_view what) {
  return format(R"("limit":{"type":"integer","minimum":1,"maximum":%zu,"default":%zu,"description":")", most, otherwise) + std::string(what) + R"("})";
}

std::string object(std::string_view properties, std::string_view required) {
  return R"({"type":"object","properties":{)" + std::string(properties) + "}" + (required.empty() ? "" : R"(,"required":[)" + std::string(required) + "]") + "}";
}

std::string input(std::string_view properties, std::string_view required) {
  std::string text = object(properties, required);
  text.insert(text.size() - 1, R"(,"additionalProperties":false)");
  return text;
}

}  // namespace schema
}  // namespace tideline::mcp
