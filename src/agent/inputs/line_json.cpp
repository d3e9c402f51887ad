// JSON lines: one object a line, either one series with what belongs to it, or members that are each a series. Read by hand
// instead of into a tree: a tree halves the rate of the whole agent.
#include <algorithm>
#include <cmath>

#include "agent/inputs/line_parser.hpp"
#include "base/limits.hpp"
#include "base/number.hpp"
#include "base/text.hpp"
#include "wrap/json/scan.hpp"

namespace tideline::agent {
namespace {

constexpr size_t depth_most = 2;  // the line and its labels

bool is_text(std::string_view raw) { return !raw.empty() && raw.front() == '"'; }
std::string_view inside(std::string_view raw) { return raw.substr(1, raw.size() - 2); }

std::string text_of(std::string_view raw) {
  std::string text;
  json::append_unescaped(inside(raw), text);
  return text;
}

const char* read_labels(std::string_view raw, model::Series& series) {
  if (raw.front() != '{') return "labels is not an object";
  json::Scanner scanner(raw, depth_most);
  std::string_view name;
  std::string_view value;
  scanner.take('{');
  while (!scanner.take('}')) {
    scanner.take(',');
    if (!scanner.take_string(name) || !scanner.take(':') || !scanner.take_value(value)) return scanner.problem();
    if (!is_text(value)) return "label is not a text";
    if (series.labels.size() >= limits::labels) return "series has more than 16 labels";
    std::string label_name;
    json::append_unescaped(name, label_name);
    series.labels.emplace_back(std::move(label_name), text_of(value));
  }
  std::sort(series.labels.begin(), series.labels.end());
  return nullptr;
}

/// Units that clocks of different libraries count in do not overlap for any date from 1973 to 2262, so the size of the number
/// tells which it is: seconds below 1e11, then milliseconds, microseconds, nanoseconds.
bool read_epoch(std::string_view digits, int64_t& out) {
  int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = read_number(digits.data(), end, number);
  UtcNanos time;
  if (stop != end) {  // a fraction: of seconds
    if (!parse_utc(digits, time)) return false;
    out = time.nanos;
    return true;
  }
  if (error != std::errc{} || number == INT64_MIN) return false;
  const int64_t size = number < 0 ? -number : number;
  const int64_t unit = size < 100'000'000'000 ? 1'000'000'000 : size < 100'000'000'000'000 ? 1'000'000 : size < 100'000'000'000'000'000 ? 1000 : 1;
  return !__builtin_mul_overflow(number, unit, &out);
}

/// A double, unless only an int64 holds what was written.
const char* read_value(std::string_view raw, std::string_view type, model::ValueType& value_type, uint64_t& bits) {
  const char* end = raw.data() + raw.size();
  const bool wants_integer = type == "\"i64\"";
  if (!wants_integer && !type.empty() && type != "\"f64\"") return "type is not f64 or i64";
  double number = 0;
  if (read_number(raw.data(), end, number).ec != std::errc{}) return "number is out of range";
  bits = std::bit_cast<uint64_t>(number);
  const bool is_exact = std::fabs(number) <= 9007199254740991.0 || raw.find_first_of(".eE") != std::string_view::npos;
  if (!wants_integer && (is_exact || !type.empty())) return nullptr;
  int64_t integer = 0;
  const auto [stop, error] = read_number(raw.data(), end, integer);
  if (error != std::errc{}) return "integer is beyond 64 bits";
  if (stop != end) return "value is not a whole number";
  value_type = model::ValueType::i64;
  bits = static_cast<uint64_t>(integer);
  return nullptr;
}

}  // namespace

/// Members of the long form as written; absent ones are empty.
struct JsonSeriesText {
  std::string_view series, labels, value, time, unit, kind, stream, type;
};

/// `type` is what the producer asks for as written, or empty.
const char* LineParser::json_value(std::string_view raw, std::string_view type, Parsed& out) {
  const char first = raw.front();
  const bool is_number = first == '-' || (first >= '0' && first <= '9');
  if (!type.empty() && !is_number) return "type is only for numbers";
  if (is_number) return read_value(raw, type, out.type, out.bits);
  if (first == '"') {
    const size_t start = text_.size();
    json::append_unescaped(inside(raw), text_);
    return add_text(out, start);
  }
  if (first == 't' || first == 'f') {
    out.type = model::ValueType::boolean;
    out.bits = first == 't' ? 1 : 0;
    return nullptr;
  }
  return first == 'n' ? "value is null" : "value is an object or a list";
}

const char* LineParser::json_stamp(std::string_view raw) {
  UtcNanos time;
  if (is_text(raw) ? !parse_utc(inside(raw), time) : !read_epoch(raw, time.nanos)) return "time is not RFC 3339 text or a number since 1970";
  has_stamp_ = true;
  stamp_ns_ = time.nanos;
  return nullptr;
}

/// Only for a series not seen before.
const char* LineParser::json_series(const JsonSeriesText& text, model::Series& series, ClassChoice& choice) const {
  if (!is_text(text.series)) return "series is not a text";
  series.name = text_of(text.series);
  if (!text.labels.empty()) {
    if (const char* reason = read_labels(text.labels, series)) return reason;
  }
  if (!text.unit.empty()) {
    if (!is_text(text.unit)) return "unit is not a text";
    series.unit = text_of(text.unit);
  }
  if (!text.kind.empty() && (!is_text(text.kind) || !model::parse_kind(inside(text.kind), series.kind))) {
    return "kind is not gauge, counter, state or event";
  }
  if (text.stream.empty() || !options_.class_tag) return nullptr;
  if (!is_text(text.stream) || !model::parse_stream(inside(text.stream), series.stream)) return "class is not critical, normal or bulk";
  choice = ClassChoice::producers;
  return nullptr;
}

const char* LineParser::json_series_line() {
  JsonSeriesText text;
  struct Place {
    std::string_view name;
    std::string_view JsonSeriesText::*member;
  };
  static constexpr Place places[] = {{"series", &JsonSeriesText::series}, {"value", &JsonSeriesText::value},
                                     {"labels", &JsonSeriesText::labels}, {"time", &JsonSeriesText::time},
                                     {"unit", &JsonSeriesText::unit},     {"kind", &JsonSeriesText::kind},
                                     {"class", &JsonSeriesText::stream},  {"type", &JsonSeriesText::type}};
  for (const Member& member : members_) {
    const auto place = std::find_if(std::begin(places), std::end(places), [&](const Place& p) { return p.name == member.name; });
    if (place == std::end(places)) return "unknown member; known are series, labels, value, type, time, unit, kind and class";
    if (!(text.*place->member).empty()) return "member is there twice";
    text.*place->member = member.value;
  }
  if (text.value.empty()) return "value is missing";
  Parsed& value = parsed_.emplace_back();
  if (const char* reason = json_value(text.value, text.type, value)) return reason;
  if (!text.time.empty()) {
    if (const char* reason = json_stamp(text.time)) return reason;
  }
  key_.assign("{{");
  for (const std::string_view part : {text.series, text.labels, text.unit, text.kind, text.stream}) key_.append(part).push_back('\x01');
  Known* known = nullptr;
  if (find_target(key_, {}, 0, known, value.target)) return nullptr;
  model::Series series;
  ClassChoice choice = ClassChoice::ours;
  if (const char* reason = json_series(text, series, choice)) return reason;
  if (const char* reason = resolve(series, choice, value.target)) return reason;
  remember(key_, {}, value.target, known);
  return nullptr;
}

const char* LineParser::json_member_line() {
  for (const Member& member : members_) {
    if (member.name == "time") {
      if (has_stamp_) return "member is there twice";
      if (const char* reason = json_stamp(member.value)) return reason;
      continue;
    }
    Parsed& value = parsed_.emplace_back();
    if (const char* reason = json_value(member.value, {}, value)) return reason;
    key_.assign("{").append(member.name);
    Known* known = nullptr;
    if (find_target(key_, {}, 0, known, value.target)) continue;
    model::Series series;
    json::append_unescaped(member.name, series.name);
    if (const char* reason = resolve(series, ClassChoice::ours, value.target)) return reason;
    remember(key_, {}, value.target, known);
  }
  return parsed_.empty() ? "line has no series" : nullptr;
}

const char* LineParser::parse_json(std::string_view line) {
  members_.clear();
  json::Scanner scanner(line, depth_most);
  scanner.take('{');
  bool names_series = false;
  for (bool is_first = true; !scanner.take('}'); is_first = false) {
    if (members_.size() >= limits::ingest_fields) return "line has more than 1024 members";
    if (!is_first && !scanner.take(',')) return "a comma or closing bracket is expected";
    Member& member = members_.emplace_back();
    if (!scanner.take_string(member.name)) return scanner.problem();
    if (!scanner.take(':')) return "a colon is expected";
    if (!scanner.take_value(member.value)) return scanner.problem();
    names_series = names_series || member.name == "series";
  }
  if (!scanner.is_at_end()) return "more follows the JSON object";
  return names_series ? json_series_line() : json_member_line();
}

}  // namespace tideline::agent
