#include "base/json_text.hpp"

#include <gtest/gtest.h>

namespace tideline {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

TEST(JsonText, finds_each_special_byte_at_each_place) {
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t place = 0; place < size; ++place) {
      for (const char c : {'"', '\\', '\n', '\x1f', '\x80', '\xff', '\0'}) {
        std::string text(size, 'a');
        text[place] = c;
        EXPECT_EQ(skip_plain_json(text, 0), place);
        EXPECT_EQ(skip_plain_json(text, place), place);
      }
      EXPECT_EQ(skip_plain_json(std::string(size, '\x7f'), place), size);
      EXPECT_EQ(skip_plain_json(std::string(size, ' '), place), size);
    }
  }
}

TEST(JsonText, escapes_what_must_be_and_nothing_else) {
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("a/b \x7f"), "\"a/b \x7f\"");
  EXPECT_EQ(quoted("\"\\\n\r\t\x01"), R"("\"\\\n\r\t\u0001")");
  EXPECT_EQ(quoted("gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8a"), "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8a\"");
}

TEST(JsonText, bytes_that_are_not_utf8_become_the_replacement_character) {
  EXPECT_EQ(quoted("\xff" "a\xe2\x82"), "\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(quoted("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace tideline
