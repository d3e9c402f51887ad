#include "wrap/toml/document.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::toml {
namespace {

std::string two_digits(unsigned value, char before) { return tideline::format("%c%02u", before, value); }

std::string time_text(const ::toml::date& date) {
  return tideline::format("%04u", unsigned{date.year}) + two_digits(date.month, '-') + two_digits(date.day, '-');
}
std::string time_text(const ::toml::time& time) {
  return two_digits(time.hour, 'T') + two_digits(time.minute, ':') + two_digits(time.second, ':') +
         (time.nanosecond == 0 ? std::string{} : tideline::format(".%09u", unsigned{time.nanosecond}));
}
std::string time_text(const ::toml::date_time& time) {
  std::string text = time_text(time.date) + time_text(time.time);
  if (!time.offset) return text;
  const int minutes = time.offset->minutes;
  if (minutes == 0) return text + "Z";
  const unsigned size = static_cast<unsigned>(minutes < 0 ? -minutes : minutes);
  return text + two_digits(size / 60, minutes < 0 ? '-' : '+') + two_digits(size % 60, ':');
}

Value convert(const ::toml::node& node);

/// toml++ keeps members sorted by name; people expect the order of the file in messages and in lists of inputs.
void convert_members(const ::toml::table& table, Value& out) {
  struct Entry {
    ::toml::source_position at;
    std::string_view name;
    const ::toml::node* node;
  };
  std::vector<Entry> entries;
  for (const auto& [key, node] : table) entries.push_back({key.source().begin, key.str(), &node});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
  for (const Entry& entry : entries) {
    out.names.emplace_back(entry.name);
    out.items.push_back(convert(*entry.node));
    if (out.items.back().line == 0) out.items.back().line = entry.at.line;
  }
}

Value convert(const ::toml::node& node) {
  Value value;
  value.line = node.source().begin.line;
  switch (node.type()) {
    case ::toml::node_type::none:
    case ::toml::node_type::table:
      value.type = Type::table;
      if (const auto* table = node.as_table()) convert_members(*table, value);
      break;
    case ::toml::node_type::array:
      value.type = Type::array;
      for (const ::toml::node& item : *node.as_array()) value.items.push_back(convert(item));
      break;
    case ::toml::node_type::string:
      value.type = Type::text;
      value.text = node.as_string()->get();
      break;
    case ::toml::node_type::integer:
      value.type = Type::integer;
      value.integer = node.as_integer()->get();
      break;
    case ::toml::node_type::floating_point:
      value.type = Type::real;
      value.real = node.as_floating_point()->get();
      break;
    case ::toml::node_type::boolean:
      value.type = Type::boolean;
      value.boolean = node.as_boolean()->get();
      break;
    case ::toml::node_type::date:
      value.type = Type::time;
      value.text = time_text(node.as_date()->get());
      break;
    case ::toml::node_type::time:
      value.type = Type::time;
      value.text = time_text(node.as_time()->get());
      break;
    case ::toml::node_type::date_time:
      value.type = Type::time;
      value.text = time_text(node.as_date_time()->get());
      break;
  }
  return value;
}

}  // namespace

const char* type_name(Type type) {
  static constexpr const char* names[] = {"a table", "a list", "a text", "a whole number", "a number", "true or false", "a date or time"};
  return names[static_cast<size_t>(type)];
}

const Value* Value::find(std::string_view name) const {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return &items[i];
  }
  return nullptr;
}

bool parse(std::string_view text, Value& root, Problem& problem) {
  if (text.size() > limits::config_bytes) {
    problem = {0, "the file is larger than " + format_size(limits::config_bytes)};
    return false;
  }
  const ::toml::parse_result result = ::toml::parse(text);
  if (!result) {
    const ::toml::parse_error& error = result.error();
    problem = {error.source().begin.line, std::string(error.description())};
    return false;
  }
  root = convert(result.table());
  return true;
}

}  // namespace tideline::toml
