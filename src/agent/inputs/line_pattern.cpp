#include "agent/inputs/line_pattern.hpp"

#include "base/limits.hpp"
#include "model/series.hpp"

namespace tideline::agent {
namespace {

constexpr size_t fields_most = 32;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Whether `literal` stands at `line[at]`; `end` is where it ends there.
bool stands_at(std::string_view line, size_t at, std::string_view literal, size_t& end) {
  for (const char c : literal) {
    if (c == ' ') {
      if (at >= line.size() || !is_blank(line[at])) return false;
      while (at < line.size() && is_blank(line[at])) ++at;
    } else {
      if (at >= line.size() || line[at] != c) return false;
      ++at;
    }
  }
  end = at;
  return true;
}

}  // namespace

const char* LinePattern::problem(std::string_view pattern) {
  LinePattern probe;
  return probe.parse(pattern);
}

LinePattern::LinePattern(std::string_view pattern) { (void)parse(pattern); }

const char* LinePattern::parse(std::string_view pattern) {
  while (!pattern.empty() && is_blank(pattern.front())) pattern.remove_prefix(1);
  while (!pattern.empty() && is_blank(pattern.back())) pattern.remove_suffix(1);
  if (pattern.empty() || pattern.size() > limits::pattern_bytes) return "must have 1 to 256 bytes";
  std::string literal;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '{' || pattern.substr(i).starts_with("{{")) {
      if (!is_blank(c)) literal += c;
      if (is_blank(c) && (literal.empty() || literal.back() != ' ')) literal += ' ';
      if (c == '{') ++i;
      continue;
    }
    const size_t end = pattern.find('}', i);
    if (end == pattern.npos) return "a { has no }; write {{ for a brace";
    std::string_view name = pattern.substr(i + 1, end - i - 1);
    Field field;
    field.is_text = name.ends_with(":text");
    if (field.is_text) name.remove_suffix(5);
    field.name = name;
    model::Series probe;
    probe.name = name;
    if (!name.empty() && !model::validate(probe)) return "a field's name is no name of a series";
    if (name.empty() && field.is_text) return "a text needs a name: {name:text}";
    if (!fields_.empty() && literal.empty()) return "two fields with nothing between them";
    if (fields_.size() == fields_most) return "more than 32 fields";
    literals_.push_back(std::move(literal));
    literal.clear();
    fields_.push_back(std::move(field));
    i = end;
  }
  literals_.push_back(std::move(literal));
  return nullptr;
}

bool LinePattern::match(std::string_view line, std::vector<std::string_view>& values) const {
  values.clear();
  size_t at = 0;
  if (!stands_at(line, 0, literals_.front(), at)) return false;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const std::string& next = literals_[i + 1];
    size_t stop = at;
    size_t end = line.size();
    if (next.empty()) {
      stop = line.size();  // the last field of a pattern that ends with it
    } else {
      while (stop <= line.size() && !stands_at(line, stop, next, end)) ++stop;
      if (stop > line.size()) return false;
    }
    values.push_back(line.substr(at, stop - at));
    at = end;
  }
  return at == line.size();
}

}  // namespace tideline::agent
