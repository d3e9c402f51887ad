#include "agent/inputs/line_pattern.hpp"

#include <gtest/gtest.h>

namespace tideline::agent {
namespace {

using Values = std::vector<std::string>;

/// "none" when the line does not fit.
Values match(const char* pattern, const char* line) {
  EXPECT_EQ(LinePattern::problem(pattern), nullptr) << pattern;
  std::vector<std::string_view> values;
  if (!LinePattern(pattern).match(line, values)) return {"none"};
  return {values.begin(), values.end()};
}

TEST(LinePattern, fields_stand_between_what_stands_for_itself) {
  EXPECT_EQ(match("T={temperature}C H={humidity}%", "T=21.5C H=40%"), (Values{"21.5", "40"}));
  EXPECT_EQ(match("$WIMWV,{angle},R,{speed},N,{}", "$WIMWV,084.0,R,10.4,N,A*04"), (Values{"084.0", "10.4", "A*04"}));
  EXPECT_EQ(match("{value}", "12"), (Values{"12"}));
  EXPECT_EQ(match("state {state:text}", "state door open"), (Values{"door open"}));
  EXPECT_EQ(match("boot", "boot"), (Values{}));
  EXPECT_EQ(match("{{{x}}", "{5}"), (Values{"5"}));
}

TEST(LinePattern, a_space_is_any_number_of_spaces_and_tabs) {
  EXPECT_EQ(match("w {weight} kg", "w   \t 12.5\tkg"), (Values{"12.5"}));
  EXPECT_EQ(match("  w  {weight} ", "w 3"), (Values{"3"}));
  EXPECT_EQ(match("w {weight}", "w3"), (Values{"none"}));
}

TEST(LinePattern, the_whole_line_must_fit) {
  EXPECT_EQ(match("T={t}C", "T=21.5"), (Values{"none"}));
  EXPECT_EQ(match("T={t}C", "T=21.5C extra"), (Values{"none"}));
  EXPECT_EQ(match("T={t}C", "x T=21.5C"), (Values{"none"}));
  EXPECT_EQ(match("T={t}C", ""), (Values{"none"}));
  EXPECT_EQ(match("boot", "reboot"), (Values{"none"}));
}

TEST(LinePattern, a_wrong_pattern_says_what_is_wrong) {
  EXPECT_STREQ(LinePattern::problem(""), "must have 1 to 256 bytes");
  EXPECT_STREQ(LinePattern::problem(std::string(257, 'x')), "must have 1 to 256 bytes");
  EXPECT_EQ(LinePattern::problem(std::string(256, 'x')), nullptr);
  EXPECT_STREQ(LinePattern::problem("T={t"), "a { has no }; write {{ for a brace");
  EXPECT_STREQ(LinePattern::problem("{a}{b}"), "two fields with nothing between them");
  EXPECT_STREQ(LinePattern::problem("{a b\n}"), "a field's name is no name of a series");
  EXPECT_STREQ(LinePattern::problem("{:text}"), "a text needs a name: {name:text}");
  std::string many;
  for (int i = 0; i < 32; ++i) many += "{},";
  EXPECT_EQ(LinePattern::problem(many), nullptr);
  EXPECT_STREQ(LinePattern::problem(many + "{}"), "more than 32 fields");
}

}  // namespace
}  // namespace tideline::agent
