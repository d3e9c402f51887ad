#include "mcp/definition.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "mcp/header_params.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

Judged<Tool> judge(std::string_view text) { return judge_tool(Slice(text)); }
std::string with_schema(std::string_view schema) { return R"({"name":"t","description":"d","inputSchema":)" + std::string(schema) + "}"; }

TEST(Definition, AToolSurvivesReadingAndWriting) {
  const std::string_view text =
      R"({"name":"a.b/c","title":"T","description":"D","inputSchema":{"type":"object","$defs":{"x":{"$anchor":"y"}}},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"later":1},"icons":[{"src":"x"}],"_meta":{"com.example/k":9007199254740993}})";
  const Judged<Tool> judged = judge(text);
  ASSERT_TRUE(judged.value.has_value()) << judged.problem;
  std::string out;
  append_tool(out, *judged.value, newest_modern);
  EXPECT_EQ(out, text);
  EXPECT_EQ(judged.problem, "");
}

TEST(Definition, QuarantinesWhatOfficialClientsRefuseTheWholeListFor) {
  for (const char* bad : {"7", "{}", R"({"inputSchema":{"type":"object"}})", R"({"name":"t"})", R"({"name":"t","inputSchema":{}})",
                          R"({"name":"t","inputSchema":{"type":"string"}})", R"({"name":"t","inputSchema":null})",
                          R"({"name":"t","description":5,"inputSchema":{"type":"object"}})", R"({"name":"","inputSchema":{"type":"object"}})",
                          R"({"name":"a b","inputSchema":{"type":"object"}})", R"({"name":"t","inputSchema":{"type":"object"},"outputSchema":[]})",
                          R"({"name":"t","name":"u","inputSchema":{"type":"object"}})"}) {
    const Judged<Tool> judged = judge(bad);
    EXPECT_FALSE(judged.value.has_value()) << bad;
    EXPECT_FALSE(judged.problem.empty()) << bad;
  }
}

TEST(Definition, RepairsANullDescriptionAndSaysSo) {
  const Judged<Tool> judged = judge(R"({"name":"t","description":null,"inputSchema":{"type":"object"}})");
  ASSERT_TRUE(judged.value.has_value());
  EXPECT_NE(judged.problem.find("description was null"), std::string::npos);
  std::string out;
  append_tool(out, *judged.value, newest_modern);
  EXPECT_EQ(out, R"({"name":"t","inputSchema":{"type":"object"}})");
}

TEST(Definition, DropsTaskSupportOfTheOldExperiment) {
  const Judged<Tool> judged = judge(R"({"name":"t","inputSchema":{"type":"object"},"execution":{"taskSupport":"required"}})");
  EXPECT_EQ(judged.value->extra, "");
}

TEST(Definition, LegacyClientsSeeOnlyOutputSchemasOfObjects) {
  const Tool tool = *judge(R"({"name":"t","inputSchema":{"type":"object"},"outputSchema":{"type":"array"}})").value;
  std::string modern, legacy;
  append_tool(modern, tool, newest_modern);
  append_tool(legacy, tool, newest_legacy);
  EXPECT_NE(modern.find("outputSchema"), std::string::npos);
  EXPECT_EQ(legacy.find("outputSchema"), std::string::npos);
}

TEST(Definition, BoundsNameSizeAndDepth) {
  const auto named = [](size_t bytes) { return R"({"name":")" + std::string(bytes, 'n') + R"(","inputSchema":{"type":"object"}})"; };
  EXPECT_TRUE(judge(named(limits::mcp_name_bytes)).value.has_value());
  EXPECT_FALSE(judge(named(limits::mcp_name_bytes + 1)).value.has_value());
  const auto sized = [](size_t bytes) {
    std::string text = R"({"name":"t","inputSchema":{"type":"object"},"description":""})";
    return text.insert(text.size() - 2, bytes - text.size(), 'd');
  };
  EXPECT_TRUE(judge(sized(limits::mcp_tool_bytes)).value.has_value());
  EXPECT_FALSE(judge(sized(limits::mcp_tool_bytes + 1)).value.has_value());
  const auto deep = [](size_t depth) {
    std::string schema = R"({"type":"object","x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
    return with_schema(schema);
  };
  EXPECT_TRUE(judge(deep(limits::mcp_schema_depth)).value.has_value());
  EXPECT_FALSE(judge(deep(limits::mcp_schema_depth + 1)).value.has_value());
}

TEST(Definition, ResourcesTemplatesAndPromptsSurviveToo) {
  const std::string_view resource = R"({"uri":"test://a","name":"a","mimeType":"text/plain","size":12,"annotations":{"priority":0.5}})";
  const std::string_view a_template = R"({"uriTemplate":"test://{id}","name":"t","description":"d"})";
  const std::string_view prompt = R"({"name":"p","description":"d","arguments":[{"name":"x","description":"y","required":true}],"_meta":{"k":1}})";
  std::string out;
  append_resource(out, *judge_resource(Slice(resource)).value);
  EXPECT_EQ(out, resource);
  out.clear();
  append_template(out, *judge_template(Slice(a_template)).value);
  EXPECT_EQ(out, a_template);
  out.clear();
  append_prompt(out, *judge_prompt(Slice(prompt)).value);
  EXPECT_EQ(out, prompt);
  EXPECT_FALSE(judge_resource(Slice(R"({"name":"a"})")).value.has_value());
  EXPECT_FALSE(judge_template(Slice(R"({"uriTemplate":"a"})")).value.has_value());
  EXPECT_FALSE(judge_prompt(Slice(R"({"name":"p","arguments":[{}]})")).value.has_value());
}

TEST(Definition, HintsKeepTheDefaultsOfTheSpecification) {
  EXPECT_TRUE(read_hints(Slice("{}")).is_destructive);
  EXPECT_FALSE(read_hints(Slice(R"({"destructiveHint":false})")).is_destructive);
  EXPECT_TRUE(read_hints(Slice(hints_json({.is_read_only = true}))).is_read_only);
}

// x-mcp-header

std::string header_problem(std::string_view schema, std::vector<HeaderParam>* out = nullptr) {
  std::vector<HeaderParam> params;
  std::string problem = read_header_params(Slice(schema), params);
  if (out != nullptr) *out = params;
  return problem;
}

TEST(HeaderParams, CollectsAnnotationsThroughProperties) {
  std::vector<HeaderParam> params;
  EXPECT_EQ(header_problem(R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},
      "in":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}}}})", &params), "");
  ASSERT_EQ(params.size(), 2u);
  EXPECT_EQ(params[0].header, "Region");
  EXPECT_EQ(params[1].path, (std::vector<std::string>{"in", "n"}));
  EXPECT_EQ(find_argument(Slice(R"({"in":{"n":5}})"), params[1]).raw(), "5");
}

TEST(HeaderParams, RefusesAnnotationsThatBreakTheRules) {
  for (const char* property : {R"({"type":"number","x-mcp-header":"A"})", R"({"type":"string","x-mcp-header":""})", R"({"type":"string","x-mcp-header":"a b"})",
                               R"({"type":"string","x-mcp-header":5})", R"({"type":"array","items":{"type":"string","x-mcp-header":"A"}})",
                               R"({"anyOf":[{"type":"string","x-mcp-header":"A"}]})", R"({"x-mcp-header":"A"})"}) {
    EXPECT_NE(header_problem(R"({"type":"object","properties":{"p":)" + std::string(property) + "}}"), "") << property;
  }
  EXPECT_NE(header_problem(R"({"type":"object","x-mcp-header":"A"})"), "");
  EXPECT_NE(header_problem(R"({"properties":{"a":{"type":"string","x-mcp-header":"X"},"b":{"type":"string","x-mcp-header":"x"}}})"), "");
}

TEST(HeaderParams, APropertyOrDataOfThatNameIsNoAnnotation) {
  EXPECT_EQ(header_problem(R"({"properties":{"x-mcp-header":{"type":"string"},"b":{"default":{"x-mcp-header":5}}}})"), "");
}

TEST(HeaderParams, DecodesTheSentinelStrictly) {
  EXPECT_EQ(decode_header_value("  plain \t"), "plain");
  EXPECT_EQ(decode_header_value("=?base64?aMOp?="), "h\xc3\xa9");
  EXPECT_EQ(decode_header_value("=?base64?YQ==?="), "a");
  EXPECT_EQ(decode_header_value("=?base64?" "?="), "");
  for (const char* wrong : {"=?base64?YQ=?=", "=?base64?YQ?=", "=?base64?Y-==?=", "=?base64?YR==?=", "=?base64?/w==?=", "=?base64?====?="}) {
    EXPECT_FALSE(decode_header_value(wrong).has_value()) << wrong;
  }
  EXPECT_EQ(decode_header_value("=?base64?YQ=="), "=?base64?YQ==");
  EXPECT_EQ(decode_header_value("YQ==?="), "YQ==?=");
  EXPECT_EQ(decode_header_value("=?BASE64?YQ==?="), "=?BASE64?YQ==?=");
  EXPECT_FALSE(decode_header_value("h\xc3\xa9").has_value());
}

TEST(HeaderParams, EncodesWhatCannotTravelLiterally) {
  for (const std::string& text : std::vector<std::string>{"plain", "h\xc3\xa9", " outer ", "", "=?base64?x?=", "a\nb", "ab", "abcd", std::string("n\0l", 3)}) {
    EXPECT_EQ(decode_header_value(encode_header_value(text)), text);
  }
  EXPECT_EQ(encode_header_value("a b"), "a b");
}

TEST(HeaderParams, ComparesIntegersAsNumbersAndBooleansAsWords) {
  EXPECT_TRUE(header_matches("42", Slice("42")));
  EXPECT_TRUE(header_matches("42.0", Slice("42")));
  EXPECT_FALSE(header_matches("43", Slice("42")));
  EXPECT_FALSE(header_matches("9007199254740993", Slice("9007199254740992")));
  EXPECT_TRUE(header_matches("true", Slice("true")));
  EXPECT_FALSE(header_matches("True", Slice("true")));
  EXPECT_FALSE(header_matches("null", Slice("null")));
  EXPECT_TRUE(header_matches("a\"b", Slice(R"("a\"b")")));
}

}  // namespace
}  // namespace tideline::mcp
