#include "mcp/json_write.hpp"

#include <cmath>

#include "base/json_text.hpp"
#include "base/text.hpp"
#include "mcp/json_scan.hpp"

namespace tideline::mcp {

void append_string(std::string& out, std::string_view text) { append_json_string(text, out); }

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
  out_.append("\":", 2);
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
