#include "agent/config_overlay.hpp"

#include <cmath>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "wrap/json/document.hpp"

namespace tideline::agent {
namespace {

using toml::Value;
using JsonType = json::Value::Type;

constexpr const char* where = "desired/config";

Value value_of(json::Value from, std::vector<std::string>& problems, const std::string& name) {
  Value value;
  switch (from.type()) {
    case JsonType::text:
      value.type = toml::Type::text;
      value.text = *from.text();
      break;
    case JsonType::boolean:
      value.type = toml::Type::boolean;
      value.boolean = *from.boolean();
      break;
    case JsonType::number:
      if (const auto whole = from.integer()) {
        value.type = toml::Type::integer;
        value.integer = *whole;
      } else {
        value.type = toml::Type::real;
        value.real = from.number() ? *from.number() : NAN;
      }
      break;
    case JsonType::array:
    case JsonType::object:
      value.type = from.is_array() ? toml::Type::array : toml::Type::table;
      for (json::Value one = from.first(); one.is_present(); one = one.next()) {
        if (from.is_object()) value.names.emplace_back(one.name());
        value.items.push_back(value_of(one, problems, name));
      }
      break;
    default: problems.push_back(format("%s: %s: null stands only for a key to take away", where, name.c_str()));
  }
  return value;
}

void merge(Value& table, json::Value change, std::vector<std::string>& problems, const std::string& title) {
  for (json::Value one = change.first(); one.is_present(); one = one.next()) {
    const std::string name = title + (title.empty() ? "" : ".") + std::string(one.name());
    size_t at = 0;
    while (at < table.names.size() && table.names[at] != one.name()) ++at;
    const bool is_held = at < table.names.size();
    if (one.type() == JsonType::null) {
      if (!is_held) continue;
      table.names.erase(table.names.begin() + static_cast<ptrdiff_t>(at));
      table.items.erase(table.items.begin() + static_cast<ptrdiff_t>(at));
    } else if (one.is_object()) {
      if (!is_held) {
        table.names.emplace_back(one.name());
        table.items.emplace_back();
      }
      if (table.items[at].type != toml::Type::table) table.items[at] = Value{};
      merge(table.items[at], one, problems, name);
    } else if (is_held) {
      table.items[at] = value_of(one, problems, name);
    } else {
      table.names.emplace_back(one.name());
      table.items.push_back(value_of(one, problems, name));
    }
  }
}

bool runs_commands(const Value& root, json::Value section) {
  if (section.name() == "action" || section.name() == "child") return true;
  if (section.name() != "input") return false;
  const Value* inputs = root.find("input");
  for (json::Value input = section.first(); input.is_present(); input = input.next()) {
    const Value* held = inputs == nullptr ? nullptr : inputs->find(input.name());
    const Value* type = held == nullptr ? nullptr : held->find("type");
    const auto asked = input["type"].text();
    if (input.name() == "exec" || (asked && *asked == "exec") || (type != nullptr && type->text == "exec") || input["command"].is_present()) return true;
  }
  return false;
}

void check_allowed(const Value& root, json::Value change, bool commands, std::vector<std::string>& problems) {
  for (json::Value section = change.first(); section.is_present(); section = section.next()) {
    const std::string name(section.name());
    if (name == "store" || name == "remote" || (name == "device" && section["id"].is_present())) {
      problems.push_back(format("%s: [%s]%s is set on the device alone", where, name.c_str(), name == "device" ? " id" : ""));
    }
    if (!commands && runs_commands(root, section)) {
      problems.push_back(format("%s: [%s] would run programs on the device; its own file allows that with [remote] commands = true", where, name.c_str()));
    }
  }
}

}  // namespace

void lay_over(Value& root, std::string_view text, bool commands, std::vector<std::string>& problems) {
  const auto document = json::Document::parse(text, limits::json_depth);
  if (!document || !document->root().is_object()) {
    problems.push_back(format("%s: must be a JSON object with the sections of agent.toml", where));
    return;
  }
  check_allowed(root, document->root(), commands, problems);
  if (problems.empty()) merge(root, document->root(), problems, "");
}

}  // namespace tideline::agent
