#include "agent/inputs/record_args.hpp"

#include <charconv>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

/// Offset of the = between name and value: those inside {labels} do not count. npos if there is none.
size_t find_equals(std::string_view word) {
  const size_t brace = word.find('{');
  const size_t equals = word.find('=');
  if (brace == word.npos || equals < brace) return equals;
  const size_t close = word.find('}', brace);
  return close == word.npos ? close : word.find('=', close);
}

/// A text from its opening quotation mark on; `rest` is what follows the closing one.
bool read_text(std::string_view value, std::string& out, std::string_view& rest) {
  for (size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '"') {
      rest = value.substr(i + 1);
      return true;
    }
    if (value[i] == '\\' && i + 1 < value.size() && (value[i + 1] == '"' || value[i + 1] == '\\')) ++i;
    out.push_back(value[i]);
  }
  return false;
}

bool read_integer(std::string_view digits, uint64_t& bits) {
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  bits = static_cast<uint64_t>(value);
  return error == std::errc{} && stop == end;
}

bool read_double(std::string_view digits, uint64_t& bits) {
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  bits = std::bit_cast<uint64_t>(value);
  const bool is_number = digits.find_first_of("0123456789") != digits.npos;  // not "nan", not "inf"
  return is_number && error == std::errc{} && stop == end;
}

bool read_value(std::string_view value, RecordArgument& out, std::string_view& rest, std::string& problem) {
  if (!value.empty() && value.front() == '"') {
    out.type = model::ValueType::text;
    if (!read_text(value, out.text, rest)) return problem = "the text has no closing quotation mark", false;
    if (out.text.size() > limits::text_value_bytes) return problem = "the text is longer than 4096 bytes", false;
    if (!is_utf8(out.text) || out.text.find('\0') != std::string::npos) return problem = "the text is not UTF-8", false;
    return true;
  }
  const size_t at = value.find('@');
  const std::string_view scalar = value.substr(0, at);
  rest = at == value.npos ? std::string_view{} : value.substr(at);
  if (scalar == "true" || scalar == "false") {
    out.type = model::ValueType::boolean;
    out.bits = scalar == "true" ? 1 : 0;
    return true;
  }
  if (!scalar.empty() && scalar.back() == 'i') {
    out.type = model::ValueType::i64;
    if (read_integer(scalar.substr(0, scalar.size() - 1), out.bits)) return true;
    return problem = "'" + std::string(scalar) + "' is not a whole number of 64 bits", false;
  }
  out.type = model::ValueType::f64;
  if (read_double(scalar, out.bits)) return true;
  problem = "'" + std::string(scalar) + "' is not a number (21.4), an integer (7i), true, false, or a text in double quotes ('msg=\"text\"')";
  return false;
}

}  // namespace

bool parse_record_argument(std::string_view word, RecordArgument& out, std::string& problem) {
  const std::string where = "'" + std::string(word.substr(0, 80)) + "': ";
  const size_t equals = find_equals(word);
  if (equals == word.npos) return problem = where + "expected NAME=VALUE", false;
  Result<model::Series> series = model::parse_series_key(word.substr(0, equals));
  if (!series) return problem = where + series.error().context, false;
  RecordArgument argument;
  argument.series = std::move(*series);
  std::string_view rest;
  std::string reason;
  if (!read_value(word.substr(equals + 1), argument, rest, reason)) return problem = where + reason, false;
  if (!rest.empty()) {
    argument.has_time = rest.front() == '@' && parse_utc(rest.substr(1), argument.time);
    if (!argument.has_time) return problem = where + "expected @TIME, such as @2026-11-21T03:04:05Z or seconds since 1970", false;
  }
  out = std::move(argument);
  return true;
}

std::string to_ingest_line(const RecordArgument& argument) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object().key("series").text(argument.series.name);
  if (!argument.series.labels.empty()) {
    writer.key("labels").begin_object();
    for (const auto& [name, value] : argument.series.labels) writer.key(name).text(value);
    writer.end_object();
  }
  writer.key("value");
  switch (argument.type) {
    case model::ValueType::f64: writer.number(std::bit_cast<double>(argument.bits)).key("type").text("f64"); break;
    case model::ValueType::i64: writer.integer(static_cast<int64_t>(argument.bits)).key("type").text("i64"); break;
    case model::ValueType::boolean: writer.boolean(argument.bits != 0); break;
    case model::ValueType::text: writer.text(argument.text); break;
  }
  if (argument.has_time) writer.key("time").text(format_utc(argument.time));
  writer.end_object();
  return line;
}

}  // namespace tideline::agent
