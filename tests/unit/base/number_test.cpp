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

template <class T>
void expect_as_the_library(const std::string& text) {
  T ours = 7;
  T library = 7;
  const auto got = read_number(text.data(), text.data() + text.size(), ours);
  const auto wanted = std::from_chars(text.data(), text.data() + text.size(), library);
  EXPECT_EQ(got.ec, wanted.ec) << text;
  EXPECT_EQ(got.ptr - text.data(), wanted.ptr - text.data()) << text;
  EXPECT_EQ(std::bit_cast<uint64_t>(ours), std::bit_cast<uint64_t>(library)) << text;
}

TEST(Number, is_read_as_the_library_reads_it_wherever_it_ends) {
  const char* const texts[] = {"",      "-",       "+1",       ".",        "-.",   ".5",   "5.",    "-5. ",  "0",     "-0",    "00012",  "1e5",  "1e",
                               "1.5E3", "1.5e+",   "12,3",     "12 3",     "1..2", "1.2.", "inf",   "-inf",  "nan",   "nanx",  "0x12",   "1_0",  "12345678",
                               "123456789012345678", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616",
                               "9007199254740992",   "9007199254740993",    "0.0000000000000000001", "0.00000000000000000001", "1234567.12345678", "1234567812345678.5",
                               "1e309", "1e-400",  "12345678i", "1234567/", "1234567:", "\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9", "1234\xfa\x35\x36\x37"};
  for (const char* text : texts) {
    expect_as_the_library<double>(text);
    expect_as_the_library<int64_t>(text);
  }
}

TEST(Number, any_number_is_read_as_the_library_reads_it) {
  Random random(11);
  char text[400];
  for (int i = 0; i < 300'000; ++i) {
    const double value = i % 2 == 0 ? std::bit_cast<double>(random.next()) : static_cast<double>(static_cast<int64_t>(random.next() >> random.below(64))) / std::pow(10, static_cast<double>(random.below(12)));
    if (!std::isfinite(value)) continue;
    const int digits = static_cast<int>(random.below(20));
    std::snprintf(text, sizeof text, i % 3 == 0 ? "%.*e" : i % 3 == 1 ? "%.*g" : "%.*f", digits, value);
    expect_as_the_library<double>(text);
    expect_as_the_library<int64_t>(text);
    expect_as_the_library<int64_t>(std::to_string(static_cast<int64_t>(random.next()) >> random.below(64)));
  }
}

}  // namespace
}  // namespace tideline
