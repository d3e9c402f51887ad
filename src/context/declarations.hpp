// What the operator says of entries in the configuration of the device: who wins a conflict, and what values are allowed. The hub gets
// them with the context, so that both sides judge alike. Values are checked where they are written, never where they arrive.
//
// Pure. Bounds: limits::{declarations, enum_values, declarations_bytes}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "context/entry.hpp"

namespace tideline::context {

enum class ValueType : uint8_t { any, boolean, integer, number, text, object, array };
const char* value_type_name(ValueType type);  ///< as in JSON Schema: "string" for text
bool parse_value_type(std::string_view text, ValueType& type);

struct Declaration {
  std::string pattern;                   ///< glob over the whole path: "pump/*/setpoint"; * runs over / too
  Rule rule = Rule::last_writer;
  ValueType type = ValueType::any;
  std::vector<std::string> allowed;      ///< JSON texts; empty: any
  std::optional<double> minimum;         ///< of numbers
  std::optional<double> maximum;
  std::string description;
  bool operator==(const Declaration&) const = default;
};

class Declarations {
 public:
  /// Errors: limit (number, length of the pattern, length as JSON).
  Status add(Declaration declaration);
  /// The first one whose pattern matches; null: none.
  const Declaration* of(std::string_view path) const;
  Rule rule(std::string_view path) const;
  /// "" when `value`, which is one JSON value, may stand under `path`; else why not, for people.
  std::string problem_with(std::string_view path, std::string_view value) const;
  const std::vector<Declaration>& list() const { return list_; }
  bool operator==(const Declarations&) const = default;

 private:
  std::vector<Declaration> list_;
  size_t bytes_ = 2;  ///< as JSON
};

/// [{"path":"pump/*/setpoint","rule":"hub_wins","type":"number","minimum":0,"maximum":10,"enum":[...],"description":"..."}]
std::string write_declarations(const Declarations& declarations);
/// Errors: invalid, limit. Unknown members are left out: a newer device may declare more.
Result<Declarations> parse_declarations(std::string_view json);

}  // namespace tideline::context
