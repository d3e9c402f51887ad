// The scanner behind json_slice: one strict pass over text, and quick skipping over text already checked. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tideline::mcp {

inline bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
/// Moves `at` past white space. Most JSON on a wire has none, so the first test decides.
inline void skip_json_space(std::string_view text, size_t& at) {
  while (at < text.size() && static_cast<unsigned char>(text[at]) <= ' ' && is_json_space(text[at])) ++at;
}

/// Checks one value at a time; stops for good at the first error.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}
  void skip_space() { skip_json_space(text_, at_); }
  /// Checks one value from the current position. False when wrong: problem() says why.
  bool check_value();
  size_t position() const { return at_; }
  bool is_done() const { return at_ == text_.size(); }
  const char* problem() const { return problem_; }
  bool hit_limit() const { return hit_limit_; }

 private:
  bool fail(const char* why);
  bool check_scalar();
  bool check_string();
  bool check_number();
  bool check_word(std::string_view word);
  bool check_key();
  bool check_escape();
  std::string_view text_;
  size_t at_ = 0;
  const char* problem_ = "";
  bool hit_limit_ = false;
};

/// Offset just past the value that starts at `at` in checked text.
size_t skip_checked_value(std::string_view text, size_t at);
/// Offset just past the string that starts at `at` (a quotation mark) in checked text.
size_t skip_checked_string(std::string_view text, size_t at);

}  // namespace tideline::mcp
