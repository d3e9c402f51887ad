// Writing JSON text: strings escaped, everything else spliced raw. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp/json_slice.hpp"

namespace tideline::mcp {

/// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD, so that nothing we write can be refused.
void append_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// Appends `json` without the white space between its tokens: one form for one value as far as a line needs it.
void append_compact(std::string& out, Slice json);

/// Writes one object, member by member: `ObjectWriter o(out); o.text("name", n); o.raw("inputSchema", s); o.end();`
/// Names are literals of ours or already quoted keys (raw_key). Values given as raw text must be JSON.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }
  ObjectWriter& text(std::string_view name, std::string_view value);
  ObjectWriter& raw(std::string_view name, std::string_view json);
  ObjectWriter& integer(std::string_view name, int64_t value);
  /// Not a number and infinities become null.
  ObjectWriter& real(std::string_view name, double value);
  ObjectWriter& boolean(std::string_view name, bool value);
  ObjectWriter& raw_key(Slice key, Slice value);
  /// Starts a member whose value the caller appends to the text.
  ObjectWriter& key(std::string_view name);
  void end() { out_.push_back('}'); }

 private:
  void comma();
  std::string& out_;
  bool is_first_ = true;
};

}  // namespace tideline::mcp
