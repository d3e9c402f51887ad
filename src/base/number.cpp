#include "base/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tideline {
namespace {

constexpr double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
constexpr int decimals_most = static_cast<int>(sizeof powers / sizeof *powers) - 1;
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

}  // namespace

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
