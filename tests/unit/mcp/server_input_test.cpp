// Questions in the middle of a call, and tasks.
#include "unit/mcp/server_fixture.hpp"

namespace tideline::mcp {
namespace {

class ServerInputTest : public ServerTest {
 protected:
  std::string call(std::string_view id, const std::string& more = "", const std::string& capabilities = all_capabilities) {
    return send(modern(id, "tools/call", R"("name":"ask","arguments":{"n":3})" + more, "", capabilities));
  }
  std::string state_of(const std::string& answer) { return std::string(find_member(result(answer), "requestState").raw()); }
};

TEST_F(ServerInputTest, AModernClientGetsTheQuestionAsTheResult) {
  const std::string answer = call("1");
  EXPECT_TRUE(has(answer, R"("resultType":"input_required","inputRequests":{"who":{"method":"elicitation/create","params":{"mode":"form","message":"Who?"}}})")) << answer;
  EXPECT_FALSE(has(answer, "ttlMs"));
  EXPECT_EQ(server->open_calls(), 0u);
}

TEST_F(ServerInputTest, TheRetryBringsAnswersAndStateToTheHandler) {
  const std::string state = state_of(call("1"));
  const std::string answer = call("2", R"(,"inputResponses":{"who":{"action":"accept"},"extra":{}},"requestState":)" + state);
  EXPECT_TRUE(has(answer, R"(step1 {\"action\":\"accept\"})")) << answer;
  EXPECT_EQ(handler.seen_state, "step1");
}

TEST_F(ServerInputTest, MissingKeysAskAgainAndWrongShapesAreRefused) {
  EXPECT_TRUE(has(call("1", R"(,"inputResponses":{"other":{}})"), "input_required"));
  EXPECT_EQ(code(call("2", R"(,"inputResponses":{"who":5})")), -32602);
  EXPECT_EQ(code(call("3", R"(,"inputResponses":[])")), -32602);
  EXPECT_EQ(code(call("4", R"(,"requestState":5)")), -32602);
}

TEST_F(ServerInputTest, StateThatWasChangedOrBelongsElsewhereIsRefusedNotAskedAgain) {
  std::string state = state_of(call("1"));
  EXPECT_EQ(code(call("2", R"(,"requestState":"x)" + state.substr(1))), -32602);
  const std::string other_arguments = send(modern("3", "tools/call", R"("name":"ask","arguments":{"n":4},"requestState":)" + state));
  EXPECT_EQ(code(other_arguments), -32602);
  const std::string other_method = send(modern("4", "prompts/get", R"("name":"ask_prompt","arguments":{"who":"x"},"requestState":)" + state));
  EXPECT_EQ(code(other_method), -32602);
  options.principal = "someone else";
  restart();
  EXPECT_EQ(code(call("5", ",\"requestState\":" + state)), -32602);
}

TEST_F(ServerInputTest, WhiteSpaceInArgumentsDoesNotBreakTheSeal) {
  const std::string state = state_of(call("1"));
  EXPECT_EQ(code(send(modern("2", "tools/call", R"("name":"ask","arguments":{ "n" : 3 },"requestState":)" + state))), 0);
}

TEST_F(ServerInputTest, AsksOnlyForWhatTheClientDeclared) {
  const std::string answer = call("1", "", R"({"sampling":{}})");
  EXPECT_EQ(code(answer), -32021);
  EXPECT_TRUE(has(answer, R"("requiredCapabilities":{"elicitation":{"form":{}}})"));
  handler.question.requests[0] = {"who", Method::create_message, "{}"};
  EXPECT_TRUE(has(call("2", "", R"({"sampling":{}})"), "input_required"));
  handler.question.requests[0] = {"who", Method::elicit, R"({"mode":"url"})"};
  EXPECT_EQ(code(call("3", "", R"({"elicitation":{}})")), -32021);
}

TEST_F(ServerInputTest, StateAloneIsAllowedAndQuestionsAreBounded) {
  handler.question.requests.clear();
  EXPECT_FALSE(has(call("1"), "inputRequests"));
  for (size_t i = 0; i < limits::mcp_input_requests; ++i) handler.question.requests.push_back({"k" + std::to_string(i), Method::elicit, "{}"});
  EXPECT_EQ(code(call("2")), 0);
  handler.question.requests.push_back({"one more", Method::elicit, "{}"});
  EXPECT_EQ(code(call("3")), -32603);
}

TEST_F(ServerInputTest, ARelayedQuestionPassesByteByByte) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  lines.clear();
  const std::string body = R"({"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"n":9007199254740993}}},"requestState":"up\u0041"})";
  server->reply(handler.held["hold"], body, now);
  EXPECT_TRUE(has(joined(), R"("params":{"n":9007199254740993})")) << joined();
  send(modern("2", "tools/call", R"("name":"relay_ask","requestState":"theirs","inputResponses":{"who":{"a":1}})"));
  EXPECT_EQ(handler.seen_state, "theirs");
}

TEST_F(ServerInputTest, TheStateOfAResourceIsItsServersOwn) {
  send(modern("1", "resources/read", R"("uri":"x://hold","requestState":"theirs","inputResponses":{"who":{"a":1}})"));
  EXPECT_EQ(handler.seen_state, "theirs");
}

TEST_F(ServerInputTest, ALegacyClientIsAskedByRequestsWhenItDeclaredSo) {
  open_session("2025-06-18", R"({"elicitation":{}})");
  const std::string asked = send(request("1", "tools/call", R"("name":"ask")"));
  EXPECT_EQ(asked, R"({"jsonrpc":"2.0","id":"t1","method":"elicitation/create","params":{"mode":"form","message":"Who?"}})");
  EXPECT_FALSE(last.is_answer);
  const std::string answer = send(R"({"jsonrpc":"2.0","id":"t1","result":{"action":"accept","content":{"n":9007199254740993}}})");
  EXPECT_TRUE(has(answer, "\"id\":1,\"result\"") && has(answer, "step1") && has(answer, "9007199254740993")) << answer;
}

TEST_F(ServerInputTest, ALegacyClientWithoutTheCapabilityIsNeverAsked) {
  open_session();
  const std::string answer = send(request("1", "tools/call", R"("name":"ask")"));
  EXPECT_TRUE(has(answer, R"("isError":true)") && !has(answer, "elicitation/create\",\"params")) << answer;
}

TEST_F(ServerInputTest, ALegacyRefusalIsACancelForElicitationAndAnErrorForSampling) {
  open_session("2025-11-25", R"({"elicitation":{},"sampling":{}})");
  send(request("1", "tools/call", R"("name":"ask")"));
  EXPECT_TRUE(has(send(R"({"jsonrpc":"2.0","id":"t1","error":{"code":-1,"message":"no"}})"), R"({\"action\":\"cancel\"})"));
  handler.question.requests[0].method = Method::create_message;
  send(request("2", "tools/call", R"("name":"ask")"));
  EXPECT_TRUE(has(send(R"({"jsonrpc":"2.0","id":"t2","error":{"code":-1,"message":"no"}})"), "refused sampling/createMessage: no"));
}

TEST_F(ServerInputTest, ACancelledLegacyCallWithdrawsItsQuestions) {
  open_session("2025-11-25", R"({"elicitation":{}})");
  send(request("1", "tools/call", R"("name":"ask")"));
  EXPECT_EQ(send(notification("notifications/cancelled", R"({"requestId":1})")),
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"t1"}})");
  EXPECT_EQ(send(R"({"jsonrpc":"2.0","id":"t1","result":{"action":"accept"}})"), "");
  EXPECT_EQ(server->counters().stray, 1u);
}

TEST_F(ServerInputTest, ALegacyClientThatDoesNotAnswerEndsTheCall) {
  open_session("2025-11-25", R"({"elicitation":{}})");
  send(request("1", "tools/call", R"("name":"ask")"));
  lines.clear();
  server->on_timer(now + limits::mcp_input_timeout);
  EXPECT_TRUE(has(joined(), "no answer from the client"));
}

TEST_F(ServerInputTest, RoundsOfALegacyCallAreBounded) {
  open_session("2025-11-25", R"({"elicitation":{}})");
  handler.question.requests.clear();
  EXPECT_TRUE(has(send(request("1", "tools/call", R"("name":"ask")")), "too often"));
  EXPECT_EQ(handler.calls, static_cast<size_t>(limits::mcp_input_rounds) + 1);
}

TEST_F(ServerInputTest, ArgumentsTooLongToKeepCannotAsk) {
  const auto padded = [](size_t bytes) {
    const std::string line = modern("1", "tools/call", R"("name":"ask","arguments":{"n":""})");
    return modern("1", "tools/call", R"("name":"ask","arguments":{"n":")" + std::string(bytes - (line.size() - line.find("{\"name") - 1), 'x') + "\"}");
  };
  EXPECT_TRUE(has(send(padded(limits::mcp_kept_params_bytes)), "input_required"));
  EXPECT_TRUE(has(send(padded(limits::mcp_kept_params_bytes + 1)), "too long for that"));
}

// Tasks

TEST_F(ServerInputTest, ACallMayBecomeATaskForAClientThatDeclaredTasks) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  lines.clear();
  const Task task{.id = "t-9"};
  server->reply_task(handler.held["hold"], task, now);
  EXPECT_TRUE(has(joined(), R"("resultType":"task","taskId":"t-9","status":"working")"));
  send(modern("2", "tools/call", R"("name":"hold")", "", "{}"));
  lines.clear();
  server->reply_task(handler.held["hold"], task, now);
  EXPECT_TRUE(has(joined(), R"("isError":true)"));
}

TEST_F(ServerInputTest, TaskMethodsNeedTheCapabilityAndAKnownId) {
  for (const char* method : {"tasks/get", "tasks/cancel"}) {
    EXPECT_EQ(code(send(modern("1", method, R"("taskId":"x")", "", "{}"))), -32021) << method;
    EXPECT_EQ(code(send(modern("1", method, R"("taskId":"x")"))), -32602) << method;
    EXPECT_EQ(code(send(modern("1", method))), -32602) << method;
  }
  EXPECT_EQ(code(send(modern("1", "tasks/update", R"("taskId":"hold")"))), -32602);
  EXPECT_EQ(code(send(modern("1", "tasks/update", R"("taskId":"hold","inputResponses":{"a":{},"a":{}})"))), -32602);
  send(modern("2", "tasks/update", R"("taskId":"hold","inputResponses":{"a":{"action":"accept"}})"));
  EXPECT_EQ(handler.seen_responses, R"({"a":{"action":"accept"}})");
  lines.clear();
  server->reply(handler.held["hold"], "{}", now);
  EXPECT_TRUE(has(joined(), R"("result":{"resultType":"complete",)"));
}

TEST_F(ServerInputTest, TaskGetShowsTheWholeState) {
  send(modern("1", "tasks/get", R"("taskId":"hold")"));
  lines.clear();
  server->reply_task(handler.held["hold"], {.id = "hold", .status = TaskStatus::failed, .error_json = R"({"code":1})"}, now);
  EXPECT_TRUE(has(joined(), R"("resultType":"complete","taskId":"hold","status":"failed")") && has(joined(), R"("error":{"code":1})"));
}

}  // namespace
}  // namespace tideline::mcp
