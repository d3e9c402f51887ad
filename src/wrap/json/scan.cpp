#include "wrap/json/scan.hpp"

namespace tideline::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(unsigned code, std::string& out) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

/// Four hexadecimal digits that were checked before.
unsigned checked_hex(std::string_view raw, size_t at) {
  unsigned code = 0;
  for (size_t i = at; i < at + 4; ++i) code = code << 4 | static_cast<unsigned>(hex_digit(raw[i]));
  return code;
}

char simple_escape(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;  // quotation mark, solidus, reverse solidus
  }
}

}  // namespace

bool Scanner::fail(const char* why) {
  problem_ = why;
  return false;
}

void Scanner::skip_space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
}

char Scanner::peek() {
  skip_space();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Scanner::take(char c) {
  if (peek() != c || at_ >= text_.size()) return false;
  ++at_;
  return true;
}

bool Scanner::is_at_end() {
  skip_space();
  return at_ == text_.size();
}

bool Scanner::take_hex(unsigned& code) {
  code = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < text_.size() ? hex_digit(text_[at_]) : -1;
    if (digit < 0) return fail("wrong \\u escape");
    code = code << 4 | static_cast<unsigned>(digit);
  }
  return true;
}

/// After the reverse solidus.
bool Scanner::check_escape() {
  if (at_ >= text_.size()) return fail("text does not end");
  const char c = text_[at_++];
  if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos || fail("wrong escape");
  unsigned code = 0;
  if (!take_hex(code)) return false;
  if (code == 0) return fail("text holds a NUL");
  if (code >= 0xdc00 && code <= 0xdfff) return fail("lone surrogate");
  if (code < 0xd800 || code > 0xdbff) return true;
  if (text_.substr(at_, 2) != "\\u") return fail("lone surrogate");
  at_ += 2;
  if (!take_hex(code)) return false;
  return (code >= 0xdc00 && code <= 0xdfff) || fail("lone surrogate");
}

bool Scanner::take_string(std::string_view& raw) {
  if (!take('"')) return fail("a text in quotes is expected");
  const size_t start = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') {
      raw = text_.substr(start, at_ - 1 - start);
      return true;
    }
    if (c == '\\' && !check_escape()) return false;
    if (static_cast<unsigned char>(c) < 0x20) return fail("text holds a control character");
  }
  return fail("text does not end");
}

bool Scanner::skip_digits() {
  const size_t start = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return at_ > start;
}

bool Scanner::take_number(std::string_view& raw) {
  skip_space();
  const size_t start = at_;
  if (at_ < text_.size() && text_[at_] == '-') ++at_;
  const size_t digits = at_;
  if (!skip_digits()) return fail("a value is expected");
  if (text_[digits] == '0' && at_ > digits + 1) return fail("number begins with 0");
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (!skip_digits()) return fail("number ends with its point");
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!skip_digits()) return fail("number has no exponent");
  }
  raw = text_.substr(start, at_ - start);
  return true;
}

bool Scanner::take_word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return fail("a value is expected");
  at_ += word.size();
  return true;
}

bool Scanner::check_container(char close) {
  ++at_;
  if (depth_ == 0) return fail("nested too deeply");
  --depth_;
  std::string_view key;
  for (bool is_first = true; !take(close); is_first = false) {
    if (!is_first && !take(',')) return fail("a comma or closing bracket is expected");
    if (close == '}') {
      if (!take_string(key)) return false;
      if (!take(':')) return fail("a colon is expected");
    }
    if (!check_value()) return false;
  }
  ++depth_;
  return true;
}

bool Scanner::check_value() {
  std::string_view ignored;
  switch (peek()) {
    case '"': return take_string(ignored);
    case '{': return check_container('}');
    case '[': return check_container(']');
    case 't': return take_word("true");
    case 'f': return take_word("false");
    case 'n': return take_word("null");
    default: return take_number(ignored);
  }
}

bool Scanner::take_value(std::string_view& raw) {
  skip_space();
  const size_t start = at_;
  if (!check_value()) return false;
  raw = text_.substr(start, at_ - start);
  return true;
}

void append_unescaped(std::string_view raw, std::string& out) {
  for (size_t at = 0; at < raw.size();) {
    const size_t slash = raw.find('\\', at);
    out.append(raw.substr(at, slash - at));
    if (slash == std::string_view::npos) return;
    at = slash + 2;
    if (raw[slash + 1] != 'u') {
      out.push_back(simple_escape(raw[slash + 1]));
      continue;
    }
    unsigned code = checked_hex(raw, at);
    at += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
      code = 0x10000 + ((code - 0xd800) << 10) + (checked_hex(raw, at + 2) - 0xdc00);
      at += 6;
    }
    append_utf8(code, out);
  }
}

bool raw_equals(std::string_view raw, std::string_view plain) {
  if (raw.find('\\') == std::string_view::npos) return raw == plain;
  std::string text;
  append_unescaped(raw, text);
  return text == plain;
}

}  // namespace tideline::json
