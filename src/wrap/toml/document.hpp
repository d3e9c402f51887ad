// TOML 1.0 text as a small tree of plain values with line numbers. toml++ stays behind document.cpp: it is large, and its own
// tree would otherwise leak into every file that reads a setting.
//
// Owned by whoever reads a configuration, at start-up only. Pure; any thread. Bounds: limits::config_bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tideline::toml {

enum class Type : uint8_t { table, array, text, integer, real, boolean, time };
/// "a table", "a text in quotes": for messages.
const char* type_name(Type type);

struct Value {
  Type type = Type::table;
  uint32_t line = 0;                ///< from 1; of a table its header
  std::string text;                 ///< text; a date or time as written in RFC 3339
  int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<std::string> names;   ///< table: of the members, in the order of the file
  std::vector<Value> items;         ///< table and array: what stands there, as many as names for a table

  /// The member called `name` of a table, or nullptr.
  const Value* find(std::string_view name) const;
};

struct Problem {
  uint32_t line = 0;   ///< 0 when it is the whole file
  std::string text;
};

/// False when `text` is too long, not UTF-8 or not TOML: `problem` says where and what. The first problem only.
bool parse(std::string_view text, Value& root, Problem& problem);

}  // namespace tideline::toml
