#include "context/declarations.hpp"

#include <array>
#include <cmath>

#include "base/log.hpp"
#include "base/text.hpp"
#include "context/json_values.hpp"
#include "context/limits.hpp"
#include "wrap/json/document.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::context {
namespace {

constexpr std::array<const char*, 7> type_names = {"any", "boolean", "integer", "number", "string", "object", "array"};

bool is_of_type(json::Value value, ValueType type) {
  using Type = json::Value::Type;
  switch (type) {
    case ValueType::any: return true;
    case ValueType::boolean: return value.type() == Type::boolean;
    case ValueType::number: return value.type() == Type::number;
    case ValueType::text: return value.is_text();
    case ValueType::object: return value.is_object();
    case ValueType::array: return value.is_array();
    case ValueType::integer: break;
  }
  const Result<double> number = value.number();
  return number && std::floor(*number) == *number;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : ", ") + text;
  return line;
}

/// `text` is the declaration, `value` the same as a tree.
Result<Declaration> parse_one(json::Value value, std::string_view text) {
  Declaration declaration;
  ASSIGN_OR_RETURN(declaration.pattern, value["path"].text());
  if (const auto rule = value["rule"].text(); rule && !parse_rule(*rule, declaration.rule)) {
    return Error{ErrorCode::invalid, 0, "a declaration's rule is not known"};
  }
  if (const auto type = value["type"].text(); type && !parse_value_type(*type, declaration.type)) {
    return Error{ErrorCode::invalid, 0, "a declaration's type is not known"};
  }
  if (const auto minimum = value["minimum"].number()) declaration.minimum = *minimum;
  if (const auto maximum = value["maximum"].number()) declaration.maximum = *maximum;
  if (const auto description = value["description"].text()) declaration.description = *description;
  for (const std::string_view one : elements_of(member_of(text, "enum"))) {
    if (declaration.allowed.size() >= limits::enum_values) return Error{ErrorCode::limit, 0, "a declaration allows too many values"};
    ASSIGN_OR_RETURN(declaration.allowed.emplace_back(), compact(one));
  }
  return declaration;
}

void write_one(json::Writer& w, const Declaration& one) {
  w.begin_object().key("path").text(one.pattern).key("rule").text(rule_name(one.rule));
  if (one.type != ValueType::any) w.key("type").text(value_type_name(one.type));
  if (one.minimum) w.key("minimum").number(*one.minimum);
  if (one.maximum) w.key("maximum").number(*one.maximum);
  if (!one.allowed.empty()) {
    w.key("enum").begin_array();
    for (const std::string& value : one.allowed) w.raw(value);
    w.end_array();
  }
  if (!one.description.empty()) w.key("description").text(one.description);
  w.end_object();
}

}  // namespace

const char* value_type_name(ValueType type) { return type_names[static_cast<size_t>(type)]; }

bool parse_value_type(std::string_view text, ValueType& type) {
  for (size_t i = 0; i < type_names.size(); ++i) {
    if (text != type_names[i]) continue;
    type = static_cast<ValueType>(i);
    return true;
  }
  return false;
}

Status Declarations::add(Declaration declaration) {
  if (list_.size() >= limits::declarations) return Error{ErrorCode::limit, 0, "too many declarations of context entries"};
  if (declaration.pattern.size() > limits::path_bytes) return Error{ErrorCode::limit, 0, "a declaration's path is too long"};
  std::string json;
  json::Writer w(json);
  write_one(w, declaration);
  if (bytes_ + json.size() + 1 > limits::declarations_bytes) return Error{ErrorCode::limit, 0, "declarations are too long"};
  bytes_ += json.size() + 1;
  list_.push_back(std::move(declaration));
  return {};
}

const Declaration* Declarations::of(std::string_view path) const {
  for (const Declaration& declaration : list_) {
    if (matches_glob(declaration.pattern, path)) return &declaration;
  }
  return nullptr;
}

Rule Declarations::rule(std::string_view path) const {
  const Declaration* declaration = of(path);
  return declaration == nullptr ? Rule::last_writer : declaration->rule;
}

std::string Declarations::problem_with(std::string_view path, std::string_view text) const {
  const Declaration* declared = of(path);
  if (declared == nullptr) return "";
  const auto document = json::Document::parse(text, limits::value_depth);
  if (!document) return document.error().context;
  const json::Value value = document->root();
  if (!is_of_type(value, declared->type)) return format("must be of type %s", value_type_name(declared->type));
  if (!declared->allowed.empty()) {
    bool is_allowed = false;
    for (const std::string& one : declared->allowed) is_allowed = is_allowed || are_equal(one, text);
    if (!is_allowed) return "must be one of " + joined(declared->allowed);
  }
  if (const auto number = value.number()) {
    if (declared->minimum && *number < *declared->minimum) return "must be at least " + format_number(*declared->minimum);
    if (declared->maximum && *number > *declared->maximum) return "must be at most " + format_number(*declared->maximum);
  }
  return "";
}

std::string write_declarations(const Declarations& declarations) {
  std::string out;
  json::Writer w(out);
  w.begin_array();
  for (const Declaration& one : declarations.list()) write_one(w, one);
  w.end_array();
  return out;
}

Result<Declarations> parse_declarations(std::string_view json) {
  if (json.size() > limits::declarations_bytes) return Error{ErrorCode::limit, 0, "declarations are too long"};
  ASSIGN_OR_RETURN(const json::Document document, json::Document::parse(json, limits::value_depth));
  if (!document.root().is_array()) return Error{ErrorCode::invalid, 0, "declarations are not an array"};
  Declarations declarations;
  const std::vector<std::string_view> texts = elements_of(json);
  json::Value one = document.root().first();
  for (size_t i = 0; i < texts.size() && one.is_present(); ++i, one = one.next()) {
    ASSIGN_OR_RETURN(Declaration declaration, parse_one(one, texts[i]));
    RETURN_IF_ERROR(declarations.add(std::move(declaration)));
  }
  return declarations;
}

}  // namespace tideline::context
