#include "mcp/line_buffer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tideline::mcp {
namespace {

std::vector<std::string> feed(LineBuffer& buffer, std::string_view bytes) {
  std::vector<std::string> lines;
  buffer.push(bytes);
  while (const auto line = buffer.next()) lines.push_back(line->is_too_long ? "<long>" : std::string(line->text));
  return lines;
}
using Lines = std::vector<std::string>;

TEST(LineBuffer, JoinsPiecesAndCutsAtLineEnds) {
  LineBuffer buffer;
  EXPECT_EQ(feed(buffer, "{\"a\""), Lines{});
  EXPECT_EQ(feed(buffer, ":1}\n{}\n{"), (Lines{"{\"a\":1}", "{}"}));
  EXPECT_EQ(feed(buffer, "}\n"), Lines{"{}"});
}

TEST(LineBuffer, TakesCarriageReturnsAndSkipsBlankLines) {
  LineBuffer buffer;
  EXPECT_EQ(feed(buffer, "{}\r\n\r\n\n  \t\n{\"b\":2}\r"), Lines{"{}"});
  EXPECT_EQ(feed(buffer, "\n"), Lines{"{\"b\":2}"});
}

TEST(LineBuffer, TakesALineAtTheBoundAndReportsOnePastItOnce) {
  LineBuffer buffer(8);
  EXPECT_EQ(feed(buffer, "12345678\n"), Lines{"12345678"});
  EXPECT_EQ(feed(buffer, "12345678\r\n"), Lines{"12345678"});
  EXPECT_EQ(feed(buffer, "123456789\nok\n"), (Lines{"<long>", "ok"}));
}

TEST(LineBuffer, HoldsNothingOfALineThatIsTooLong) {
  LineBuffer buffer(8);
  EXPECT_EQ(feed(buffer, "1234567890"), Lines{"<long>"});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(feed(buffer, std::string(1000, 'x')), Lines{});
  EXPECT_EQ(buffer.held(), 0u);
  EXPECT_EQ(feed(buffer, "tail\nnext\n"), Lines{"next"});
}

}  // namespace
}  // namespace tideline::mcp
