// Lines of devices that speak no format of ours: a pattern with the places of the values in it. Pure.
//
//   "T={temperature}C H={humidity}%"      two numbers
//   "$WIMWV,{angle},R,{speed},N,{}"       {} is passed over
//   "state {state:text}"                  the rest of the line as text
//
// All else stands for itself: a space for any number of spaces and tabs, {{ for a brace. The whole line must match, but for
// space around it. Bounds: limits::pattern_bytes, and 32 fields.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tideline::agent {

class LinePattern {
 public:
  struct Field {
    std::string name;     ///< "" for {}
    bool is_text = false;
  };
  /// What is wrong with `pattern`, nullptr if nothing is.
  static const char* problem(std::string_view pattern);
  /// `pattern` has no problem.
  explicit LinePattern(std::string_view pattern);

  const std::vector<Field>& fields() const { return fields_; }
  /// The text of each field; they point into `line`.
  bool match(std::string_view line, std::vector<std::string_view>& values) const;

 private:
  const char* parse(std::string_view pattern);
  LinePattern() = default;
  std::vector<Field> fields_;
  std::vector<std::string> literals_;  // one before each field, and one after the last
};

}  // namespace tideline::agent
