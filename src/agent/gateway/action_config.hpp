// The operator's own commands as tools: what [action.NAME] says. Plain values; the rows of agent/config_keys.hpp document each member.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/time.hpp"

namespace tideline::agent {

enum class ArgumentType : uint8_t { string, integer, number, boolean };
const char* argument_type_name(ArgumentType type);
bool parse_argument_type(std::string_view text, ArgumentType& out);

/// [action.NAME.arguments.X]
struct ActionArgument {
  std::string name;
  ArgumentType type = ArgumentType::string;
  std::string description;
  bool required = true;                ///< no meaning with a default
  std::vector<std::string> values;     ///< strings: nothing else is allowed
  std::optional<double> minimum;
  std::optional<double> maximum;
  int64_t max_length = 1024;           ///< strings: characters
  std::string fallback;                ///< as it goes into the command
  bool has_fallback = false;
  bool allow_dash = false;             ///< may begin an element of the command with '-'
};

/// [action.NAME]
struct ActionConfig {
  std::string name;
  bool enabled = true;
  std::string title;
  std::string description;
  std::vector<ActionArgument> arguments;
  std::vector<std::string> command;      ///< program and arguments with {placeholders}; no shell
  std::vector<std::string> environment;  ///< names passed on from the agent's own environment
  std::string directory;
  Duration timeout = seconds(30);
  Duration task_after = seconds(5);
  uint64_t output_limit = 64 * 1024;
  int64_t at_once = 1;
  bool confirm = false;
  bool read_only = false;
  bool idempotent = false;
  bool destructive = true;
  bool structured = false;
};

}  // namespace tideline::agent
