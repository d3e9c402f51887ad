#include "mcp/json_slice.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

bool accepts(std::string_view text) { return check_json(text).has_value(); }
const char* problem(std::string_view text) {
  const Result<Slice> checked = check_json(text);
  return checked ? "" : checked.error().context;
}
Slice checked(std::string_view text) {
  const Result<Slice> slice = check_json(text);
  EXPECT_TRUE(slice.has_value()) << text;
  return slice ? *slice : Slice();
}
std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonSlice, AcceptsEveryKindOfValue) {
  for (const char* text : {"{}", "[]", "0", "-0", "-1.5e+10", "1E3", "true", "false", "null", "\"\"", R"({"a":[1,{"b":null}],"c":"d"})",
                           " \t\r\n{ \"a\" : [ 1 , 2 ] } "}) {
    EXPECT_TRUE(accepts(text)) << text;
  }
}

TEST(JsonSlice, RefusesWhatIsNotExactlyOneValue) {
  for (const char* text : {"", " ", "{", "}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1 2]", "[1}", "{]",
                           "tru", "nul", "True", "\"abc", "\"a\\", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "1 2", "{} x", "[1],", "undefined", "NaN"}) {
    EXPECT_FALSE(accepts(text)) << text;
  }
}

TEST(JsonSlice, RefusesNumbersThatJsonDoesNotHave) {
  for (const char* text : {"01", "-01", "+1", ".5", "1.", "1e", "1e+", "-", "0x10", "1_000", "Infinity", "-NaN"}) EXPECT_FALSE(accepts(text)) << text;
}

TEST(JsonSlice, RefusesByteOrderMarkControlCharactersAndWrongUtf8) {
  EXPECT_STREQ(problem("\xef\xbb\xbf{}"), "byte order mark");
  EXPECT_STREQ(problem("\"a\nb\""), "control character in a string");
  EXPECT_STREQ(problem("\"\xff\xfe\""), "invalid UTF-8");
  EXPECT_STREQ(problem("\"\xed\xa0\x80\""), "invalid UTF-8");
  EXPECT_TRUE(accepts("\"\xf0\x9f\x98\x80 \xc3\xa9\""));
  EXPECT_FALSE(accepts(std::string_view("\"a\0b\"", 5)));
}

TEST(JsonSlice, BoundsTheDepth) {
  EXPECT_TRUE(accepts(nested(limits::mcp_json_depth)));
  const Result<Slice> deep = check_json(nested(limits::mcp_json_depth + 1));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code, ErrorCode::limit);
  EXPECT_FALSE(accepts(nested(1000)));
  EXPECT_FALSE(accepts(std::string(1'000'000, '[')));
}

TEST(JsonSlice, TellsKinds) {
  EXPECT_EQ(checked("{}").kind(), JsonKind::object);
  EXPECT_EQ(checked("[1]").kind(), JsonKind::array);
  EXPECT_EQ(checked("\"x\"").kind(), JsonKind::string);
  EXPECT_EQ(checked("-1").kind(), JsonKind::number);
  EXPECT_EQ(checked("false").kind(), JsonKind::boolean);
  EXPECT_EQ(checked("null").kind(), JsonKind::null);
  EXPECT_EQ(Slice().kind(), JsonKind::absent);
}

TEST(JsonSlice, KeepsDigitsThatADoubleWouldLose) {
  Slice id, serial;
  ASSERT_TRUE(read_members(checked(R"({"id":9007199254740993,"serial":1795220321549123456.0})"), {{"id", &id}, {"serial", &serial}}));
  EXPECT_EQ(id.raw(), "9007199254740993");
  EXPECT_EQ(id.integer(), 9007199254740993);
  EXPECT_EQ(serial.raw(), "1795220321549123456.0");
  EXPECT_FALSE(serial.integer().has_value());
  EXPECT_FALSE(checked("92233720368547758080").integer().has_value());
  EXPECT_TRUE(checked("92233720368547758080").is_integer());
  EXPECT_FALSE(checked("1e400").real().has_value());
}

TEST(JsonSlice, UnescapesOnDemand) {
  EXPECT_EQ(checked(R"("a\u0000b")").text(), std::string("a\0b", 3));
  EXPECT_EQ(checked(R"("\ud83d\ude00")").text(), "\xf0\x9f\x98\x80");
  EXPECT_EQ(checked(R"("\"\\\/\b\f\n\r\t")").text(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(checked(R"("\u00e9\u20ac")").text(), "\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(checked("12").text(), "");
}

TEST(JsonSlice, ReplacesALoneSurrogateOnlyWhenUnescaping) {
  const std::string_view cut = R"("\ud83dx")";
  EXPECT_EQ(checked(cut).raw(), cut);
  EXPECT_EQ(checked(cut).text(), "\xef\xbf\xbdx");
  EXPECT_EQ(checked(R"("\ude00\ud83d")").text(), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(checked(R"("\ud83d\u0041")").text(), "\xef\xbf\xbd" "A");
}

TEST(JsonSlice, ComparesStringsWhateverTheirEscapes) {
  EXPECT_TRUE(checked(R"("method")").equals("method"));
  EXPECT_TRUE(checked(R"("m\u0065thod")").equals("method"));
  EXPECT_FALSE(checked(R"("Method")").equals("method"));
  EXPECT_FALSE(checked("1").equals("1"));
  EXPECT_FALSE(Slice().equals(""));
  EXPECT_TRUE(checked("\"\"").equals(""));
}

TEST(JsonSlice, ReadsNamedMembersAndPassesOverOthers) {
  Slice method, id, missing;
  ASSERT_TRUE(read_members(checked(R"( { "x" : {"id":1,"}":"]"} , "id" : "a\"b" , "method":"m" } )"),
                           {{"method", &method}, {"id", &id}, {"missing", &missing}}));
  EXPECT_EQ(method.raw(), "\"m\"");
  EXPECT_EQ(id.raw(), R"("a\"b")");
  EXPECT_FALSE(missing.is_present());
}

TEST(JsonSlice, RefusesAKeyTwiceHoweverEscaped) {
  EXPECT_FALSE(check_keys(checked(R"({"a":1,"a":2})")));
  EXPECT_FALSE(check_keys(checked(R"({"a":1,"b":0,"\u0061":2})")));
  EXPECT_TRUE(check_keys(checked(R"({"a":{"a":1},"b":{"a":1}})")));
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += json_string("k" + std::to_string(i)) + ":1,";
  EXPECT_TRUE(check_keys(checked(many + "\"z\":1}")));
  EXPECT_FALSE(check_keys(checked(many + "\"k7\":1}")));
}

TEST(JsonSlice, BoundsTheMembersOfAnObjectThatIsRead) {
  const auto object = [](size_t members) {
    std::string text = "{";
    for (size_t i = 0; i < members; ++i) text += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":0";
    return text + "}";
  };
  EXPECT_TRUE(check_keys(checked(object(limits::mcp_object_members))));
  const std::string over = object(limits::mcp_object_members + 1);
  const Status status = check_keys(checked(over));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::limit);
}

TEST(JsonSlice, WalksArraysAndObjects) {
  std::string seen;
  for (Walk walk(checked(R"([1, "a,]" ,{"x":[2]},[ ],null])")); walk.next();) seen += std::string(walk.value().raw()) + "|";
  EXPECT_EQ(seen, R"(1|"a,]"|{"x":[2]}|[ ]|null|)");
  Walk number(checked("17"));
  EXPECT_FALSE(number.next());
}

TEST(JsonWrite, WritesStringsThatReadBackTheSame) {
  const std::string text("a\"\\\n\x01\x7f\xc3\xa9\0z", 10);
  EXPECT_EQ(checked(json_string(text)).text(), text);
  EXPECT_EQ(json_string("\xff" "a\xe2\x82"), "\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonWrite, CompactsWithoutTouchingTokens) {
  std::string out;
  append_compact(out, checked("{ \"a b\" : [ 1.0 , \"x \\\" y\" ] }"));
  EXPECT_EQ(out, "{\"a b\":[1.0,\"x \\\" y\"]}");
}

TEST(JsonWrite, NeverWritesNumbersJsonDoesNotHave) {
  std::string out;
  ObjectWriter(out).real("a", 0.1).real("b", 1.0 / 0.0).integer("c", INT64_MIN).boolean("d", true).end();
  EXPECT_EQ(out, R"({"a":0.1,"b":null,"c":-9223372036854775808,"d":true})");
}

}  // namespace
}  // namespace tideline::mcp
