#include "mcp/result_shape.hpp"

#include <gtest/gtest.h>

#include "mcp/content.hpp"
#include "mcp/task.hpp"

namespace tideline::mcp {
namespace {

std::string shaped(std::string_view body, Method method, Revision revision = newest_modern, CacheHint cache = {60'000, true}) {
  const Result<std::string> out = shape_result(Slice(body), {revision, method, cache, R"({"name":"s","version":"1"})"});
  return out ? *out : "refused";
}
#define SERVER_META R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}})"

TEST(ResultShape, ModernResultsSayWhatTheyAreAndWhoAnswered) {
  EXPECT_EQ(shaped(R"({"content":[]})", Method::call_tool), R"({"resultType":"complete","content":[],)" SERVER_META "}");
}

TEST(ResultShape, OnlyTheSixCacheableMethodsCarryHints) {
  for (const Method method : {Method::discover, Method::list_tools, Method::list_prompts, Method::list_resources, Method::list_templates, Method::read_resource}) {
    EXPECT_NE(shaped("{}", method).find(R"("ttlMs":60000,"cacheScope":"public")"), std::string::npos);
  }
  for (const Method method : {Method::call_tool, Method::get_prompt, Method::complete}) EXPECT_EQ(shaped("{}", method).find("cacheScope"), std::string::npos);
  EXPECT_EQ(shaped(R"({"resultType":"input_required","requestState":"s"})", Method::read_resource).find("ttlMs"), std::string::npos);
}

TEST(ResultShape, KeepsValidHintsOfTheBodyAndReplacesInvalidOnes) {
  EXPECT_NE(shaped(R"({"ttlMs":5,"cacheScope":"private"})", Method::read_resource).find(R"("ttlMs":5,"cacheScope":"private")"), std::string::npos);
  for (const char* body : {R"({"ttlMs":-1,"cacheScope":"private"})", R"({"ttlMs":1.5,"cacheScope":"private"})", R"({"ttlMs":5,"cacheScope":""})", R"({"ttlMs":5})"}) {
    EXPECT_NE(shaped(body, Method::read_resource).find(R"("ttlMs":60000,"cacheScope":"public")"), std::string::npos) << body;
  }
}

TEST(ResultShape, ReplacesTheServerInfoOfAnotherHopAndKeepsOtherMeta) {
  EXPECT_EQ(shaped(R"({"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"up"},"com.example/d":"x"}})", Method::call_tool),
            R"({"resultType":"complete","_meta":{"com.example/d":"x","io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}})");
}

TEST(ResultShape, RefusesResultTypesTheMethodCannotHave) {
  EXPECT_EQ(shaped(R"({"resultType":"input_required"})", Method::list_tools), "refused");
  EXPECT_EQ(shaped(R"({"resultType":"task"})", Method::get_prompt), "refused");
  EXPECT_EQ(shaped(R"({"resultType":"other"})", Method::call_tool), "refused");
  EXPECT_EQ(shaped("[]", Method::call_tool), "refused");
  EXPECT_EQ(shaped(R"({"a":1,"a":2})", Method::call_tool), "refused");
}

TEST(ResultShape, LegacyResultsHaveNoModernFields) {
  EXPECT_EQ(shaped(R"({"resultType":"complete","contents":[],"ttlMs":5,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{}}})",
                   Method::read_resource, newest_legacy),
            R"({"contents":[]})");
}

TEST(ResultShape, LegacyClientsGetOnlyContentTheirRevisionKnows) {
  const std::string body = ToolResult{{text_content("t"), audio_content("AA==", "audio/wav"), link_content("u:1", "n", "")}, "[1]", false}.to_json();
  const std::string oldest = shaped(body, Method::call_tool, Revision::r2024_11_05);
  EXPECT_EQ(oldest.find("\"audio\","), std::string::npos);
  EXPECT_NE(oldest.find("u:1"), std::string::npos);
  EXPECT_EQ(oldest.find("structuredContent"), std::string::npos);
  EXPECT_TRUE(check_json(oldest).has_value());
  EXPECT_NE(shaped(body, Method::call_tool, Revision::r2025_03_26).find(R"("type":"audio")"), std::string::npos);
  EXPECT_NE(shaped(body, Method::call_tool, Revision::r2025_06_18).find(R"("type":"resource_link")"), std::string::npos);
  EXPECT_NE(shaped(R"({"content":[{"type":"hologram"}]})", Method::call_tool, newest_legacy).find("left out"), std::string::npos);
  EXPECT_EQ(shaped(R"({"content":[]})", Method::call_tool, newest_legacy), R"({"content":[]})");
}

TEST(ResultShape, OurOwnResultsComeOutAsIfTheyWereRead) {
  const std::string bodies[] = {"{}", tool_answer("a \"quoted\" text", R"({"n":1})"), tool_answer("only text"), tool_error("what went wrong"), R"({"tools":[]})",
                                read_result({text_resource("a:1", "application/json", "{}")}), prompt_result("why", {text_content("t")}), completion_result({"a"})};
  for (const std::string& body : bodies) {
    for (const Method method : {Method::call_tool, Method::list_tools, Method::discover, Method::ping, Method::read_resource, Method::get_prompt, Method::complete}) {
      for (const Revision revision : {newest_modern, newest_legacy, Revision::r2024_11_05}) {
        std::string own;
        append_own_result(own, body, {revision, method, {60'000, false}, R"({"name":"s","version":"1"})"});
        EXPECT_EQ(own, shaped(body, method, revision, {60'000, false})) << body;
      }
    }
  }
}

TEST(ResultShape, DigitsAndEscapesPassUnchanged) {
  const std::string body = R"({"structuredContent":{"n":1795220321549123456,"s":"a\u0000b"}})";
  EXPECT_NE(shaped(body, Method::call_tool).find(R"({"n":1795220321549123456,"s":"a\u0000b"})"), std::string::npos);
}

TEST(Task, ShowsFlatAndInlinesByStatus) {
  Task task{.id = "t-1", .status = TaskStatus::completed, .ttl_ms = 600000, .result_json = R"({"content":[]})"};
  EXPECT_EQ(task_created(task),
            R"({"resultType":"task","taskId":"t-1","status":"completed","createdAt":"1970-01-01T00:00:00Z","lastUpdatedAt":"1970-01-01T00:00:00Z","ttlMs":600000,"pollIntervalMs":2000})");
  EXPECT_NE(task_state(task).find(R"("result":{"content":[]})"), std::string::npos);
  task.status = TaskStatus::working;
  EXPECT_EQ(task_state(task).find("result\":{"), std::string::npos);
  EXPECT_NE(shaped(task_created(task), Method::call_tool).find(R"("ttlMs":600000)"), std::string::npos);
  EXPECT_NE(shaped(task_state(task), Method::get_task).find(R"("ttlMs":600000)"), std::string::npos);
}

TEST(Content, CompletionShowsAtMostAHundredValues) {
  const std::string text = completion_result(std::vector<std::string>(101, "v"));
  EXPECT_NE(text.find(R"("total":101,"hasMore":true)"), std::string::npos);
  size_t count = 0;
  for (Walk walk(find_member(find_member(Slice(text), "completion"), "values")); walk.next();) ++count;
  EXPECT_EQ(count, 100u);
}

TEST(Content, BuildsResults) {
  EXPECT_EQ(tool_error("no"), R"({"content":[{"type":"text","text":"no"}],"isError":true})");
  EXPECT_EQ(tool_answer("t", R"({"a":1})"), R"({"content":[{"type":"text","text":"t"}],"structuredContent":{"a":1}})");
  EXPECT_EQ(read_result({text_resource("u", "text/plain", "x")}), R"({"contents":[{"uri":"u","mimeType":"text/plain","text":"x"}]})");
  EXPECT_EQ(prompt_result("", {text_content("x")}), R"({"messages":[{"role":"user","content":{"type":"text","text":"x"}}]})");
}

}  // namespace
}  // namespace tideline::mcp
