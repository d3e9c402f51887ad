#include "base/json_text.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/text.hpp"

namespace tideline {
namespace {

constexpr uint64_t ones = 0x0101010101010101;
constexpr uint64_t highs = 0x8080808080808080;

/// Sets the high bit of each zero byte, perhaps also of a one above it: the lowest bit is exact.
constexpr uint64_t zero_bytes(uint64_t word) { return (word - ones) & ~word & highs; }

/// The high bit of each of eight bytes that is no plain string byte. The lowest bit found is exact, as a borrow only leaves a byte that is a
/// hit itself; the target is little-endian.
uint64_t special_bytes(uint64_t word) {
  const uint64_t below_space = (word - ones * 0x20) & ~word & highs;
  return (word & highs) | below_space | zero_bytes(word ^ (ones * '"')) | zero_bytes(word ^ (ones * '\\'));
}

uint64_t load(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// One to seven bytes as a word, filled up with plain ones. Loads overlap: what two of them see is the same byte at the same place.
uint64_t load_few(const char* at, size_t count) {
  uint64_t word = 0;
  if (count >= 4) {
    uint32_t low;
    uint32_t high;
    std::memcpy(&low, at, sizeof low);
    std::memcpy(&high, at + count - 4, sizeof high);
    word = low | static_cast<uint64_t>(high) << 8 * (count - 4);
  } else {
    const auto byte = [at](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(at[i])) << 8 * i; };
    word = byte(0) | byte(count / 2) | byte(count - 1);
  }
  return word | (ones * 'a') << 8 * count;
}

void append_escape(unsigned char c, std::string& out) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out.push_back(digits[c >> 4]);
      out.push_back(digits[c & 15]);
  }
}

/// Length of the well-formed sequence of two to four bytes at `at`, 0 when there is none.
size_t sequence_length(std::string_view text, size_t at) {
  for (size_t length = 2; length <= 4 && at + length <= text.size(); ++length) {
    if (is_utf8(text.substr(at, length))) return length;
  }
  return 0;
}

}  // namespace

size_t skip_plain_json(std::string_view text, size_t at) {
  for (; at + 8 <= text.size(); at += 8) {
    if (const uint64_t hits = special_bytes(load(text.data() + at)); hits != 0) return at + static_cast<size_t>(std::countr_zero(hits)) / 8;
  }
  if (at >= text.size()) return at;
  const uint64_t hits = special_bytes(load_few(text.data() + at, text.size() - at));
  return hits != 0 ? at + static_cast<size_t>(std::countr_zero(hits)) / 8 : text.size();
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  for (size_t at = 0; at < text.size();) {
    const size_t plain = skip_plain_json(text, at);
    out.append(text, at, plain - at);
    at = plain;
    if (at >= text.size()) break;
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      append_escape(c, out);
      ++at;
    } else if (const size_t length = sequence_length(text, at); length > 0) {
      out.append(text, at, length);
      at += length;
    } else {
      out += "\xef\xbf\xbd";
      ++at;
    }
  }
  out.push_back('"');
}

}  // namespace tideline
