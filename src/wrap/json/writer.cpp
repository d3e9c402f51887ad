#include "wrap/json/writer.hpp"

#include <charconv>
#include <cmath>

#include "base/json_text.hpp"
#include "base/number.hpp"

namespace tideline::json {
namespace {

template <class T>
void append_integer(T value, std::string& out) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  out.append(text, end);
}

}  // namespace

void append_quoted(std::string_view text, std::string& out) { append_json_string(text, out); }

void Writer::separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

Writer& Writer::open(char bracket) {
  separate();
  out_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_quoted(name, out_);
  out_.push_back(':');
  needs_comma_ = false;
  return *this;
}

Writer& Writer::text(std::string_view value) {
  separate();
  append_quoted(value, out_);
  return *this;
}

Writer& Writer::integer(int64_t value) {
  separate();
  append_integer(value, out_);
  return *this;
}

Writer& Writer::unsigned_integer(uint64_t value) {
  separate();
  append_integer(value, out_);
  return *this;
}

Writer& Writer::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  char text[number_text_bytes];
  out_.append(text, print_number(value, text));
  return *this;
}

Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }
Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

}  // namespace tideline::json
