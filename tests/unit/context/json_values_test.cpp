#include "context/json_values.hpp"

#include <gtest/gtest.h>

#include "context/limits.hpp"

namespace tideline::context {
namespace {

std::string merged(const char* target, const char* patch) { return merge_patch(*compact(target), *compact(patch)); }

TEST(ContextJson, white_space_outside_texts_is_left_out_and_numbers_keep_their_digits) {
  EXPECT_EQ(*compact(" { \"a b\" :\t[ 1.50 ,\n\" x \\\" y \" ] } \r\n"), R"({"a b":[1.50," x \" y "]})");
  EXPECT_EQ(*compact("12345678901234567890"), "12345678901234567890");
  EXPECT_EQ(*compact("\"a\\\\\" "), "\"a\\\\\"");
  EXPECT_EQ(*compact("null"), "null");
}

TEST(ContextJson, what_is_not_one_json_value_is_refused) {
  for (const char* text : {"", " ", "{", "1 2", "{\"a\":1,\"a\":2}", "01", "'x'", "\"\xff\"", "nul", "{\"a\":1,}", "\"\\ud800\""}) {
    const auto value = compact(text);
    EXPECT_FALSE(value) << text;
    if (!value) {
      EXPECT_EQ(value.error().code, ErrorCode::invalid) << text;
    }
  }
}

TEST(ContextJson, a_value_has_at_most_64_kib_without_white_space_and_32_levels) {
  const std::string most = "\"" + std::string(limits::value_bytes - 2, 'x') + "\"";
  EXPECT_TRUE(compact("   " + most + "   "));
  const auto more = compact("\"" + std::string(limits::value_bytes - 1, 'x') + "\"");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::limit);
  EXPECT_TRUE(compact(std::string(32, '[') + std::string(32, ']')));
  EXPECT_FALSE(compact(std::string(33, '[') + std::string(33, ']')));
}

TEST(ContextJson, merge_patch_does_what_rfc_7396_appendix_a_shows) {
  static constexpr const char* examples[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, result] : examples) EXPECT_EQ(merged(target, patch), result) << target << " with " << patch;
}

TEST(ContextJson, merge_patch_does_what_rfc_7396_section_3_shows) {
  EXPECT_EQ(merged(R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"})",
                   R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]})"),
            R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})");
}

TEST(ContextJson, members_are_the_same_whatever_their_escapes) {
  EXPECT_EQ(merged(R"({"caf\u00e9":1})", "{\"caf\u00e9\":null}"), "{}");
  EXPECT_EQ(merged(R"({"a\/b":1})", R"({"a/b":2})"), R"({"a\/b":2})");
}

TEST(ContextJson, a_patch_of_thousands_of_members_takes_no_quadratic_time) {
  std::string target = "{", patch = "{";
  for (int i = 0; i < 5000; ++i) {
    target += (i == 0 ? "\"a" : ",\"a") + std::to_string(i) + "\":1";
    patch += (i == 0 ? "\"a" : ",\"a") + std::to_string(4999 - i) + (i % 2 == 0 ? "\":null" : "\":2");
  }
  const std::string result = merge_patch(target + "}", patch + "}");
  EXPECT_EQ(members_of(result).size(), 2500u);
}

TEST(ContextJson, values_are_equal_by_what_they_mean) {
  EXPECT_TRUE(are_equal(R"({"a":1,"b":[true,null]})", R"({"b":[true,null],"a":1.0})"));
  EXPECT_TRUE(are_equal("1e2", "100"));
  EXPECT_TRUE(are_equal("\"\\u0041\"", "\"A\""));
  EXPECT_FALSE(are_equal("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(are_equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(are_equal("[1]", "[1,1]"));
  EXPECT_FALSE(are_equal("\"1\"", "1"));
  EXPECT_FALSE(are_equal("null", "false"));
  EXPECT_FALSE(are_equal("{}", "[]"));
  EXPECT_FALSE(are_equal(R"({"a":1})", R"({"a":1,"b":1})"));
  EXPECT_FALSE(are_equal("1e400", "0.0")) << "beyond a double";
  EXPECT_FALSE(are_equal("1e400", "1e500"));
}

TEST(ContextJson, members_and_elements_come_in_order_and_of_nothing_else) {
  const auto members = members_of(R"({"b":[1],"a":{}})");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].name, "b");
  EXPECT_EQ(members[1].value, "{}");
  EXPECT_EQ(elements_of("[1,[2,3],\"x\"]").size(), 3u);
  EXPECT_TRUE(members_of("[1]").empty());
  EXPECT_TRUE(members_of("{}").empty());
  EXPECT_TRUE(elements_of("{\"a\":1}").empty());
  EXPECT_TRUE(elements_of("[]").empty());
  EXPECT_EQ(member_of(R"({"a":1,"b":2})", "b"), "2");
  EXPECT_EQ(member_of(R"({"a":1})", "b"), "");
}

}  // namespace
}  // namespace tideline::context
