#include "agent/gateway/action_command.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/log.hpp"
#include "base/text.hpp"
#include "mcp/json_write.hpp"

namespace tideline::agent {
namespace {

constexpr std::array type_names = {"string", "integer", "number", "boolean"};
constexpr double largest_exact = 9007199254740991;  // 2^53 - 1

struct Piece {
  std::string text;                           ///< literal, or the name of an argument
  const ActionArgument* argument = nullptr;
};

const ActionArgument* find_argument(const ActionConfig& action, std::string_view name) {
  const auto found = std::find_if(action.arguments.begin(), action.arguments.end(), [&](const ActionArgument& a) { return a.name == name; });
  return found != action.arguments.end() ? &*found : nullptr;
}

bool is_word(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), is_inner);
}

/// The word of "{word}" at the start of `text`, or empty.
std::string_view braced_word(std::string_view text) {
  if (!text.starts_with('{')) return {};
  const size_t end = text.find('}');
  const std::string_view word = end == text.npos ? std::string_view() : text.substr(1, end - 1);
  return is_word(word) ? word : std::string_view();
}

/// Cuts one element of a command. False when it names an argument that is not declared: `unknown` is it.
bool cut(const ActionConfig& action, std::string_view element, std::vector<Piece>& pieces, std::string& unknown) {
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) pieces.push_back({std::exchange(literal, {}), nullptr});
  };
  while (!element.empty()) {
    const std::string_view quoted = element.starts_with("{{") ? braced_word(element.substr(1)) : std::string_view();
    if (!quoted.empty() && element.substr(quoted.size() + 3).starts_with('}')) {
      literal += element.substr(1, quoted.size() + 2);
      element.remove_prefix(quoted.size() + 4);
      continue;
    }
    const std::string_view word = braced_word(element);
    if (word.empty()) {
      literal += element.front();
      element.remove_prefix(1);
      continue;
    }
    const ActionArgument* const argument = find_argument(action, word);
    if (argument == nullptr) return unknown = word, false;
    end_literal();
    pieces.push_back({argument->name, argument});
    element.remove_prefix(word.size() + 2);
  }
  end_literal();
  return true;
}

/// Nothing when the argument was not given and has no default. `problem` is set when the value cannot be passed.
std::optional<std::string> value_of(const ActionArgument& argument, mcp::Slice arguments, std::string& problem) {
  const mcp::Slice value = mcp::find_member(arguments, argument.name);
  if (!value.is_present()) return argument.has_fallback ? std::optional(argument.fallback) : std::nullopt;
  switch (argument.type) {
    case ArgumentType::boolean: return std::string(value.raw());
    case ArgumentType::integer:
      if (const std::optional<int64_t> number = value.integer()) return std::to_string(*number);
      if (const std::optional<double> real = value.real(); real && *real >= -largest_exact && *real <= largest_exact) {
        return std::to_string(static_cast<int64_t>(*real));
      }
      problem = "arguments." + argument.name + ": out of range";
      return std::nullopt;
    case ArgumentType::number:
      if (const std::optional<double> real = value.real()) return format_number(*real);
      problem = "arguments." + argument.name + ": out of range";
      return std::nullopt;
    case ArgumentType::string: break;
  }
  std::string text = value.text();
  if (text.find('\0') != text.npos) problem = "arguments." + argument.name + ": must not contain NUL characters";
  return text;
}

bool may_begin_with_dash(const ActionArgument& argument) {
  const bool is_number = argument.type == ArgumentType::integer || argument.type == ArgumentType::number;
  return argument.allow_dash || !argument.values.empty() || (is_number && argument.minimum.has_value());
}

std::string argument_schema(const ActionArgument& argument) {
  std::string out;
  mcp::ObjectWriter writer(out);
  writer.text("type", argument_type_name(argument.type));
  if (!argument.description.empty()) writer.text("description", argument.description);
  if (!argument.values.empty()) {
    std::string values;
    for (const std::string& value : argument.values) values += (values.empty() ? "" : ",") + mcp::json_string(value);
    writer.raw("enum", "[" + values + "]");
  }
  if (argument.minimum) writer.real("minimum", *argument.minimum);
  if (argument.maximum) writer.real("maximum", *argument.maximum);
  if (argument.type == ArgumentType::string && argument.values.empty()) writer.integer("maxLength", argument.max_length);
  if (argument.has_fallback) {
    if (argument.type == ArgumentType::string) writer.text("default", argument.fallback);
    else writer.raw("default", argument.fallback);
  }
  writer.end();
  return out;
}

std::string input_schema(const ActionConfig& action) {
  std::string properties;
  mcp::ObjectWriter members(properties);
  std::string required;
  for (const ActionArgument& argument : action.arguments) {
    members.raw(argument.name, argument_schema(argument));
    if (argument.required && !argument.has_fallback) required += (required.empty() ? "" : ",") + mcp::json_string(argument.name);
  }
  members.end();
  std::string out;
  mcp::ObjectWriter writer(out);
  writer.text("type", "object").raw("properties", properties);
  if (!required.empty()) writer.raw("required", "[" + required + "]");
  writer.boolean("additionalProperties", false).end();
  return out;
}

std::string argument_problem(const ActionArgument& argument) {
  const std::string where = "arguments." + argument.name + ": ";
  if (!is_word(argument.name)) return where + "the name must be of A-Z a-z 0-9 _ and begin with no digit";
  const bool is_text = argument.type == ArgumentType::string;
  const bool is_number = argument.type == ArgumentType::integer || argument.type == ArgumentType::number;
  if (!is_text && !argument.values.empty()) return where + "values are for strings; numbers have minimum and maximum";
  if (!is_number && (argument.minimum || argument.maximum)) return where + "minimum and maximum are for numbers; strings have max_length and values";
  if (argument.minimum && argument.maximum && *argument.minimum > *argument.maximum) return where + "minimum must not be more than maximum";
  if (is_text && argument.has_fallback && !argument.values.empty() &&
      std::find(argument.values.begin(), argument.values.end(), argument.fallback) == argument.values.end()) {
    return where + "the default is none of the values";
  }
  return {};
}

}  // namespace

const char* argument_type_name(ArgumentType type) { return type_names[static_cast<size_t>(type)]; }

bool parse_argument_type(std::string_view text, ArgumentType& out) {
  for (size_t i = 0; i < type_names.size(); ++i) {
    if (text == type_names[i]) return out = static_cast<ArgumentType>(i), true;
  }
  return false;
}

std::string action_problem(const ActionConfig& action) {
  if (action.description.empty()) return "description: say what the command does and when to use it; models choose by it";
  if (action.command.empty() || action.command.front().empty()) return "command: name the program and its arguments, such as [\"/usr/bin/systemctl\", \"restart\", \"{unit}\"]";
  for (const ActionArgument& argument : action.arguments) {
    if (std::string problem = argument_problem(argument); !problem.empty()) return problem;
  }
  std::vector<const ActionArgument*> used;
  for (const std::string& element : action.command) {
    std::vector<Piece> pieces;
    std::string unknown;
    if (!cut(action, element, pieces, unknown)) return "command: {" + unknown + "} is no argument of this action; for the text itself write {{" + unknown + "}}";
    for (const Piece& piece : pieces) {
      if (piece.argument == nullptr) continue;
      if (&element == &action.command.front()) return "command: the program itself must not hold placeholders";
      used.push_back(piece.argument);
    }
  }
  for (const ActionArgument& argument : action.arguments) {
    if (std::find(used.begin(), used.end(), &argument) == used.end()) return "arguments." + argument.name + ": the command does not use it; write {" + argument.name + "} where it goes";
  }
  return {};
}

mcp::Tool action_tool(const ActionConfig& action) {
  mcp::Tool tool;
  tool.name = action.name;
  tool.title = action.title;
  tool.description = action.description;
  tool.input_schema_json = input_schema(action);
  tool.output_schema_json = std::string(R"({"type":"object","properties":{"exit_code":{"type":"integer"},"duration_ms":{"type":"integer","description":"how long the command ran"},)"
                                        R"("is_cut":{"type":"boolean","description":"whether output was left out beyond the limit"})") +
                            (action.structured ? R"(,"output":{"description":"what the command printed, as JSON"})" : "") + R"(},"required":["exit_code","duration_ms","is_cut"]})";
  tool.annotations_json = mcp::hints_json({action.read_only, action.destructive && !action.read_only, action.idempotent || action.read_only, true});
  tool.may_ask = action.confirm;
  return tool;
}

ActionCommand make_command(const ActionConfig& action, mcp::Slice arguments) {
  ActionCommand made;
  for (const std::string& element : action.command) {
    std::vector<Piece> pieces;
    std::string unknown;
    (void)cut(action, element, pieces, unknown);  // action_problem() went before
    std::string text;
    const Piece* begins = nullptr;  // gave the first character
    bool is_left_out = false;
    for (const Piece& piece : pieces) {
      const std::optional<std::string> value = piece.argument == nullptr ? piece.text : value_of(*piece.argument, arguments, made.problem);
      if (!made.problem.empty()) return {{}, made.problem};
      if ((is_left_out = !value.has_value())) break;
      if (begins == nullptr && !value->empty()) begins = &piece;
      text += *value;
    }
    // An element that the operator began with a placeholder stays what it was meant to be: no value makes an option of it.
    if (!is_left_out && text.starts_with('-') && pieces.front().argument != nullptr) {
      const ActionArgument& first = *pieces.front().argument;
      if (begins->argument == nullptr) return {{}, "arguments." + first.name + ": must not be empty"};
      if (!may_begin_with_dash(*begins->argument)) return {{}, "arguments." + begins->argument->name + ": must not begin with '-'"};
    }
    if (text.size() > limits::action_element_bytes) return {{}, "the arguments are too long for a command"};
    if (!is_left_out) made.arguments.push_back(std::move(text));
  }
  return made;
}

}  // namespace tideline::agent
