#include "agent/config_tools.hpp"

#include "agent/config_keys.hpp"
#include "agent/gateway/action_command.hpp"
#include "base/text.hpp"
#include "context/limits.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

using toml::Reader;
using toml::Type;
using toml::Value;

/// Names of tools and of children: hosts take no others.
bool is_plain_name(std::string_view name, size_t most) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= most && name.find_first_not_of(allowed) == name.npos;
}

bool is_of_type(const Value& value, ArgumentType type) {
  switch (type) {
    case ArgumentType::string: return value.type == Type::text;
    case ArgumentType::integer: return value.type == Type::integer;
    case ArgumentType::number: return value.type == Type::integer || value.type == Type::real;
    case ArgumentType::boolean: return value.type == Type::boolean;
  }
  return false;
}

std::string text_of(const Value& value) {
  switch (value.type) {
    case Type::integer: return std::to_string(value.integer);
    case Type::real: return format_number(value.real);
    case Type::boolean: return value.boolean ? "true" : "false";
    default: return value.text;
  }
}

/// The default has the type that the argument has, so the table of keys, where a member has one type, sees its text.
ActionArgument read_argument(const std::string& name, const Value& section, const std::string& title, Reader& reader) {
  ActionArgument argument;
  argument.name = name;
  Value shown = section;
  const Value* const fallback = section.find("default");
  for (size_t i = 0; i < shown.names.size(); ++i) {
    if (shown.names[i] != "default") continue;
    shown.items[i].type = Type::text;
    shown.items[i].text = text_of(section.items[i]);
  }
  reader.read(shown, title, action_argument_keys(), argument);
  if (fallback == nullptr) return argument;
  argument.has_fallback = true;
  if (!is_of_type(*fallback, argument.type)) {
    reader.add_problem(fallback->line, "[" + title + "] default: expected a value of type " + argument_type_name(argument.type) + ", the argument's");
  }
  const double number = fallback->type == Type::integer ? static_cast<double>(fallback->integer) : fallback->real;
  if ((argument.minimum && number < *argument.minimum) || (argument.maximum && number > *argument.maximum)) {
    reader.add_problem(fallback->line, "[" + title + "] default: not between minimum and maximum");
  }
  return argument;
}

ActionConfig read_action(const std::string& name, const Value& section, const std::string& title, Reader& reader) {
  ActionConfig action;
  action.name = name;
  static constexpr std::string_view others[] = {"arguments"};
  const size_t before = reader.problems().size();
  reader.read(section, title, action_keys(), action, others);
  if (const Value* arguments = section.find("arguments"); arguments != nullptr && reader.check_table(*arguments, title + ".arguments")) {
    for (size_t i = 0; i < arguments->names.size() && i <= limits::action_arguments; ++i) {
      const std::string place = title + ".arguments." + arguments->names[i];
      if (reader.check_table(arguments->items[i], place)) action.arguments.push_back(read_argument(arguments->names[i], arguments->items[i], place, reader));
    }
  }
  if (reader.problems().size() > before) return action;
  if (!is_plain_name(name, limits::child_tool_name_bytes)) reader.add_problem(section.line, "[" + title + "]: the name must be 1 to 64 of A-Z a-z 0-9 _ -");
  if (action.arguments.size() > limits::action_arguments) reader.add_problem(section.line, "[" + title + "]: more than 32 arguments");
  if (action.command.size() > limits::action_elements) reader.add_problem(section.line, "[" + title + "] command: more than 256 elements");
  if (const std::string problem = action_problem(action); !problem.empty()) reader.add_problem(section.line, "[" + title + "] " + problem);
  return action;
}

ChildConfig read_child(const std::string& name, const Value& section, const std::string& title, Reader& reader) {
  ChildConfig child;
  child.name = name;
  child.prefix = name;
  const size_t before = reader.problems().size();
  reader.read(section, title, child_keys(), child);
  if (reader.problems().size() > before) return child;
  if (!is_plain_name(name, limits::child_name_bytes)) {
    reader.add_problem(section.line, "[" + title + "]: the name must be 1 to 32 of A-Z a-z 0-9 _ -");
    return child;
  }
  if (!child.prefix.empty() && !is_plain_name(child.prefix, limits::child_name_bytes)) {
    reader.add_problem(section.line, "[" + title + "] prefix: at most 32 of A-Z a-z 0-9 _ -");
  }
  if (child.command.empty() || child.command.front().empty()) {
    reader.add_problem(section.line, "[" + title + "] command: name the server, such as [\"/usr/bin/python3\", \"/opt/server.py\"]");
  }
  for (const std::vector<std::string>* globs : {&child.include, &child.exclude}) {
    for (const std::string& glob : *globs) {
      if (glob.empty() || glob.size() > limits::pattern_bytes) reader.add_problem(section.line, "[" + title + "]: a glob must have 1 to 256 bytes");
    }
  }
  for (const auto& [variable, value] : child.env) {
    if (variable.empty() || variable.find('=') != variable.npos) reader.add_problem(section.line, "[" + title + "] env: a name must not be empty or hold '='");
  }
  return child;
}

/// A value as JSON: what may be written under a path.
std::string json_of(const Value& value) {
  if (value.type != Type::text) return text_of(value);
  std::string json;
  json::append_quoted(value.text, json);
  return json;
}

context::Declaration read_declaration(const std::string& pattern, const Value& section, const std::string& title, Reader& reader) {
  context::Declaration one;
  // The table of keys knows lists of texts alone, so it sees the JSON of each value.
  Value shown = section;
  for (size_t i = 0; i < shown.names.size(); ++i) {
    if (shown.names[i] != "enum" || shown.items[i].type != Type::array) continue;
    for (Value& value : shown.items[i].items) {
      if (value.type == Type::array || value.type == Type::table) continue;
      value.text = json_of(value);
      value.type = Type::text;
    }
  }
  reader.read(shown, title, context_entry_keys(), one);
  one.pattern = pattern;
  if (pattern.empty() || pattern.size() > context::limits::path_bytes) reader.add_problem(section.line, "[" + title + "]: a glob over paths must have 1 to 256 bytes");
  if (one.minimum && one.maximum && *one.minimum > *one.maximum) reader.add_problem(section.line, "[" + title + "] maximum: must not be less than minimum");
  if (one.allowed.size() > context::limits::enum_values) reader.add_problem(section.line, "[" + title + "] enum: more than 64 values");
  return one;
}

template <class T>
void read_all(const Value& sections, const char* kind, size_t most, Reader& reader, std::vector<T>& out,
              T (*read)(const std::string&, const Value&, const std::string&, Reader&)) {
  if (!reader.check_table(sections, kind)) return;
  for (size_t i = 0; i < sections.names.size(); ++i) {
    const std::string title = std::string(kind) + "." + sections.names[i];
    if (!reader.check_table(sections.items[i], title)) continue;
    if (out.size() == most) return reader.add_problem(sections.items[i].line, "[" + title + "]: more than " + std::to_string(most) + " of them");
    out.push_back(read(sections.names[i], sections.items[i], title, reader));
  }
}

}  // namespace

void read_context(const Value& section, Reader& reader, ContextConfig& out) {
  static constexpr std::string_view others[] = {"entry"};
  reader.read(section, "context", context_keys(), out, others);
  const Value* entries = section.find("entry");
  if (entries == nullptr || !reader.check_table(*entries, "context.entry")) return;
  for (size_t i = 0; i < entries->names.size(); ++i) {
    const std::string title = "context.entry.\"" + entries->names[i] + "\"";
    if (!reader.check_table(entries->items[i], title)) continue;
    if (out.declarations.add(read_declaration(entries->names[i], entries->items[i], title, reader))) continue;
    return reader.add_problem(entries->items[i].line, "[" + title + "]: more than 64 of them");
  }
  if (context::write_declarations(out.declarations).size() > context::limits::declarations_bytes) {
    reader.add_problem(section.line, "[context.entry]: all of them together have more than 48 KiB");
  }
}

void read_actions(const Value& actions, Reader& reader, std::vector<ActionConfig>& out) { read_all(actions, "action", limits::actions, reader, out, &read_action); }
void read_children(const Value& children, Reader& reader, std::vector<ChildConfig>& out) { read_all(children, "child", limits::children, reader, out, &read_child); }

}  // namespace tideline::agent
