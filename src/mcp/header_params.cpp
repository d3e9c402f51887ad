#include "mcp/header_params.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::mcp {
namespace {

constexpr std::string_view annotation = "x-mcp-header";
constexpr std::string_view sentinel = "=?base64?";
constexpr std::string_view sentinel_end = "?=";
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Walks a schema. `path` is null where annotations are not allowed.
class Collector {
 public:
  explicit Collector(std::vector<HeaderParam>& out) : out_(out) {}

  std::string visit(Slice schema, bool is_reachable) {
    if (schema.is(JsonKind::array)) return visit_each(schema);
    for (Walk walk(schema); walk.next();) {
      std::string problem;
      if (walk.key().equals(annotation)) {
        problem = take(schema, walk.value(), is_reachable);
      } else if (walk.key().equals("properties")) {
        problem = visit_properties(walk.value(), is_reachable);
      } else if (!holds_data(walk.key())) {
        problem = visit(walk.value(), false);
      }
      if (!problem.empty()) return problem;
    }
    return {};
  }

 private:
  static bool holds_data(Slice key) { return key.equals("enum") || key.equals("const") || key.equals("default") || key.equals("examples"); }

  std::string visit_each(Slice array) {
    for (Walk walk(array); walk.next();) {
      if (std::string problem = visit(walk.value(), false); !problem.empty()) return problem;
    }
    return {};
  }

  std::string visit_properties(Slice properties, bool is_reachable) {
    for (Walk walk(properties); walk.next();) {
      path_.push_back(walk.key().text());
      std::string problem = visit(walk.value(), is_reachable);
      path_.pop_back();
      if (!problem.empty()) return problem;
    }
    return {};
  }

  std::string take(Slice schema, Slice value, bool is_reachable) {
    const std::string header = value.text();
    if (!is_http_token(header)) return "x-mcp-header must be a non-empty HTTP token";
    if (!is_reachable || path_.empty()) return format("x-mcp-header \"%s\" is not on a plain property", header.c_str());
    const Slice type = find_member(schema, "type");
    if (!type.equals("string") && !type.equals("integer") && !type.equals("boolean")) {
      return format("x-mcp-header \"%s\" is not on a string, integer or boolean", header.c_str());
    }
    const auto same = [&](const HeaderParam& known) { return equals_ignoring_case(known.header, header); };
    if (std::any_of(out_.begin(), out_.end(), same)) return format("x-mcp-header \"%s\" is used twice", header.c_str());
    out_.push_back({header, path_});
    return {};
  }

  std::vector<HeaderParam>& out_;
  std::vector<std::string> path_;
};

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size() - padding; ++i) {
    const size_t digit = alphabet.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (i % 4 == 3) {
      out.push_back(static_cast<char>(bits >> 16 & 0xff));
      out.push_back(static_cast<char>(bits >> 8 & 0xff));
      out.push_back(static_cast<char>(bits & 0xff));
    }
  }
  if (padding == 1) {
    if ((bits & 3) != 0) return std::nullopt;
    out.push_back(static_cast<char>(bits >> 10 & 0xff));
    out.push_back(static_cast<char>(bits >> 2 & 0xff));
  } else if (padding == 2) {
    if ((bits & 15) != 0) return std::nullopt;
    out.push_back(static_cast<char>(bits >> 4 & 0xff));
  }
  return out;
}

std::string encode_base64(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](size_t n) { return i + n < text.size() ? uint32_t{static_cast<unsigned char>(text[i + n])} : 0u; };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    out.push_back(alphabet[bits >> 18]);
    out.push_back(alphabet[bits >> 12 & 63]);
    out.push_back(i + 1 < text.size() ? alphabet[bits >> 6 & 63] : '=');
    out.push_back(i + 2 < text.size() ? alphabet[bits & 63] : '=');
  }
  return out;
}

bool is_sentinel(std::string_view value) {
  return value.size() >= sentinel.size() + sentinel_end.size() && value.starts_with(sentinel) && value.ends_with(sentinel_end);
}

bool is_visible(char c) { return c == '\t' || (c >= ' ' && c <= '~'); }

}  // namespace

std::string read_header_params(Slice schema, std::vector<HeaderParam>& out) { return Collector(out).visit(schema, true); }

Slice find_argument(Slice arguments, const HeaderParam& param) {
  Slice at = arguments;
  for (const std::string& name : param.path) at = find_member(at, name);
  return at;
}

std::optional<std::string> decode_header_value(std::string_view value) {
  value = trim_blanks(value);
  if (!std::all_of(value.begin(), value.end(), is_visible)) return std::nullopt;
  if (!is_sentinel(value)) return std::string(value);
  std::optional<std::string> decoded = decode_base64(value.substr(sentinel.size(), value.size() - sentinel.size() - sentinel_end.size()));
  if (!decoded || !is_utf8(*decoded)) return std::nullopt;
  return decoded;
}

std::string encode_header_value(std::string_view value) {
  const bool is_literal = std::all_of(value.begin(), value.end(), is_visible) && trim_blanks(value) == value && !is_sentinel(value);
  if (is_literal) return std::string(value);
  return std::string(sentinel) + encode_base64(value) + std::string(sentinel_end);
}

bool header_matches(std::string_view decoded, Slice argument) {
  switch (argument.kind()) {
    case JsonKind::string: return argument.equals(decoded) || argument.text() == decoded;
    case JsonKind::boolean: return argument.raw() == decoded;
    case JsonKind::number: {
      if (argument.raw() == decoded) return true;
      const Result<Slice> number = check_json(decoded);
      if (!number || !number->is(JsonKind::number)) return false;
      const auto a = number->integer(), b = argument.integer();
      return a && b ? *a == *b : number->real() && argument.real() && *number->real() == *argument.real();
    }
    case JsonKind::absent:
    case JsonKind::null:
    case JsonKind::array:
    case JsonKind::object: return false;
  }
  return false;
}

bool is_http_token(std::string_view text) {
  constexpr std::string_view allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace tideline::mcp
