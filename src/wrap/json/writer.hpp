// Appends JSON text: the one way in which answers, status and replies are written. No tree, no copy, no numbers lost.
//
//   Writer w(out); w.begin_object().key("id").integer(7).key("tags").begin_array().text("a").end_array().end_object();
//
// Pure; the string outlives the writer. Brackets must match and members need a key(): that is the caller's, and a test's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tideline::json {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }
  /// The name of the member that follows.
  Writer& key(std::string_view name);

  /// Bytes that are not UTF-8 become U+FFFD: nothing we write can be refused.
  Writer& text(std::string_view value);
  Writer& integer(int64_t value);
  Writer& unsigned_integer(uint64_t value);
  /// The shortest form that reads back to the same double; NaN and infinities, which JSON has not, become null.
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// `json` as it is: one value, known to be JSON.
  Writer& raw(std::string_view json);

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  void separate();
  std::string& out_;
  bool needs_comma_ = false;
};

/// Appends `text` as a JSON string with its quotation marks.
void append_quoted(std::string_view text, std::string& out);

}  // namespace tideline::json
