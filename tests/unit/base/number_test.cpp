#include "base/number.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "base/random.hpp"

namespace tideline {
namespace {

std::string printed(double value) {
  char text[number_text_bytes];
  return {text, print_number(value, text)};
}

TEST(Number, decimals_are_written_as_people_write_them) {
  EXPECT_EQ(printed(21.5), "21.5");
  EXPECT_EQ(printed(-0.05), "-0.05");
  EXPECT_EQ(printed(100000), "100000");
  EXPECT_EQ(printed(0), "0");
  EXPECT_EQ(printed(-0.0), "-0");
  EXPECT_EQ(printed(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(printed(999999999999999), "999999999999999");
  EXPECT_EQ(printed(1e22), "1e+22");
  EXPECT_EQ(printed(0.00001), "0.00001");
  EXPECT_EQ(printed(0.000001), "1e-06");
}

TEST(Number, the_ends_of_the_range_come_back) {
  using Limits = std::numeric_limits<double>;
  for (const double value : {Limits::max(), -Limits::max(), Limits::min(), Limits::denorm_min(), Limits::epsilon(), 9007199254740993.0, 1e15, 1e15 - 1}) {
    EXPECT_EQ(std::strtod(printed(value).c_str(), nullptr), value);
  }
}

/// Digits without sign, point, exponent and the zeros at both ends.
size_t significant(const std::string& text) {
  std::string digits;
  for (const char c : text.substr(0, text.find('e'))) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const size_t first = digits.find_first_not_of('0');
  if (first == digits.npos) return 0;
  return digits.find_last_not_of('0') - first + 1;
}

TEST(Number, any_double_comes_back_and_no_text_has_more_digits_than_needed) {
  Random random(20261121);
  for (int i = 0; i < 200'000; ++i) {
    double value = std::bit_cast<double>(random.next());
    if (i % 2 == 0) value = static_cast<double>(static_cast<int64_t>(random.next() >> random.below(60))) / std::pow(10, static_cast<double>(random.below(14)));
    if (!std::isfinite(value)) continue;
    const std::string text = printed(value);
    ASSERT_LT(text.size(), number_text_bytes);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    char shortest[64];
    const auto end = std::to_chars(shortest, shortest + sizeof shortest, value, std::chars_format::scientific).ptr;
    ASSERT_EQ(significant(text), significant(std::string(shortest, end))) << text << " seed 20261121, " << i;
  }
}

}  // namespace
}  // namespace tideline
