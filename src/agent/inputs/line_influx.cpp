// Influx line protocol: measurement[,tag=value...] field=value[,field=value...] [time]. Backslash escapes a comma, space or
// equals sign in names and tags, a quotation mark or backslash in texts, and is itself elsewhere.
#include <algorithm>

#include "agent/inputs/line_parser.hpp"
#include "base/limits.hpp"
#include "base/number.hpp"

namespace tideline::agent {
namespace {

/// Offset of the first `mark` at or after `at` that is not escaped, or the end.
size_t find_unescaped(std::string_view text, size_t at, char mark) {
  for (size_t found = text.find(mark, at); found != std::string_view::npos; found = text.find(mark, found + 1)) {
    if (found == at || text[found - 1] != '\\') return found;
  }
  return text.size();
}

/// `name` lies at `at` and `mark` behind it. Where `name` was cut from another line before such a mark, it would be cut so here.
bool is_followed_by(std::string_view text, size_t at, std::string_view name, char mark) {
  return text.size() - at > name.size() && text[at + name.size()] == mark && text.compare(at, name.size(), name) == 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Most values: a number and nothing more. False leaves `at` where it was, for those who know what is wrong with it.
bool take_double(std::string_view line, size_t& at, uint64_t& bits) {
  const bool is_number = at + 1 < line.size() && (is_digit(line[at]) || (line[at] == '-' && is_digit(line[at + 1])));
  if (!is_number) return false;
  const char* end = line.data() + line.size();
  double value = 0;
  const auto [stop, error] = read_number(line.data() + at, end, value);
  if (error != std::errc{} || (stop != end && *stop != ' ' && *stop != ',')) return false;
  at = static_cast<size_t>(stop - line.data());
  bits = std::bit_cast<uint64_t>(value);
  return true;
}

std::string unescaped(std::string_view raw) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    const bool is_escape = raw[i] == '\\' && i + 1 < raw.size() && (raw[i + 1] == ',' || raw[i + 1] == ' ' || raw[i + 1] == '=');
    text.push_back(is_escape ? raw[++i] : raw[i]);
  }
  return text;
}

const char* read_integer(std::string_view digits, char suffix, uint64_t& bits) {
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  if (suffix == 'u' && !digits.empty() && digits.front() == '-') return "unsigned integer is negative";
  const auto [stop, error] = read_number(digits.data(), end, value);
  if (error == std::errc::result_out_of_range) return "integer is beyond 64 bits";
  if (error != std::errc{} || stop != end) return "value is not a number";
  bits = static_cast<uint64_t>(value);
  return nullptr;
}

const char* read_double(std::string_view digits, uint64_t& bits) {
  if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
  const char first = digits.empty() ? '\0' : digits.front() == '-' && digits.size() > 1 ? digits[1] : digits.front();
  if ((first < '0' || first > '9') && first != '.') return "value is not a number";  // nor NaN nor infinity, which Influx has not
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = read_number(digits.data(), end, value);
  if (error == std::errc::result_out_of_range) return "number is out of range";
  if (error != std::errc{} || stop != end) return "value is not a number";
  bits = std::bit_cast<uint64_t>(value);
  return nullptr;
}

bool read_boolean(std::string_view word, uint64_t& bits) {
  constexpr std::string_view yes[] = {"true", "t", "T", "True", "TRUE"};
  constexpr std::string_view no[] = {"false", "f", "F", "False", "FALSE"};
  const bool is_true = std::find(std::begin(yes), std::end(yes), word) != std::end(yes);
  bits = is_true ? 1 : 0;
  return is_true || std::find(std::begin(no), std::end(no), word) != std::end(no);
}

}  // namespace

/// Only for a series not seen before.
const char* LineParser::influx_series(std::string_view prefix, std::string_view field, model::Series& series, ClassChoice& choice) const {
  size_t at = find_unescaped(prefix, 0, ',');
  series.name = unescaped(prefix.substr(0, at));
  if (field != "v" && field != "value") series.name += "." + unescaped(field);
  while (at < prefix.size()) {
    const size_t end = find_unescaped(prefix, at + 1, ',');
    const std::string_view tag = prefix.substr(at + 1, end - at - 1);
    const size_t equals = find_unescaped(tag, 0, '=');
    if (equals == tag.size() || equals == 0) return "tag is not name=value";
    std::string name = unescaped(tag.substr(0, equals));
    std::string value = unescaped(tag.substr(equals + 1));
    at = end;
    if (name == "class" && options_.class_tag) {
      if (!model::parse_stream(value, series.stream)) return "class is not critical, normal or bulk";
      choice = ClassChoice::producers;
      continue;
    }
    if (series.labels.size() >= limits::labels) return "series has more than 16 labels";
    series.labels.emplace_back(std::move(name), std::move(value));
  }
  std::sort(series.labels.begin(), series.labels.end());
  return nullptr;
}

const char* LineParser::influx_text(std::string_view line, size_t& at, Parsed& out) {
  const size_t start = text_.size();
  for (size_t i = at + 1; i < line.size(); ++i) {
    if (line[i] == '"') {
      at = i + 1;
      return add_text(out, start);
    }
    if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\')) ++i;
    text_.push_back(line[i]);
  }
  return "text does not end";
}

const char* LineParser::influx_value(std::string_view line, size_t& at, Parsed& out) {
  if (take_double(line, at, out.bits)) return nullptr;
  if (at < line.size() && line[at] == '"') return influx_text(line, at, out);
  const size_t start = at;
  while (at < line.size() && line[at] != ',' && line[at] != ' ') ++at;
  const std::string_view word = line.substr(start, at - start);
  if (word.empty()) return "field has no value";
  const char last = word.back();
  if (last == 'i' || last == 'u') {
    out.type = model::ValueType::i64;
    return read_integer(word.substr(0, word.size() - 1), last, out.bits);
  }
  const bool is_letter = (word.front() >= 'a' && word.front() <= 'z') || (word.front() >= 'A' && word.front() <= 'Z');
  if (!is_letter) return read_double(word, out.bits);
  out.type = model::ValueType::boolean;
  return read_boolean(word, out.bits) ? nullptr : "value is not a number, true or false, or a text in quotes";
}

const char* LineParser::influx_stamp(std::string_view text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = read_number(text.data(), end, number);
  if (error == std::errc::result_out_of_range) return "time is out of range";
  if (error != std::errc{} || stop != end) return "time is not a whole number";
  if (__builtin_mul_overflow(number, static_cast<int64_t>(options_.precision), &stamp_ns_)) return "time is out of range";
  has_stamp_ = true;
  return nullptr;
}

const char* LineParser::parse_influx(std::string_view line) {
  Known* known = last_ == nullptr ? nullptr : last_->second.next;
  if (known != nullptr && !is_followed_by(line, 0, known->first, ' ')) known = nullptr;
  size_t at = known != nullptr ? known->first.size() : find_unescaped(line, 0, ' ');
  const std::string_view prefix = line.substr(0, at);
  if (prefix.front() == ',') return "measurement is missing";
  while (at < line.size() && line[at] == ' ') ++at;
  if (at == line.size()) return "line has no field";
  for (size_t index = 0;; ++index) {
    if (index >= limits::ingest_fields) return "line has more than 1024 fields";
    Parsed& value = parsed_.emplace_back();
    const bool is_expected = known != nullptr && index < known->second.fields.size() && is_followed_by(line, at, known->second.fields[index].name, '=');
    const size_t equals = is_expected ? at + known->second.fields[index].name.size() : find_unescaped(line, at, '=');
    if (equals == line.size() || equals == at) return "field is not name=value";
    const std::string_view field = line.substr(at, equals - at);
    if (!is_expected && field.find(' ') != std::string_view::npos && find_unescaped(field, 0, ' ') != field.size()) return "field is not name=value";
    at = equals + 1;
    if (const char* reason = influx_value(line, at, value)) return reason;
    if (is_expected) {
      value.target = known->second.fields[index].target;
    } else if (!find_target(prefix, field, index, known, value.target)) {
      model::Series series;
      ClassChoice choice = ClassChoice::ours;
      if (const char* reason = influx_series(prefix, field, series, choice)) return reason;
      if (const char* reason = resolve(series, choice, value.target)) return reason;
      remember(prefix, field, value.target, known);
    }
    if (at == line.size() || line[at] != ',') break;
    ++at;
  }
  if (at < line.size() && line[at] != ' ') return "text is followed by something else";
  while (at < line.size() && line[at] == ' ') ++at;
  if (last_ != nullptr) last_->second.next = known;
  last_ = known;
  return at == line.size() ? nullptr : influx_stamp(line.substr(at));
}

}  // namespace tideline::agent
