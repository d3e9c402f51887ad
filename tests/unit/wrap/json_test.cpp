#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "wrap/json/document.hpp"
#include "wrap/json/scan.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::json {
namespace {

std::string problem_of(std::string_view text, size_t depth = limits::json_depth) {
  const auto document = Document::parse(text, depth);
  return document ? "" : document.error().context;
}

TEST(JsonDocument, getters_give_what_was_written) {
  const auto document = Document::parse(R"( {"name":"a\u00e9\ud83d\ude00","n":42,"x":-1.5e2,"on":true,"none":null,"list":[1,[2]]} )");
  ASSERT_TRUE(document);
  const Value root = document->root();
  EXPECT_EQ(*root["name"].text(), "a\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(*root["n"].integer(), 42);
  EXPECT_EQ(*root["x"].number(), -150);
  EXPECT_TRUE(*root["on"].boolean());
  EXPECT_EQ(root["none"].type(), Value::Type::null);
  EXPECT_EQ(root["list"].size(), 2u);
  EXPECT_EQ(*root["list"].first().next().first().integer(), 2);
  EXPECT_EQ(root.first().name(), "name");
}

TEST(JsonDocument, what_cjson_lets_pass_is_refused) {
  for (const char* text : {"{\"a\":1} trailing", "01", "\xef\xbb\xbf{}", "\"a\\u0000b\"", "{\"a\":1,\"a\":2}", "{\"x\":{\"a\":1,\"\\u0061\":2}}", "\"\xff\xfe\"",
                           "[1,]", "{\"a\":1,}", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\x01\"", "nul", "", " ", "-", "1.", ".5", "1e", "+1",
                           "NaN", "'a'", "{a:1}", "[1 2]", "\"\\x\"", "\"open", "[", "{\"a\"}"}) {
    EXPECT_NE(problem_of(text), "") << text;
  }
  EXPECT_NE(problem_of(std::string_view("{}\0", 3)), "");
}

TEST(JsonDocument, depth_ends_at_the_bound) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(problem_of(nested(limits::json_depth)), "");
  EXPECT_EQ(problem_of(nested(limits::json_depth + 1)), "nested too deeply");
  EXPECT_EQ(problem_of("[[]]", 1), "nested too deeply");
  EXPECT_NE(problem_of(std::string(1'000'000, '[')), "");
}

TEST(JsonDocument, an_integer_that_a_double_may_have_changed_is_refused) {
  EXPECT_EQ(*Document::parse("9007199254740991")->root().integer(), 9007199254740991);
  EXPECT_EQ(*Document::parse("-9007199254740991")->root().integer(), -9007199254740991);
  for (const char* text : {"9007199254740992", "9007199254740993", "-9007199254740992", "1e400", "1795220321549123456"}) {
    EXPECT_EQ(Document::parse(text)->root().integer().error().code, ErrorCode::limit) << text;
  }
  EXPECT_EQ(Document::parse("1.5")->root().integer().error().code, ErrorCode::invalid);
  EXPECT_EQ(Document::parse("1e400")->root().number().error().code, ErrorCode::limit);
}

TEST(JsonDocument, look_up_minds_case_and_absence) {
  const auto document = Document::parse(R"({"Name":1})");
  EXPECT_FALSE(document->root()["name"].is_present());
  EXPECT_EQ(document->root()["name"]["deeper"].text().error().code, ErrorCode::not_found);
  EXPECT_EQ(document->root()["Name"].text().error().code, ErrorCode::invalid);
  EXPECT_EQ(document->root()["Name"].boolean().error().code, ErrorCode::invalid);
}

TEST(JsonScanner, raw_strings_compare_by_meaning) {
  EXPECT_TRUE(raw_equals("s\\u0065ries", "series"));
  EXPECT_TRUE(raw_equals("series", "series"));
  EXPECT_FALSE(raw_equals("Series", "series"));
  std::string text;
  append_unescaped(R"(a\"\\\/\b\f\n\r\t\u20ac)", text);
  EXPECT_EQ(text, "a\"\\/\b\f\n\r\t\xe2\x82\xac");
}

TEST(JsonWriter, puts_commas_and_escapes_where_they_belong) {
  std::string out;
  Writer w(out);
  w.begin_object().key("a\"").integer(INT64_MIN).key("b").begin_array().unsigned_integer(UINT64_MAX).text("x\n\x01\\").null().boolean(false);
  w.begin_object().end_object().begin_array().end_array().raw("{\"r\":1}").end_array().key("c").number(0.1).end_object();
  EXPECT_EQ(out,
            R"({"a\"":-9223372036854775808,"b":[18446744073709551615,"x\n\u0001\\",null,false,{},[],{"r":1}],"c":0.1})");
  EXPECT_EQ(problem_of(out), "");
}

TEST(JsonWriter, doubles_read_back_to_the_same_bits) {
  for (const double value : {0.1, -0.0, 1e308, 5e-324, 1.0 / 3, 123456789.125, 1e21}) {
    std::string out;
    Writer(out).number(value);
    EXPECT_EQ(std::signbit(*Document::parse(out)->root().number()), std::signbit(value));
    EXPECT_EQ(*Document::parse(out)->root().number(), value) << out;
  }
}

TEST(JsonWriter, what_json_has_not_becomes_null_or_the_replacement_character) {
  std::string out;
  Writer(out).begin_array().number(NAN).number(INFINITY).text("a\xff\xc3\xa9\xc3").end_array();
  EXPECT_EQ(out, "[null,null,\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\"]");
}

}  // namespace
}  // namespace tideline::json
