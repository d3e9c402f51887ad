#include "wrap/json/document.hpp"

#include <cJSON.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "wrap/json/scan.hpp"

namespace tideline::json {
namespace {

constexpr double integer_most = 9007199254740991.0;  // 2^53 - 1: the next one may be a rounded neighbour

/// Whether two members of one object, at any depth, have the same name. Depth is bounded by the scan before.
bool has_duplicates(const cJSON* node, std::vector<std::string_view>& names) {
  if (cJSON_IsObject(node) != 0) {
    names.clear();
    for (const cJSON* child = node->child; child != nullptr; child = child->next) names.emplace_back(child->string);
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end()) return true;
  }
  for (const cJSON* child = node->child; child != nullptr; child = child->next) {
    if (child->child != nullptr && has_duplicates(child, names)) return true;
  }
  return false;
}

Error wrong_type(const Value& value, const char* expected) {
  return value.is_present() ? Error{ErrorCode::invalid, 0, expected} : Error{ErrorCode::not_found, 0, "value is missing"};
}

}  // namespace

void DeleteTree::operator()(cJSON* tree) const { cJSON_Delete(tree); }

Result<Document> Document::parse(std::string_view text, size_t depth) {
  if (!is_utf8(text)) return Error{ErrorCode::invalid, 0, "JSON is not UTF-8"};
  Scanner scanner(text, depth);
  std::string_view value;
  if (!scanner.take_value(value)) return Error{ErrorCode::invalid, static_cast<int>(scanner.position()), scanner.problem()};
  if (!scanner.is_at_end()) return Error{ErrorCode::invalid, static_cast<int>(scanner.position()), "more follows the JSON value"};
  const char* end = nullptr;
  cJSON* tree = cJSON_ParseWithLengthOpts(value.data(), value.size(), &end, 0);
  if (tree == nullptr) return Error{ErrorCode::invalid, 0, "JSON cannot be read"};
  Document document(tree);
  std::vector<std::string_view> names;
  if (has_duplicates(tree, names)) return Error{ErrorCode::invalid, 0, "JSON object has a member twice"};
  return document;
}

Value::Type Value::type() const {
  if (node_ == nullptr) return Type::absent;
  switch (node_->type & 0xff) {
    case cJSON_False:
    case cJSON_True: return Type::boolean;
    case cJSON_Number: return Type::number;
    case cJSON_String: return Type::text;
    case cJSON_Array: return Type::array;
    case cJSON_Object: return Type::object;
    default: return Type::null;
  }
}

Result<std::string_view> Value::text() const {
  if (type() != Type::text) return wrong_type(*this, "value is not a text");
  return std::string_view(node_->valuestring);
}

Result<bool> Value::boolean() const {
  if (type() != Type::boolean) return wrong_type(*this, "value is not true or false");
  return (node_->type & 0xff) == cJSON_True;
}

Result<int64_t> Value::integer() const {
  if (type() != Type::number) return wrong_type(*this, "value is not a whole number");
  const double number = node_->valuedouble;
  if (!(std::fabs(number) <= integer_most)) return Error{ErrorCode::limit, 0, "number is beyond 2^53"};
  if (number != std::trunc(number)) return Error{ErrorCode::invalid, 0, "value is not a whole number"};
  return static_cast<int64_t>(number);
}

Result<double> Value::number() const {
  if (type() != Type::number) return wrong_type(*this, "value is not a number");
  if (!std::isfinite(node_->valuedouble)) return Error{ErrorCode::limit, 0, "number is out of range"};
  return node_->valuedouble;
}

Value Value::operator[](std::string_view name) const {
  if (!is_object()) return {};
  for (const cJSON* child = node_->child; child != nullptr; child = child->next) {
    if (name == child->string) return Value(child);
  }
  return {};
}

size_t Value::size() const {
  size_t count = 0;
  for (Value child = first(); child.is_present(); child = child.next()) ++count;
  return count;
}

Value Value::first() const { return is_object() || is_array() ? Value(node_->child) : Value{}; }
Value Value::next() const { return node_ == nullptr ? Value{} : Value(node_->next); }
std::string_view Value::name() const {
  return node_ == nullptr || node_->string == nullptr ? std::string_view{} : std::string_view(node_->string);
}

}  // namespace tideline::json
