#include "mcp/json_write.hpp"

#include <cmath>

#include "base/text.hpp"
#include "mcp/json_scan.hpp"

namespace tideline::mcp {
namespace {

void append_escaped(std::string& out, unsigned char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out.push_back(digits[c >> 4]);
      out.push_back(digits[c & 15]);
  }
}

/// Length of the well-formed sequence of two to four bytes at `at`, 0 when there is none.
size_t sequence_length(std::string_view text, size_t at) {
  for (size_t length = 2; length <= 4 && at + length <= text.size(); ++length) {
    if (is_utf8(text.substr(at, length))) return length;
  }
  return 0;
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (size_t at = 0; at < text.size();) {
    const size_t plain = skip_plain(text, at);
    out.append(text, at, plain - at);
    at = plain;
    if (at >= text.size()) break;
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      append_escaped(out, c);
      ++at;
    } else if (const size_t length = sequence_length(text, at); length > 0) {
      out.append(text, at, length);
      at += length;
    } else {
      out += "\xef\xbf\xbd";
      ++at;
    }
  }
  out.push_back('"');
}

std::string json_string(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

void append_compact(std::string& out, Slice json) {
  const std::string_view raw = json.raw();
  for (size_t at = 0; at < raw.size();) {
    if (raw[at] == '"') {
      const size_t end = skip_checked_string(raw, at);
      out.append(raw, at, end - at);
      at = end;
    } else {
      if (!is_json_space(raw[at])) out.push_back(raw[at]);
      ++at;
    }
  }
}

void ObjectWriter::comma() {
  if (!is_first_) out_.push_back(',');
  is_first_ = false;
}

ObjectWriter& ObjectWriter::key(std::string_view name) {
  comma();
  out_.push_back('"');
  out_ += name;
  out_ += "\":";
  return *this;
}

ObjectWriter& ObjectWriter::text(std::string_view name, std::string_view value) {
  key(name);
  append_string(out_, value);
  return *this;
}

ObjectWriter& ObjectWriter::raw(std::string_view name, std::string_view json) {
  key(name);
  out_ += json;
  return *this;
}

ObjectWriter& ObjectWriter::integer(std::string_view name, int64_t value) { return raw(name, std::to_string(value)); }

ObjectWriter& ObjectWriter::real(std::string_view name, double value) {
  return raw(name, std::isfinite(value) ? format_number(value) : std::string("null"));
}

ObjectWriter& ObjectWriter::boolean(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

ObjectWriter& ObjectWriter::raw_key(Slice name, Slice value) {
  comma();
  out_ += name.raw();
  out_.push_back(':');
  out_ += value.raw();
  return *this;
}

}  // namespace tideline::mcp
