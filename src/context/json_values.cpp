#include "context/json_values.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/text.hpp"
#include "context/limits.hpp"
#include "wrap/json/document.hpp"
#include "wrap/json/scan.hpp"

namespace tideline::context {
namespace {

std::string meaning_of(std::string_view raw) {
  std::string text;
  json::append_unescaped(raw, text);
  return text;
}

bool are_equal_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  // Whole numbers beyond 2^53 are equal only digit by digit: doubles would make neighbours equal.
  const bool are_whole = a.find_first_of(".eE") == std::string_view::npos && b.find_first_of(".eE") == std::string_view::npos;
  if (are_whole) return false;
  double x = 0, y = 0;
  const bool are_doubles = std::from_chars(a.data(), a.data() + a.size(), x).ec == std::errc{} && std::from_chars(b.data(), b.data() + b.size(), y).ec == std::errc{};
  return are_doubles && x == y;
}

bool are_equal_objects(std::string_view a, std::string_view b) {
  const auto sorted = [](std::string_view object) {
    std::vector<std::pair<std::string, std::string_view>> members;
    for (const Member& member : members_of(object)) members.emplace_back(meaning_of(member.name), member.value);
    std::sort(members.begin(), members.end());
    return members;
  };
  const auto x = sorted(a), y = sorted(b);
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const auto& left, const auto& right) { return left.first == right.first && are_equal(left.second, right.second); });
}

}  // namespace

Result<std::string> compact(std::string_view text) {
  if (text.size() > 2 * limits::value_bytes) return Error{ErrorCode::limit, 0, "a value has at most 64 KiB of JSON"};
  ASSIGN_OR_RETURN(const json::Document document, json::Document::parse(text, limits::value_depth));
  (void)document;
  std::string out;
  out.reserve(text.size());
  bool is_in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_in_string && c == '\\') out += text[i++];
    else if (c == '"') is_in_string = !is_in_string;
    else if (!is_in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    out += text[i];
  }
  if (out.size() > limits::value_bytes) return Error{ErrorCode::limit, 0, "a value has at most 64 KiB of JSON"};
  return out;
}

std::string merge_patch(std::string_view target, std::string_view patch) {
  if (!patch.starts_with('{')) return std::string(patch);
  struct Merged {
    std::string_view name;
    std::string value;
    bool is_removed = false;
  };
  std::vector<Merged> result;
  std::unordered_map<std::string, size_t> places;
  for (const Member& member : members_of(target)) {
    places.emplace(meaning_of(member.name), result.size());
    result.push_back({member.name, std::string(member.value)});
  }
  for (const Member& change : members_of(patch)) {
    const auto held = places.find(meaning_of(change.name));
    const bool is_held = held != places.end();
    if (change.value == "null") {
      if (is_held) result[held->second].is_removed = true;
    } else if (is_held) {
      result[held->second].value = merge_patch(result[held->second].value, change.value);
    } else {
      result.push_back({change.name, merge_patch("{}", change.value)});  // a patch has no member twice
    }
  }
  std::string out = "{";
  for (const Merged& one : result) {
    if (one.is_removed) continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(one.name).append("\":").append(one.value);
  }
  return out + '}';
}

bool are_equal(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.empty() || b.empty()) return false;
  if (a[0] == '{' && b[0] == '{') return are_equal_objects(a, b);
  if (a[0] == '[' && b[0] == '[') {
    const auto x = elements_of(a), y = elements_of(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), are_equal);
  }
  if (a[0] == '"' && b[0] == '"') return meaning_of(a.substr(1, a.size() - 2)) == meaning_of(b.substr(1, b.size() - 2));
  const auto is_number = [](std::string_view text) { return text[0] == '-' || (text[0] >= '0' && text[0] <= '9'); };
  return is_number(a) && is_number(b) && are_equal_numbers(a, b);
}

std::vector<Member> members_of(std::string_view object) {
  std::vector<Member> members;
  json::Scanner scanner(object, limits::value_depth);
  if (!scanner.take('{')) return members;
  while (true) {
    Member member;
    if (scanner.peek() != '"' || !scanner.take_string(member.name) || !scanner.take(':') || !scanner.take_value(member.value)) return members;
    members.push_back(member);
    if (!scanner.take(',')) return members;
  }
}

std::vector<std::string_view> elements_of(std::string_view array) {
  std::vector<std::string_view> elements;
  json::Scanner scanner(array, limits::value_depth);
  if (!scanner.take('[') || scanner.peek() == ']') return elements;
  while (true) {
    std::string_view element;
    if (!scanner.take_value(element)) return elements;
    elements.push_back(element);
    if (!scanner.take(',')) return elements;
  }
}

std::string_view member_of(std::string_view object, std::string_view name) {
  for (const Member& member : members_of(object)) {
    if (json::raw_equals(member.name, name)) return member.value;
  }
  return {};
}

}  // namespace tideline::context
