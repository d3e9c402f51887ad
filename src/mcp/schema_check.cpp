#include "mcp/schema_check.hpp"

#include <cmath>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::mcp {
namespace {

constexpr size_t findings_most = 4;
constexpr size_t shown_bytes = 200;

const char* kind_text(Slice value) {
  switch (value.kind()) {
    case JsonKind::absent: return "nothing";
    case JsonKind::null: return "null";
    case JsonKind::boolean: return "a boolean";
    case JsonKind::number: return "a number";
    case JsonKind::string: return "a string";
    case JsonKind::array: return "an array";
    case JsonKind::object: return "an object";
  }
  return "";
}

bool is_whole(Slice value) {
  if (value.is_integer()) return true;
  const auto real = value.real();
  return real && std::floor(*real) == *real;
}

bool has_type(Slice value, Slice type) {
  switch (value.kind()) {
    case JsonKind::null: return type.equals("null");
    case JsonKind::boolean: return type.equals("boolean");
    case JsonKind::number: return type.equals("number") || (type.equals("integer") && is_whole(value));
    case JsonKind::string: return type.equals("string");
    case JsonKind::array: return type.equals("array");
    case JsonKind::object: return type.equals("object");
    case JsonKind::absent: return false;
  }
  return false;
}

/// Scalars by value, containers by their text.
bool is_same(Slice a, Slice b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(JsonKind::string)) return a.text() == b.text();
  if (a.is(JsonKind::number) && a.real() && b.real() && !(a.integer() && b.integer())) return *a.real() == *b.real();
  if (a.is(JsonKind::number) && a.integer() && b.integer()) return *a.integer() == *b.integer();
  return a.raw() == b.raw();
}

int64_t code_points(const std::string& text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

std::string shown(Slice json) {
  std::string text(json.raw().substr(0, shown_bytes));
  while (!is_utf8(text)) text.pop_back();
  return text.size() < json.raw().size() ? text + "..." : text;
}

class Checker {
 public:
  void check(Slice schema, Slice value, const std::string& place, size_t depth) {
    if (!schema.is(JsonKind::object) || depth > limits::mcp_schema_depth || is_full()) return;
    Slice type, values, constant, properties, required, additional, items, branches;
    Bounds bounds;
    if (!read_members(schema, {{"type", &type}, {"enum", &values}, {"const", &constant}, {"properties", &properties},
                               {"required", &required}, {"additionalProperties", &additional}, {"items", &items}, {"anyOf", &branches},
                               {"minimum", &bounds.least}, {"maximum", &bounds.most}, {"exclusiveMinimum", &bounds.above}, {"exclusiveMaximum", &bounds.below},
                               {"minLength", &bounds.shortest}, {"maxLength", &bounds.longest}, {"minItems", &bounds.fewest}, {"maxItems", &bounds.fullest}})) {
      return;
    }
    if (!check_type(type, value, place) || !check_branches(branches, value, place, depth)) return;
    check_values(values, constant, value, place);
    if (value.is(JsonKind::number)) check_number(bounds, value, place);
    if (value.is(JsonKind::string)) check_count(bounds.shortest, bounds.longest, code_points(value.text()), "characters", place);
    if (value.is(JsonKind::object)) check_object(properties, required, additional, value, place, depth);
    if (value.is(JsonKind::array)) check_array(bounds, items, value, place, depth);
  }
  std::string take() { return std::move(text_); }

 private:
  struct Bounds {
    Slice least, most, above, below;  ///< of a number
    Slice shortest, longest;          ///< of a string
    Slice fewest, fullest;            ///< of an array
  };
  bool is_full() const { return count_ == findings_most; }
  void add(const std::string& place, const std::string& what) {
    if (is_full()) return;
    ++count_;
    if (!text_.empty()) text_ += "; ";
    text_ += place + ": " + what;
  }

  bool check_type(Slice type, Slice value, const std::string& place) {
    if (!type.is_present()) return true;
    bool fits = type.is(JsonKind::string) && has_type(value, type);
    for (Walk walk(type); !fits && walk.next();) fits = has_type(value, walk.value());
    if (!fits) add(place, "expected " + shown(type) + ", got " + kind_text(value));
    return fits;
  }

  bool check_branches(Slice branches, Slice value, const std::string& place, size_t depth) {
    if (!branches.is(JsonKind::array)) return true;
    for (Walk walk(branches); walk.next();) {
      Checker branch;
      branch.check(walk.value(), value, place, depth + 1);
      if (branch.count_ == 0) return true;
    }
    add(place, "fits none of " + shown(branches));
    return false;
  }

  void check_values(Slice values, Slice constant, Slice value, const std::string& place) {
    if (constant.is_present() && !is_same(constant, value)) add(place, "must be " + shown(constant));
    if (!values.is(JsonKind::array)) return;
    for (Walk walk(values); walk.next();) {
      if (is_same(walk.value(), value)) return;
    }
    add(place, "must be one of " + shown(values));
  }

  void check_number(const Bounds& bounds, Slice value, const std::string& place) {
    const auto number = value.real();
    if (!number) return add(place, "the number is out of range");
    if (bounds.least.real() && *number < *bounds.least.real()) add(place, "must be at least " + shown(bounds.least));
    if (bounds.most.real() && *number > *bounds.most.real()) add(place, "must be at most " + shown(bounds.most));
    if (bounds.above.real() && *number <= *bounds.above.real()) add(place, "must be more than " + shown(bounds.above));
    if (bounds.below.real() && *number >= *bounds.below.real()) add(place, "must be less than " + shown(bounds.below));
  }

  void check_count(Slice least_of, Slice most_of, int64_t count, const char* unit, const std::string& place) {
    const auto least = least_of.integer();
    const auto most = most_of.integer();
    if (least && count < *least) add(place, format("needs at least %lld %s", static_cast<long long>(*least), unit));
    if (most && count > *most) add(place, format("takes at most %lld %s", static_cast<long long>(*most), unit));
  }

  void check_object(Slice properties, Slice required, Slice additional, Slice value, const std::string& place, size_t depth) {
    if (const Status unique = check_keys(value); !unique) return add(place, unique.error().context);
    for (Walk walk(required); walk.next();) {
      const std::string name = walk.value().text();
      if (!find_member(value, name).is_present()) add(place + "." + name, "is required");
    }
    for (Walk walk(value); walk.next() && !is_full();) {
      const std::string name = walk.key().text();
      const Slice schema = find_member(properties, name);
      const std::string inner = place + "." + name.substr(0, shown_bytes);
      if (schema.is_present()) {
        check(schema, walk.value(), inner, depth + 1);
      } else if (additional.raw() == "false") {
        add(inner, "is not a known argument" + known_names(properties));
      } else {
        check(additional, walk.value(), inner, depth + 1);
      }
    }
  }

  static std::string known_names(Slice properties) {
    std::string names;
    for (Walk walk(properties); walk.next() && names.size() < shown_bytes;) names += (names.empty() ? " (known: " : ", ") + walk.key().text();
    return names.empty() ? names : names + ")";
  }

  void check_array(const Bounds& bounds, Slice items, Slice value, const std::string& place, size_t depth) {
    int64_t count = 0;
    for (Walk walk(value); walk.next(); ++count) {
      if (items.is_present() && !is_full()) check(items, walk.value(), place + "[" + std::to_string(count) + "]", depth + 1);
    }
    check_count(bounds.fewest, bounds.fullest, count, "elements", place);
  }

  std::string text_;
  size_t count_ = 0;
};

}  // namespace

std::string check_arguments(Slice schema, Slice value) {
  Checker checker;
  checker.check(schema, value.is_present() ? value : Slice("{}"), "arguments", 0);
  return checker.take();
}

}  // namespace tideline::mcp
