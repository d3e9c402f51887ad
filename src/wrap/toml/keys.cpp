#include "wrap/toml/keys.hpp"

#include <algorithm>
#include <cmath>

#include "base/arguments.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::toml {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string print_found(const Value& value) {
  switch (value.type) {
    case Type::text: return quoted(std::string_view(value.text).substr(0, 60));
    case Type::integer: return std::to_string(value.integer);
    case Type::real: return format_number(value.real);
    case Type::boolean: return value.boolean ? "true" : "false";
    case Type::table:
    case Type::array:
    case Type::time: break;
  }
  return type_name(value.type);
}

/// What must be written for this slot.
std::string expected(const Slot& slot) {
  return std::visit(Overloaded{[](std::string*) -> std::string { return "a text in quotes"; },
                               [](bool*) -> std::string { return "true or false"; },
                               [](int64_t*) -> std::string { return "a whole number"; },
                               [](double*) -> std::string { return "a number"; },
                               [](std::optional<double>*) -> std::string { return "a number"; },
                               [](Duration*) -> std::string { return "a duration with its unit, such as \"5s\" or \"250ms\""; },
                               [](std::optional<Duration>*) -> std::string { return "a duration with its unit, such as \"5s\" or \"250ms\""; },
                               [](uint64_t*) -> std::string { return "a size with its unit, such as \"64 MiB\""; },
                               [](std::vector<std::string>*) -> std::string { return "a list of texts"; },
                               [](TextPairs*) -> std::string { return "a table of texts, such as { site = \"north\" }"; },
                               [](const Choice& choice) -> std::string { return choice.words; }},
                    slot);
}

bool is_number(const Value& value) { return value.type == Type::integer || value.type == Type::real; }
double number_of(const Value& value) { return value.type == Type::integer ? static_cast<double>(value.integer) : value.real; }

bool all_texts(const Value& value) {
  return std::all_of(value.items.begin(), value.items.end(), [](const Value& item) { return item.type == Type::text; });
}

/// Reads `value` into the slot. False when it has another form; `measure` is what the range applies to.
bool assign(const Value& value, const Slot& slot, double& measure) {
  return std::visit(
      Overloaded{[&](std::string* out) { return value.type == Type::text && (*out = value.text, true); },
                 [&](bool* out) { return value.type == Type::boolean && (*out = value.boolean, true); },
                 [&](int64_t* out) {
                   if (value.type != Type::integer) return false;
                   *out = value.integer;
                   measure = static_cast<double>(value.integer);
                   return true;
                 },
                 [&](double* out) {
                   if (!is_number(value) || !std::isfinite(number_of(value))) return false;
                   measure = *out = number_of(value);
                   return true;
                 },
                 [&](std::optional<double>* out) {
                   if (!is_number(value) || !std::isfinite(number_of(value))) return false;
                   *out = measure = number_of(value);
                   return true;
                 },
                 [&](Duration* out) {
                   if (value.type != Type::text || !parse_duration(value.text, *out)) return false;
                   measure = static_cast<double>(out->nanos);
                   return true;
                 },
                 [&](std::optional<Duration>* out) {
                   Duration parsed;
                   if (value.type != Type::text || !parse_duration(value.text, parsed)) return false;
                   *out = parsed;
                   measure = static_cast<double>(parsed.nanos);
                   return true;
                 },
                 [&](uint64_t* out) {
                   if (value.type != Type::text || !parse_size(value.text, *out)) return false;
                   measure = static_cast<double>(*out);
                   return true;
                 },
                 [&](std::vector<std::string>* out) {
                   if (value.type != Type::array || !all_texts(value)) return false;
                   out->clear();
                   for (const Value& item : value.items) out->push_back(item.text);
                   return true;
                 },
                 [&](TextPairs* out) {
                   if (value.type != Type::table || !all_texts(value)) return false;
                   out->clear();
                   for (size_t i = 0; i < value.items.size(); ++i) out->emplace_back(value.names[i], value.items[i].text);
                   return true;
                 },
                 [&](const Choice& choice) {
                   if (value.type == Type::boolean) return choice.set(choice.target, value.boolean ? "true" : "false");
                   return value.type == Type::text && choice.set(choice.target, value.text);
                 }},
      slot);
}

std::string write_measure(double measure, const Slot& slot) {
  if (std::holds_alternative<Duration*>(slot) || std::holds_alternative<std::optional<Duration>*>(slot)) {
    return write_duration({static_cast<int64_t>(measure)});
  }
  if (std::holds_alternative<uint64_t*>(slot)) return write_size(static_cast<uint64_t>(measure));
  if (std::holds_alternative<int64_t*>(slot)) return std::to_string(static_cast<int64_t>(measure));  // 3000000, not 3e+06
  return format_number(measure);
}

/// "from 10ms to 7d", "at least 0", "" without bounds.
std::string range_text(const Row& row, const Slot& slot) {
  const bool has_least = row.least > -no_bound;
  const bool has_most = row.most < no_bound;
  if (has_least && has_most) return "from " + write_measure(row.least, slot) + " to " + write_measure(row.most, slot);
  if (has_least) return "at least " + write_measure(row.least, slot);
  if (has_most) return "at most " + write_measure(row.most, slot);
  return "";
}

std::string write_texts(const std::vector<std::string>& texts) {
  std::string text = "[";
  for (const std::string& item : texts) text += (text.size() > 1 ? ", " : "") + quoted(item);
  return text + "]";
}

std::string write_pairs(const TextPairs& pairs) {
  std::string text = "{";
  for (const auto& [name, value] : pairs) text += (text.size() > 1 ? ", " : " ") + name + " = " + quoted(value);
  return text + " }";
}

/// The value in TOML; "" for a number that is not set.
std::string write_value(const Slot& slot) {
  return std::visit(Overloaded{[](std::string* value) { return quoted(*value); },
                               [](bool* value) -> std::string { return *value ? "true" : "false"; },
                               [](int64_t* value) { return std::to_string(*value); },
                               [](double* value) { return format_number(*value); },
                               [](std::optional<double>* value) { return *value ? format_number(**value) : std::string{}; },
                               [](Duration* value) { return quoted(write_duration(*value)); },
                               [](std::optional<Duration>* value) { return *value ? quoted(write_duration(**value)) : std::string{}; },
                               [](uint64_t* value) { return quoted(write_size(*value)); },
                               [](std::vector<std::string>* value) { return write_texts(*value); },
                               [](TextPairs* value) { return write_pairs(*value); },
                               [](const Choice& choice) {
                                 const std::string word = choice.get(choice.target);
                                 return word.empty() ? word : quoted(word);
                               }},
                    slot);
}

std::string in_section(std::string_view section) { return section.empty() ? "" : "[" + std::string(section) + "] "; }

}  // namespace

void Reader::add_problem(uint32_t line, const std::string& text) {
  if (problems_.size() >= problems_most) return;
  std::string problem = file_ + ":" + (line == 0 ? "" : std::to_string(line) + ":") + " " + text;
  // A quoted key may hold any character; a problem is one line, and goes to a terminal.
  std::replace_if(problem.begin(), problem.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  problems_.push_back(std::move(problem));
}

void Reader::check_known(const Value& table, size_t index, std::string_view section, std::span<const std::string_view> known) {
  const std::string& name = table.names[index];
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const bool is_section = section.empty();
  std::string text = is_section ? "unknown section [" + name + "]" : "unknown key '" + name + "' in [" + std::string(section) + "]";
  if (const std::string_view near = nearest_name(name, known); !near.empty()) {
    text += "; did you mean '" + std::string(near) + "'?";
  } else {
    text += is_section ? "; known are " : "; it takes ";
    for (size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "" : ", ") + std::string(known[i]);
  }
  add_problem(table.items[index].line, text);
}

bool Reader::check_table(const Value& value, std::string_view section) {
  if (value.type == Type::table) return true;
  add_problem(value.line, "'" + std::string(section) + "' must be a section, [" + std::string(section) + "], but is " + print_found(value));
  return false;
}

void Reader::read_value(const Value& value, std::string_view section, const Row& row, const Slot& slot) {
  double measure = 0;
  if (!assign(value, slot, measure)) {
    add_problem(value.line, in_section(section) + row.name + ": expected " + expected(slot) + ", found " + print_found(value));
    return;
  }
  if (measure < row.least || measure > row.most) {
    add_problem(value.line, in_section(section) + row.name + ": " + print_found(value) + " is out of range: it must be " + range_text(row, slot));
  }
}

std::string describe_key(const Row& row, const Slot& slot) {
  std::string text = "# " + std::string(row.doc) + "\n# " + expected(slot);
  if (const std::string range = range_text(row, slot); !range.empty()) text += ", " + range;
  const std::string value = write_value(slot);
  return text + "\n" + (value.empty() ? "# " : "") + row.name + " = " + (value.empty() ? "(not set)" : value) + "\n";
}

std::string write_duration(Duration duration) {
  struct Unit {
    int64_t nanos;
    const char* name;
  };
  static constexpr Unit units[] = {{86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "m"},
                                   {1'000'000'000, "s"},      {1'000'000, "ms"},        {1000, "us"}};
  if (duration.nanos == 0) return "0s";
  for (const Unit& unit : units) {
    if (duration.nanos % unit.nanos == 0) return std::to_string(duration.nanos / unit.nanos) + unit.name;
  }
  return std::to_string(duration.nanos) + "ns";
}

std::string write_size(uint64_t size_bytes) {
  struct Unit {
    uint64_t bytes;
    const char* name;
  };
  static constexpr Unit units[] = {{1ull << 30, " GiB"}, {1ull << 20, " MiB"}, {1ull << 10, " KiB"}};
  for (const Unit& unit : units) {
    if (size_bytes != 0 && size_bytes % unit.bytes == 0) return std::to_string(size_bytes / unit.bytes) + unit.name;
  }
  return std::to_string(size_bytes) + " B";
}

}  // namespace tideline::toml
