#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tideline {
namespace {

TEST(Text, utf8_takes_only_the_shortest_forms) {
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8a"));
  for (const char* bad : {"\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80", "a\x80"}) EXPECT_FALSE(is_utf8(bad));
}

TEST(Text, glob_matches_the_whole_text) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("cpu*", "cpu.load"));
  EXPECT_TRUE(matches_glob("*.load", "cpu.load"));
  EXPECT_TRUE(matches_glob("c?u*d", "cpu.load"));
  EXPECT_FALSE(matches_glob("cpu", "cpu.load"));
  EXPECT_FALSE(matches_glob("?", ""));
}

TEST(Text, glob_with_many_stars_ends) {
  EXPECT_FALSE(matches_glob("*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(Text, numbers_read_back_exactly) {
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(-0.0), "-0");
  EXPECT_EQ(format_number(std::nan("")), "NaN");
  EXPECT_EQ(format_number(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(123), "123");
}

TEST(Text, sizes_need_a_unit) {
  uint64_t size = 0;
  EXPECT_TRUE(parse_size("64 MiB", size));
  EXPECT_EQ(size, 64u * 1024 * 1024);
  EXPECT_TRUE(parse_size("1.5KB", size));
  EXPECT_EQ(size, 1500u);
  for (const char* text : {"", "64", "MiB", "64  MiB", "-1B", "10000000000GiB"}) EXPECT_FALSE(parse_size(text, size)) << text;
  EXPECT_EQ(format_size(812), "812 B");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
}

TEST(Text, hex_reads_back) {
  const uint8_t bytes[] = {0x00, 0xff, 0x1a};
  uint8_t back[3] = {};
  EXPECT_EQ(to_hex(bytes, 3), "00ff1a");
  EXPECT_TRUE(from_hex("00ff1a", back, 3));
  EXPECT_EQ(back[1], 0xff);
  EXPECT_FALSE(from_hex("00ff1", back, 3));
  EXPECT_FALSE(from_hex("00fg1a", back, 3));
}

TEST(Text, base64url_reads_back_and_has_one_spelling) {
  const std::pair<std::string_view, std::string_view> known[] = {  // RFC 4648 section 10
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
  ByteBuffer bytes;
  for (const auto& [plain, text] : known) {
    EXPECT_EQ(to_base64url(as_bytes(plain)), text);
    EXPECT_TRUE(from_base64url(text, bytes)) << text;
    EXPECT_EQ(as_text(bytes), plain);
  }
  for (const char* text : {"Z", "Zg==", "Zh", "Zm9", "+/8", "Zm 9v"}) EXPECT_FALSE(from_base64url(text, bytes)) << text;
}

}  // namespace
}  // namespace tideline
