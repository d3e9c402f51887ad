#include "mcp/message.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace tideline::mcp {
namespace {

void expect_invalid(std::string_view line, RpcCode code, std::string_view id = "") {
  const Message message = parse_message(line);
  EXPECT_EQ(message.kind, MessageKind::invalid) << line;
  EXPECT_EQ(message.problem.code, code) << line;
  EXPECT_EQ(message.id, id) << line;
  EXPECT_FALSE(message.problem.text.empty());
}

TEST(Message, ReadsARequest) {
  const std::string line = R"({"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"x"}})";
  const Message message = parse_message(line);
  EXPECT_EQ(message.kind, MessageKind::request);
  EXPECT_EQ(message.id, "9007199254740993");
  EXPECT_EQ(message.method, Method::call_tool);
  EXPECT_EQ(message.params.raw(), R"({"name":"x"})");
}

TEST(Message, KeepsAStringIdAsSent) {
  const std::string line = R"({"jsonrpc":"2.0","id":"a\u0041\"","method":"m\u0065"})";
  EXPECT_EQ(parse_message(line).id, R"("a\u0041\"")");
}

TEST(Message, TellsNotificationsResponsesAndBatches) {
  EXPECT_EQ(parse_message(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").kind, MessageKind::notification);
  EXPECT_EQ(parse_message(R"({"jsonrpc":"2.0","id":1,"result":{}})").kind, MessageKind::response);
  EXPECT_EQ(parse_message(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}})").kind, MessageKind::response);
  EXPECT_EQ(parse_message("[{}]").kind, MessageKind::batch);
}

TEST(Message, AnswersBadJsonAsAParseErrorWithoutId) {
  expect_invalid("{\"jsonrpc\":\"2.0\",\"id\":1,", RpcCode::parse_error);
  expect_invalid("{} {}", RpcCode::parse_error);
  expect_invalid("\xef\xbb\xbf{}", RpcCode::parse_error);
}

TEST(Message, AnswersDepthAndWrongShapesAsInvalidRequests) {
  expect_invalid(std::string(1000, '[') + std::string(1000, ']'), RpcCode::invalid_request);
  expect_invalid("17", RpcCode::invalid_request);
  expect_invalid("\"x\"", RpcCode::invalid_request);
  expect_invalid("{}", RpcCode::invalid_request);
  expect_invalid(R"({"id":1,"method":"ping"})", RpcCode::invalid_request, "1");
  expect_invalid(R"({"jsonrpc":"1.0","id":1,"method":"ping"})", RpcCode::invalid_request, "1");
  expect_invalid(R"({"jsonrpc":"2.0","id":1})", RpcCode::invalid_request, "1");
  expect_invalid(R"({"jsonrpc":"2.0","id":1,"method":7})", RpcCode::invalid_request, "1");
}

TEST(Message, RefusesIdsThatAreNullFractionalOrStructured) {
  for (const char* id : {"null", "1.5", "1.0", "1e2", "{}", "[1]", "true"}) {
    expect_invalid(std::string(R"({"jsonrpc":"2.0","method":"ping","id":)") + id + "}", RpcCode::invalid_request);
  }
}

TEST(Message, BoundsTheId) {
  const auto line = [](size_t bytes) { return R"({"jsonrpc":"2.0","method":"ping","id":")" + std::string(bytes - 2, 'x') + "\"}"; };
  EXPECT_EQ(parse_message(line(limits::mcp_id_bytes)).kind, MessageKind::request);
  expect_invalid(line(limits::mcp_id_bytes + 1), RpcCode::invalid_request);
}

TEST(Message, RefusesDuplicateKeys) {
  expect_invalid(R"({"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"})", RpcCode::invalid_request);
  expect_invalid(R"({"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/call"})", RpcCode::invalid_request);
}

TEST(Message, RefusesParamsThatAreNotAnObject) {
  expect_invalid(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})", RpcCode::invalid_params, "1");
}

TEST(Message, RefusesResponsesWithBothOrNeitherOutcome) {
  expect_invalid(R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", RpcCode::invalid_request, "1");
  expect_invalid(R"({"jsonrpc":"2.0","id":1,"result":5})", RpcCode::invalid_request, "1");
}

TEST(Message, WritesLinesThatReadBack) {
  EXPECT_EQ(result_line("\"a\"", "{}"), R"({"jsonrpc":"2.0","id":"a","result":{}})");
  EXPECT_EQ(error_line("", {RpcCode::parse_error, "bad \"x\"", {}}), R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"bad \"x\""}})");
  EXPECT_EQ(error_line("7", {RpcCode::invalid_params, "m", R"({"uri":"u"})"}),
            R"({"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"m","data":{"uri":"u"}}})");
  EXPECT_EQ(notification_line("n", R"({"a":1})"), R"({"jsonrpc":"2.0","method":"n","params":{"a":1}})");
  EXPECT_EQ(request_line("3", "ping", ""), R"({"jsonrpc":"2.0","id":3,"method":"ping"})");
}

TEST(Method, TableNamesEachMethodOnce) {
  for (int i = 1; i <= static_cast<int>(Method::task_changed); ++i) {
    const auto method = static_cast<Method>(i);
    const std::string name = "\"" + std::string(method_text(method)) + "\"";
    EXPECT_EQ(find_method(Slice(name)), method) << name;
  }
  EXPECT_EQ(find_method(Slice("\"Tools/call\"")), Method::unknown);
  EXPECT_EQ(find_method(Slice("\"\"")), Method::unknown);
}

}  // namespace
}  // namespace tideline::mcp
