// Reads JSON text strictly (RFC 8259) piece by piece, without a tree and without allocating: no leading zeros, byte order mark,
// control characters, escaped NUL or lone surrogate. UTF-8 is the caller's check, once over the whole text.
//
// Pure; the text outlives the scanner. A take_*() that returns false leaves problem() set and the position undefined.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.hpp"

namespace tideline::json {

class Scanner {
 public:
  explicit Scanner(std::string_view text, size_t depth = limits::json_depth) : text_(text), depth_(depth) {}

  void skip_space();
  /// The next byte after white space, '\0' at the end.
  char peek();
  /// Takes `c` if it comes next.
  bool take(char c);
  /// A string, without its quotation marks, escapes as written.
  bool take_string(std::string_view& raw);
  bool take_number(std::string_view& raw);
  /// Any value as written; nested ones are checked to the depth given.
  bool take_value(std::string_view& raw);
  /// Nothing but white space is left.
  bool is_at_end();
  size_t position() const { return at_; }
  const char* problem() const { return problem_; }

 private:
  bool fail(const char* why);
  bool take_word(std::string_view word);
  bool check_escape();
  bool take_hex(unsigned& code);
  bool skip_digits();
  bool check_value();
  bool check_container(char close);
  std::string_view text_;
  size_t at_ = 0;
  size_t depth_;
  const char* problem_ = "";
};

/// Appends the meaning of a raw string that take_string() accepted.
void append_unescaped(std::string_view raw, std::string& out);
/// "raw == plain, whatever its escapes", without allocating when there are none.
bool raw_equals(std::string_view raw, std::string_view plain);

}  // namespace tideline::json
