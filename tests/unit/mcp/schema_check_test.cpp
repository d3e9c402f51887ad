#include "mcp/schema_check.hpp"
#include "mcp/schema_digest.hpp"

#include <gtest/gtest.h>

namespace tideline::mcp {
namespace {

std::string property(std::string_view schema, std::string_view value) {
  const std::string whole = R"({"type":"object","properties":{"p":)" + std::string(schema) + R"(},"additionalProperties":false})";
  const std::string arguments = R"({"p":)" + std::string(value) + "}";
  return check_arguments(Slice(whole), Slice(arguments));
}

TEST(SchemaCheck, AcceptsWhatFits) {
  EXPECT_EQ(property(R"({"type":"string"})", "\"x\""), "");
  EXPECT_EQ(property(R"({"type":["string","null"]})", "null"), "");
  EXPECT_EQ(property(R"({"type":"integer"})", "9007199254740993"), "");
  EXPECT_EQ(property(R"({"type":"integer"})", "2.0"), "");
  EXPECT_EQ(property("{}", "[1]"), "");
  EXPECT_EQ(property("true", "[1]"), "");
}

TEST(SchemaCheck, SaysWhichPlaceWantsWhat) {
  EXPECT_EQ(property(R"({"type":"string"})", "5"), "arguments.p: expected \"string\", got a number");
  EXPECT_EQ(property(R"({"type":"integer"})", "1.5"), "arguments.p: expected \"integer\", got a number");
  EXPECT_EQ(property(R"({"type":["string","null"]})", "{}"), "arguments.p: expected [\"string\",\"null\"], got an object");
}

TEST(SchemaCheck, NamesWhatIsRequiredAndWhatIsKnown) {
  const Slice schema(R"({"type":"object","properties":{"zone":{},"unit":{}},"required":["zone"],"additionalProperties":false})");
  EXPECT_EQ(check_arguments(schema, Slice()), "arguments.zone: is required");
  EXPECT_EQ(check_arguments(schema, Slice(R"({"zone":1,"zon":2})")), "arguments.zon: is not a known argument (known: zone, unit)");
}

TEST(SchemaCheck, ChecksValuesAndBounds) {
  EXPECT_EQ(property(R"({"enum":["a","b"]})", "\"c\""), "arguments.p: must be one of [\"a\",\"b\"]");
  EXPECT_EQ(property(R"({"enum":["a",5]})", "5.0"), "");
  EXPECT_EQ(property(R"({"enum":["\u0061"]})", "\"a\""), "");
  EXPECT_NE(property(R"({"const":true})", "false"), "");
  EXPECT_EQ(property(R"({"minimum":0,"maximum":10})", "10"), "");
  EXPECT_EQ(property(R"({"minimum":0,"maximum":10})", "10.5"), "arguments.p: must be at most 10");
  EXPECT_EQ(property(R"({"exclusiveMinimum":0})", "0"), "arguments.p: must be more than 0");
  EXPECT_EQ(property(R"({"maximum":10})", "1e999"), "arguments.p: the number is out of range");
}

TEST(SchemaCheck, CountsCodePointsNotBytes) {
  EXPECT_EQ(property(R"({"maxLength":2})", "\"\xc3\xa9\xc3\xa9\""), "");
  EXPECT_EQ(property(R"({"maxLength":1})", R"("\ud83d\ude00")"), "");
  EXPECT_EQ(property(R"({"minLength":1})", "\"\""), "arguments.p: needs at least 1 characters");
}

TEST(SchemaCheck, ChecksElementsAndNestedObjects) {
  EXPECT_EQ(property(R"({"type":"array","items":{"type":"integer"},"maxItems":2})", "[1,\"x\",3]"),
            "arguments.p[1]: expected \"integer\", got a string; arguments.p: takes at most 2 elements");
  EXPECT_EQ(property(R"({"additionalProperties":{"type":"number"}})", R"({"a":1,"b":"x"})"), "arguments.p.b: expected \"number\", got a string");
}

TEST(SchemaCheck, TakesAValueThatFitsOneBranch) {
  const Slice schema(R"({"properties":{"v":{"anyOf":[{"type":"number","minimum":5},{"type":"null"}]}}})");
  EXPECT_EQ(check_arguments(schema, Slice(R"({"v":7})")), "");
  EXPECT_EQ(check_arguments(schema, Slice(R"({"v":null})")), "");
  EXPECT_EQ(check_arguments(schema, Slice(R"({"v":4})")), R"(arguments.v: fits none of [{"type":"number","minimum":5},{"type":"null"}])");
}

TEST(SchemaCheck, RefusesDuplicateKeys) {
  EXPECT_EQ(check_arguments(Slice("{\"type\":\"object\"}"), Slice(R"({"a":1,"a":2})")), "arguments: duplicate key");
}

TEST(SchemaCheck, StopsAfterAFewFindings) {
  const std::string text = check_arguments(Slice(R"({"additionalProperties":false})"), Slice(R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1})"));
  EXPECT_NE(text.find("arguments.d"), std::string::npos);
  EXPECT_EQ(text.find("arguments.e"), std::string::npos);
}

TEST(SchemaCheck, SurvivesSchemasThatNestWithoutEnd) {
  std::string schema = "{}", value = "1";
  for (int i = 0; i < 50; ++i) {
    schema = R"({"items":)" + schema + "}";
    value = "[" + value + "]";
  }
  EXPECT_EQ(check_arguments(Slice(schema), Slice(value)), "");
}

}  // namespace
TEST(SchemaDigest, SaysThatArgumentsFitOnlyWhereTheCheckFindsNothing) {
  const std::string schemas[] = {
      R"({"type":"object","properties":{"s":{"type":"string","minLength":1,"maxLength":4},"n":{"type":"integer"},"x":{"type":"number"}},"additionalProperties":false})",
      R"({"type":"object","properties":{"s":{"type":["string","null"]},"n":{"type":"integer","minimum":2},"b":{"type":"boolean"}},"required":["s"]})",
      R"({"type":"object","properties":{"s":{"enum":["a"]},"n":{},"x":{"type":"object","required":["y"]},"b":true}})",
      R"({"type":"object","anyOf":[{"required":["s"]},{"required":["n"]}]})",
      R"({"type":"object","required":["nowhere"]})",
      R"({"type":"object"})",
  };
  const std::string values[] = {R"("")", R"("a")", R"("abcd")", R"("abcde")", R"("\u0061")", R"("\ud83d\ude00")", "1", "2", "-7", "1.0", "1.5", "1e3", "1e999",
                                "123456789012345678901234", "null", "true", "{}", R"({"y":1,"y":2})", "[]", R"(["a"])"};
  size_t sure = 0;
  for (const std::string& schema : schemas) {
    const SchemaDigest digest{Slice(schema)};
    const auto look = [&](const std::string& arguments) {
      if (!digest.surely_fits(Slice(arguments))) return;
      ++sure;
      EXPECT_EQ(check_arguments(Slice(schema), Slice(arguments)), "") << schema << " " << arguments;
    };
    look("");
    look("{}");
    for (const std::string& value : values) {
      for (const char* name : {"s", "n", "x", "b", "other", "\\u0073"}) {
        look(std::string("{\"") + name + "\":" + value + "}");
        look(std::string("{\"") + name + "\":" + value + ",\"s\":\"a\"}");
        look(std::string("{ \"s\" : \"a\" , \"") + name + "\" : " + value + " }");
      }
    }
  }
  EXPECT_GT(sure, 50u);
  EXPECT_TRUE(SchemaDigest(Slice(schemas[0])).surely_fits(Slice(R"({"s":"temp","n":3,"x":1.5})")));
  EXPECT_FALSE(SchemaDigest().surely_fits(Slice("{}")));
}

}  // namespace tideline::mcp
