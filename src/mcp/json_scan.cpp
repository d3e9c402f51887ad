#include "mcp/json_scan.hpp"

#include <bit>
#include <cstring>

#include "base/json_text.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace tideline::mcp {
namespace {

/// Offset of the first quotation mark at or after `at`. Most strings are short: two steps of eight bytes, then as memchr does it.
size_t find_quote(std::string_view text, size_t at) {
  constexpr uint64_t ones = 0x0101010101010101;
  for (int step = 0; step < 2 && at + 8 <= text.size(); ++step, at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    word ^= ones * '"';
    const uint64_t hits = (word - ones) & ~word & (ones << 7);  // the lowest is exact; the target is little-endian
    if (hits != 0) return at + static_cast<size_t>(std::countr_zero(hits)) / 8;
  }
  return text.find('"', at);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

size_t skip_checked_string(std::string_view text, size_t at) {
  // The text was checked, so the string ends at the first quotation mark after an even number of backslashes.
  for (size_t end = find_quote(text, at + 1); end != std::string_view::npos; end = find_quote(text, end + 1)) {
    size_t slashes = 0;
    while (text[end - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return end + 1;
  }
  return text.size();
}

size_t skip_checked_value(std::string_view text, size_t at) {
  if (at >= text.size()) return at;
  if (text[at] == '"') return skip_checked_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' && !is_json_space(text[at])) ++at;
    return at;
  }
  for (size_t depth = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = skip_checked_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

bool JsonScanner::fail(const char* why) {
  problem_ = why;
  return false;
}

bool JsonScanner::check_word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return fail("unknown word");
  at_ += word.size();
  return true;
}

bool JsonScanner::check_number() {
  const auto digits = [this] {
    const size_t start = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > start;
  };
  if (text_[at_] == '-') ++at_;
  if (at_ < text_.size() && text_[at_] == '0') {
    ++at_;
  } else if (!digits()) {
    return fail("wrong number");
  }
  if (at_ < text_.size() && is_digit(text_[at_])) return fail("number with a leading zero");
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (!digits()) return fail("wrong number");
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!digits()) return fail("wrong number");
  }
  return true;
}

bool JsonScanner::check_escape() {
  if (at_ + 1 >= text_.size()) return fail("unfinished string");
  if (text_[at_ + 1] != 'u') {
    if (std::memchr("\"\\/bfnrt", text_[at_ + 1], 8) == nullptr) return fail("unknown escape");
    at_ += 2;
    return true;
  }
  uint8_t bytes[2];
  // A lone surrogate passes: servers that cut text in the middle of a pair send them, and what is relayed is not touched.
  if (at_ + 6 > text_.size() || !from_hex(text_.substr(at_ + 2, 4), bytes, 2)) return fail("wrong \\u escape");
  at_ += 6;
  return true;
}

bool JsonScanner::check_string() {
  const size_t start = ++at_;
  bool is_ascii = true;
  while (true) {
    at_ = skip_plain_json(text_, at_);
    if (at_ >= text_.size()) return fail("unfinished string");
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') break;
    if (c < 0x20) return fail("control character in a string");
    if (c == '\\') {
      if (!check_escape()) return false;
    } else {
      is_ascii = false;
      ++at_;
    }
  }
  if (!is_ascii && !is_utf8(text_.substr(start, at_ - start))) return fail("invalid UTF-8");
  ++at_;
  return true;
}

bool JsonScanner::check_scalar() {
  const char c = text_[at_];
  if (c == '"') return check_string();
  if (c == '-' || is_digit(c)) return check_number();
  if (c == 't') return check_word("true");
  if (c == 'f') return check_word("false");
  if (c == 'n') return check_word("null");
  return fail(c == '\xef' ? "byte order mark" : "unexpected character");
}

bool JsonScanner::check_key() {
  skip_space();
  if (at_ >= text_.size() || text_[at_] != '"') return fail("expected a key");
  if (!check_string()) return false;
  skip_space();
  if (at_ >= text_.size() || text_[at_] != ':') return fail("expected a colon");
  ++at_;
  return true;
}

bool JsonScanner::check_value() {
  static_assert(limits::mcp_json_depth <= 64, "one bit per level");
  uint64_t objects = 0;  // bit n: level n is an object
  size_t depth = 0;
  while (true) {
    skip_space();
    if (at_ >= text_.size()) return fail("unexpected end");
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      if (depth == limits::mcp_json_depth) {
        hit_limit_ = true;
        return fail("nested too deep");
      }
      objects = c == '{' ? objects | uint64_t{1} << depth : objects & ~(uint64_t{1} << depth);
      ++depth;
      ++at_;
      skip_space();
      const bool is_empty = at_ < text_.size() && text_[at_] == (c == '{' ? '}' : ']');
      if (!is_empty) {
        if (c == '{' && !check_key()) return false;
        continue;
      }
    } else if (!check_scalar()) {
      return false;
    }
    // After a value, or at the end of an empty container: a comma goes on, brackets close.
    for (;; ++at_) {
      if (depth == 0) return true;
      skip_space();
      if (at_ >= text_.size()) return fail("unexpected end");
      const bool in_object = (objects >> (depth - 1) & 1) != 0;
      if (text_[at_] == ',') {
        ++at_;
        if (in_object && !check_key()) return false;
        break;
      }
      if (text_[at_] != (in_object ? '}' : ']')) return fail("expected a comma or the end");
      --depth;
    }
  }
}

}  // namespace tideline::mcp
