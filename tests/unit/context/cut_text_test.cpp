#include "context/cut_text.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace tideline::context {
namespace {

TEST(ContextCutText, characters_are_kept_whole) {
  const std::string text = "a\u00e4\u20ac\U0001F600z";  // 1, 2, 3, 4 and 1 bytes
  const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (size_t most = 0; most < std::size(ends); ++most) EXPECT_EQ(cut_text(text, most), text.substr(0, ends[most])) << most;
}

TEST(ContextCutText, whatever_comes_in_is_utf8_when_it_goes_out) {
  for (const char* text : {"\xff", "a\x80\x80", "\xe2\x82", "\xc3", "ok\xed\xa0\x80"}) EXPECT_TRUE(is_utf8(cut_text(text, 128))) << text;
  EXPECT_EQ(cut_text("ops\xff", 128), "ops?");
}

}  // namespace
}  // namespace tideline::context
