#include "base/number.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tideline {
namespace {

/// The powers of ten that a double holds exactly.
constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int decimals_most = 12;
/// Decimals of 15 digits are told apart by doubles, so the one with the fewest digits is the only one of its length.
constexpr double digits_end = 1e15;
constexpr double fixed_least = 1e-5;

/// `digits` / 10^decimals.
size_t print_decimal(uint64_t digits, int decimals, char* out) {
  char text[24];
  const size_t size = static_cast<size_t>(std::to_chars(text, text + sizeof text, digits).ptr - text);
  const size_t places = static_cast<size_t>(decimals);
  char* at = out;
  if (size <= places) {
    *at++ = '0';
  } else {
    std::memcpy(at, text, size - places);
    at += size - places;
  }
  if (places == 0) return static_cast<size_t>(at - out);
  *at++ = '.';
  for (size_t i = size; i < places; ++i) *at++ = '0';
  const size_t rest = std::min(size, places);
  std::memcpy(at, text + size - rest, rest);
  return static_cast<size_t>(at + rest - out);
}

constexpr int digits_most = 19;  // any so many fit into 64 bits

/// Eight bytes of text, the first one lowest.
uint64_t word_at(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}
bool is_digits(uint64_t word) { return (word & (word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) == 0x3030303030303030; }

/// Neighbours are joined in the word itself: digits to pairs, to fours, to eight.
uint64_t value_of_digits(uint64_t word) {
  word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

struct Digits {
  const char* end;
  uint64_t value;  ///< without sense beyond digits_most digits
};

/// The digits at the front of [at, last), behind those of `value`.
inline Digits take_digits(const char* at, const char* last, uint64_t value) {
  for (uint64_t word; last - at >= 8 && is_digits(word = word_at(at)); at += 8) value = value * 100'000'000 + value_of_digits(word);
  for (; at != last; ++at) {
    const unsigned digit = static_cast<unsigned>(*at) - '0';
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  return {at, value};
}

}  // namespace

std::from_chars_result read_number(const char* first, const char* last, double& out) {
  const bool is_negative = first != last && *first == '-';
  const char* begin = first + is_negative;
  Digits digits = take_digits(begin, last, 0);
  std::ptrdiff_t count = digits.end - begin;
  std::ptrdiff_t decimals = 0;
  if (count > 0 && digits.end != last && *digits.end == '.') {
    begin = digits.end + 1;
    digits = take_digits(begin, last, digits.value);
    decimals = digits.end - begin;
    count += decimals;
  }
  const bool has_exponent = digits.end != last && (*digits.end | 0x20) == 'e';
  // A quotient of two exact numbers is the double nearest to the decimal (Clinger 1990).
  constexpr uint64_t exact_end = uint64_t{1} << 53;
  if (count == 0 || count > digits_most || digits.value > exact_end || has_exponent) return std::from_chars(first, last, out);
  const double size = static_cast<double>(digits.value) / powers[decimals];
  out = is_negative ? -size : size;
  return {digits.end, std::errc{}};
}

std::from_chars_result read_number(const char* first, const char* last, int64_t& out) {
  const bool is_negative = first != last && *first == '-';
  const char* begin = first + is_negative;
  const auto [end, value] = take_digits(begin, last, 0);
  if (end == begin || end - begin > digits_most || value > uint64_t{INT64_MAX}) return std::from_chars(first, last, out);
  out = is_negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
  return {end, std::errc{}};
}

size_t print_number(double value, char* out) {
  size_t sign = 0;
  if (std::signbit(value)) {
    out[sign++] = '-';
    value = -value;
  }
  if (value == 0 || value >= fixed_least) {
    for (int decimals = 0; decimals <= decimals_most; ++decimals) {
      const double scaled = std::nearbyint(value * powers[decimals]);
      if (!(scaled < digits_end)) break;
      // Both are exact, so the quotient is the double that the decimal means (Clinger 1990).
      if (scaled / powers[decimals] == value) return sign + print_decimal(static_cast<uint64_t>(scaled), decimals, out + sign);
    }
  }
  for (int digits = 15; digits <= 17; ++digits) {
    const int size = std::snprintf(out + sign, number_text_bytes - sign, "%.*g", digits, value);
    if (digits == 17 || std::strtod(out + sign, nullptr) == value) return sign + static_cast<size_t>(size);
  }
  return 0;
}

}  // namespace tideline
