// Eras, lifecycle, malformed input and dispatch (checklists of stdio servers).
#include "mcp/server.hpp"

#include "unit/mcp/server_fixture.hpp"

namespace tideline::mcp {
namespace {

// Eras

TEST_F(ServerTest, AnyModernRequestMayBeFirst) {
  EXPECT_TRUE(has(send(modern("1", "tools/list")), R"("resultType":"complete")"));
}

TEST_F(ServerTest, DiscoverListsModernRevisionsAndWhatIsServed) {
  options.instructions = "do \"this\"";
  restart();
  const std::string answer = send(modern("1", "server/discover"));
  EXPECT_EQ(answer,
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},)"
            R"("resources":{"subscribe":true,"listChanged":true},"prompts":{"listChanged":true},"completions":{},"logging":{},)"
            R"("extensions":{"io.modelcontextprotocol/tasks":{}}},"instructions":"do \"this\"","ttlMs":60000,"cacheScope":"public",)"
            R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}})");
}

TEST_F(ServerTest, AnEnvelopeIsModernEvenInALegacySession) {
  open_session();
  EXPECT_TRUE(has(send(modern("1", "tools/list")), "resultType"));
  EXPECT_FALSE(has(send(request("2", "tools/list")), "resultType"));
}

TEST_F(ServerTest, UnsupportedVersionNamesTheSupported) {
  const std::string answer = send(request("1", "tools/list", R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01","io.modelcontextprotocol/clientCapabilities":{}})"));
  EXPECT_EQ(code(answer), -32022);
  EXPECT_TRUE(has(answer, R"("data":{"supported":["2026-07-28"],"requested":"2030-01-01"})"));
}

TEST_F(ServerTest, AnEnvelopeWithoutCapabilitiesIsInvalidParams) {
  EXPECT_EQ(code(send(request("1", "tools/list", R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"})"))), -32602);
}

TEST_F(ServerTest, RemovedMethodsWithAnEnvelopeAreNotFound) {
  for (const char* method : {"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/list", "tasks/result", "nonsense",
                             "sampling/createMessage", "notifications/cancelled"}) {
    EXPECT_EQ(code(send(modern("1", method))), -32601) << method;
  }
}

TEST_F(ServerTest, InitializeOpensALegacySessionWithTheVersionAsked) {
  for (const char* version : {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}) {
    restart();
    const std::string answer = send(request("1", "initialize", R"("protocolVersion":")" + std::string(version) + R"(","capabilities":{})"));
    EXPECT_TRUE(result(answer).raw().starts_with(R"({"protocolVersion":")" + std::string(version))) << answer;
    EXPECT_TRUE(has(answer, R"("serverInfo":{"name":"s","version":"1"})"));
    EXPECT_EQ(has(answer, "completions"), std::string(version) != "2024-11-05");
    EXPECT_FALSE(has(answer, "extensions"));
    EXPECT_FALSE(has(answer, "resultType"));
  }
}

TEST_F(ServerTest, InitializeForAModernVersionGetsTheNewestLegacy) {
  EXPECT_TRUE(has(send(request("1", "initialize", R"("protocolVersion":"2026-07-28","capabilities":{})")), R"("protocolVersion":"2025-11-25")"));
}

TEST_F(ServerTest, ASecondInitializeIsRefused) {
  open_session();
  EXPECT_EQ(code(send(request("1", "initialize", R"("protocolVersion":"2025-11-25")"))), -32600);
}

TEST_F(ServerTest, InitializeNeedsAVersion) { EXPECT_EQ(code(send(request("1", "initialize", "\"capabilities\":{}"))), -32602); }

TEST_F(ServerTest, DiscoverWithoutEnvelopeIsInvalidParamsAndLocksNothing) {
  EXPECT_EQ(code(send(request("1", "server/discover"))), -32602);
  send(modern("2", "server/discover"));
  open_session();
  EXPECT_EQ(code(send(request("3", "server/discover"))), -32602);
  EXPECT_EQ(code(send(request("4", "tools/list"))), 0);
}

TEST_F(ServerTest, WithoutSessionOrEnvelopeOnlyPingIsAnswered) {
  EXPECT_EQ(send(request("1", "ping")), R"({"jsonrpc":"2.0","id":1,"result":{}})");
  const std::string answer = send(request("2", "tools/list"));
  EXPECT_EQ(code(answer), -32602);
  EXPECT_TRUE(has(answer, "initialize") && has(answer, "protocolVersion"));
}

TEST_F(ServerTest, ASessionAgreedElsewhereServesAtOnce) {
  options.session = LegacySession{.revision = Revision::r2025_06_18};
  restart();
  EXPECT_EQ(code(send(request("1", "tools/list"))), 0);
  EXPECT_EQ(code(send(request("2", "subscriptions/listen", "\"notifications\":{}"))), -32601);
}

TEST_F(ServerTest, WhatIsNotOfferedIsNotFoundInBothEras) {
  options.resources = options.prompts = options.completions = options.logging = options.tasks = options.tools = false;
  restart();
  open_session();
  for (const char* method : {"tools/list", "tools/call", "resources/list", "resources/read", "resources/templates/list", "prompts/list", "prompts/get",
                             "completion/complete"}) {
    EXPECT_EQ(code(send(modern("1", method))), -32601) << method;
    EXPECT_EQ(code(send(request("2", method))), -32601) << method;
  }
  EXPECT_EQ(code(send(modern("3", "tasks/get"))), -32601);
  EXPECT_EQ(code(send(request("4", "logging/setLevel", R"("level":"info")"))), -32601);
  EXPECT_TRUE(has(send(modern("5", "server/discover")), R"("capabilities":{})"));
}

// Malformed input

TEST_F(ServerTest, BadJsonIsAnsweredWithoutIdAndReadingGoesOn) {
  const std::string answer = send("{\"jsonrpc\":");
  EXPECT_EQ(code(answer), -32700);
  EXPECT_FALSE(has(answer, "\"id\""));
  EXPECT_EQ(code(send(modern("1", "tools/list"))), 0);
  EXPECT_EQ(server->counters().invalid, 1u);
}

TEST_F(ServerTest, LinesOverTheBoundAreRefused) {
  std::string line = modern("1", "tools/list");
  line.resize(limits::mcp_line_bytes, ' ');
  EXPECT_EQ(code(send(line)), 0);
  line.push_back(' ');
  EXPECT_EQ(code(send(line)), -32600);
  EXPECT_EQ(code(joined()), -32600);
}

TEST_F(ServerTest, DeepNestingIsRefused) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_EQ(code(send(request("1", "tools/list", "\"x\":" + deep))), -32600);
}

TEST_F(ServerTest, ArraysAreRefusedOutsideTheRevisionThatHasBatches) {
  const std::string batch = "[" + request("1", "ping") + "]";
  EXPECT_EQ(code(send(batch)), -32600);
  open_session("2025-06-18");
  EXPECT_EQ(code(send(batch)), -32600);
}

TEST_F(ServerTest, ABatchOf20250326IsAnsweredAsOneArrayWhenTheLastIsDone) {
  open_session("2025-03-26");
  EXPECT_EQ(send("[" + request("1", "ping") + "," + request("2", "tools/call", R"("name":"hold")") + "," + notification("x") + ",5]"), "");
  server->reply(handler.held["hold"], "{\"content\":[]}", now);
  ASSERT_EQ(lines.size(), 1u);
  size_t answers = 0;
  for (Walk walk{Slice(lines[0])}; walk.next();) ++answers;
  EXPECT_EQ(answers, 3u) << lines[0];
}

TEST_F(ServerTest, ABatchWithNothingToAnswerGetsNoAnswer) {
  open_session("2025-03-26");
  EXPECT_EQ(send("[" + notification("x") + "]"), "");
  EXPECT_EQ(code(send("[]")), -32600);
}

TEST_F(ServerTest, ABatchEndsAlsoWhenItsLastCallIsCancelled) {
  open_session("2025-03-26");
  send("[" + request("1", "ping") + "," + request("2", "tools/call", R"("name":"hold")") + "]");
  EXPECT_EQ(send(notification("notifications/cancelled", R"({"requestId":2})")), R"([{"jsonrpc":"2.0","id":1,"result":{}}])");
}

TEST_F(ServerTest, BatchesAreBounded) {
  open_session("2025-03-26");
  const auto batch = [](size_t count) {
    std::string out = "[";
    for (size_t i = 0; i < count; ++i) out += (i > 0 ? "," : "") + request(std::to_string(i), "ping");
    return out + "]";
  };
  EXPECT_TRUE(send(batch(limits::mcp_batch)).starts_with("[{"));
  EXPECT_EQ(code(send(batch(limits::mcp_batch + 1))), -32600);
}

TEST_F(ServerTest, ASecondRequestWithAnIdUnderWayIsRefused) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"echo")"))), -32600);
  EXPECT_EQ(code(send(modern("\"1\"", "tools/call", R"("name":"echo")"))), 0);
  server->reply(handler.held["hold"], "{\"content\":[]}", now);
  EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"echo")"))), 0);
}

TEST_F(ServerTest, DuplicateKeysInParamsAndMetaAreRefused) {
  EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"hold","name":"echo")"))), -32602);
  EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"echo")", R"("io.modelcontextprotocol/protocolVersion":"2026-07-28")"))), -32602);
}

TEST_F(ServerTest, UnknownNotificationsAndStrayResponsesAreDropped) {
  EXPECT_EQ(send(notification("notifications/whatever")), "");
  EXPECT_EQ(send(R"({"jsonrpc":"2.0","id":7,"result":{}})"), "");
  EXPECT_EQ(server->counters().stray, 1u);
}

// Dispatch

TEST_F(ServerTest, EchoesIdsAsSent) {
  for (const char* id : {"9007199254740993", "-5", R"("a\u0041\"\n")", "\"\""}) {
    EXPECT_TRUE(send(modern(id, "tools/list")).starts_with(R"({"jsonrpc":"2.0","id":)" + std::string(id) + ",")) << id;
  }
}

TEST_F(ServerTest, ToolsAreListedInOneOrderWithoutACursorOnTheLastPage) {
  const std::string answer = send(modern("1", "tools/list"));
  EXPECT_LT(answer.find("\"ask\""), answer.find("\"echo\""));
  EXPECT_FALSE(has(answer, "nextCursor"));
  EXPECT_TRUE(has(answer, R"("ttlMs":60000,"cacheScope":"public")"));
  EXPECT_EQ(code(send(modern("2", "tools/list", R"("cursor":"bad")"))), -32602);
  EXPECT_EQ(code(send(modern("3", "tools/list", R"("cursor":"")"))), -32602);
}

TEST_F(ServerTest, OtherListsAreServed) {
  EXPECT_TRUE(has(send(modern("1", "resources/list")), R"("resources":[{"uri":"test://a","name":"a"}])"));
  EXPECT_TRUE(has(send(modern("1", "resources/templates/list")), R"("resourceTemplates":[{"uriTemplate":"test://{id}","name":"t"}])"));
  EXPECT_TRUE(has(send(modern("1", "prompts/list")), R"("required":true)"));
}

TEST_F(ServerTest, ACallReachesItsToolWithRawArguments) {
  const std::string answer = send(modern("1", "tools/call", R"("name":"echo","arguments":{"n":1795220321549123456})"));
  EXPECT_TRUE(has(answer, R"({\"n\":1795220321549123456})")) << answer;
  EXPECT_FALSE(has(answer, "ttlMs"));
}

TEST_F(ServerTest, ArgumentsMayBeMissing) { EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"echo")"))), 0); }

TEST_F(ServerTest, UnknownToolIsAnErrorAndWrongArgumentsAreAResult) {
  EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"nope")"))), -32602);
  EXPECT_EQ(code(send(modern("1", "tools/call", "\"x\":1"))), -32602);
  EXPECT_EQ(code(send(modern("1", "tools/call", R"("name":"echo","arguments":[])"))), -32602);
  const std::string answer = send(modern("1", "tools/call", R"("name":"strict","arguments":{"n":"x"})"));
  EXPECT_TRUE(has(answer, R"("isError":true)") && has(answer, "arguments.n: expected")) << answer;
  EXPECT_EQ(handler.calls, 0u);
}

TEST_F(ServerTest, AnswersMayComeOutOfOrder) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  send(modern("2", "tools/call", R"("name":"hold2")"));
  lines.clear();
  EXPECT_TRUE(server->reply(handler.held["hold2"], R"({"content":[]})", now));
  EXPECT_TRUE(server->reply(handler.held["hold"], R"({"content":[]})", now));
  EXPECT_TRUE(has(lines[0], "\"id\":2") && has(lines[1], "\"id\":1"));
  EXPECT_FALSE(server->reply(handler.held["hold"], "{}", now));
}

TEST_F(ServerTest, UnknownResourceHasTheCodeOfTheEra) {
  const std::string answer = send(modern("1", "resources/read", R"("uri":"test://none")"));
  EXPECT_EQ(code(answer), -32602);
  EXPECT_TRUE(has(answer, R"("data":{"uri":"test://none"})"));
  open_session();
  EXPECT_EQ(code(send(request("2", "resources/read", R"("uri":"test://none")"))), -32002);
}

TEST_F(ServerTest, NeverSendsTheOldNotFoundCodeOnTheNewWire) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  lines.clear();
  server->fail(handler.held["hold"], {RpcCode::legacy_not_found, "x", {}});
  EXPECT_EQ(code(joined()), -32602);
}

TEST_F(ServerTest, AnUnknownResourceOfAModernServerHasTheOldCodeForALegacyClient) {
  open_session();
  const auto fail_with = [this](const char* method, const char* params, const char* data) {
    send(request("7", method, params));
    lines.clear();
    server->fail(handler.held["hold"], {RpcCode::invalid_params, "x", data});
    return code(joined());
  };
  EXPECT_EQ(fail_with("resources/read", R"("uri":"hold")", R"({"uri":"hold"})"), -32002);
  EXPECT_EQ(fail_with("resources/read", R"("uri":"hold")", ""), -32602);
  EXPECT_EQ(fail_with("tools/call", R"("name":"hold")", R"({"uri":"hold"})"), -32602);
}

TEST_F(ServerTest, ReadingAResourceCarriesCacheHints) {
  EXPECT_TRUE(has(send(modern("1", "resources/read", R"("uri":"test://a")")), R"("ttlMs":0,"cacheScope":"private")"));
  EXPECT_EQ(code(send(modern("1", "resources/read", R"("uri":5)"))), -32602);
  EXPECT_EQ(code(send(modern("1", "resources/read", "\"uri\":\"" + std::string(limits::mcp_uri_bytes, 'u') + "\""))), -32602);
}

TEST_F(ServerTest, PromptsCheckNamesAndArguments) {
  EXPECT_TRUE(has(send(modern("1", "prompts/get", R"("name":"greet")")), "\"messages\""));
  EXPECT_EQ(code(send(modern("1", "prompts/get", R"("name":"none")"))), -32602);
  EXPECT_EQ(code(send(modern("1", "prompts/get", R"("name":"ask_prompt")"))), -32602);
  EXPECT_EQ(code(send(modern("1", "prompts/get", R"("name":"greet","arguments":{"a":5})"))), -32602);
}

TEST_F(ServerTest, CompletionChecksItsReference) {
  const std::string argument = R"(,"argument":{"name":"a","value":""})";
  EXPECT_TRUE(has(send(modern("1", "completion/complete", R"("ref":{"type":"ref/prompt","name":"greet"})" + argument)), R"("values":["a"])"));
  EXPECT_EQ(code(send(modern("1", "completion/complete", R"("ref":{"type":"ref/prompt","name":"none"})" + argument))), -32602);
  EXPECT_EQ(code(send(modern("1", "completion/complete", R"("ref":{"type":"ref/other"})" + argument))), -32602);
  EXPECT_EQ(code(send(modern("1", "completion/complete", R"("ref":{"type":"ref/prompt","name":"greet"})"))), -32602);
}

TEST_F(ServerTest, PassesMetaToTheHandlerForTheNextHop) {
  send(modern("1", "tools/call", R"("name":"hold")", R"("traceparent":"00-aa-bb-01","com.example/x":1)"));
  EXPECT_EQ(passing_meta(Slice(handler.seen_meta)), R"("traceparent":"00-aa-bb-01","com.example/x":1)");
}

TEST_F(ServerTest, RequestsInFlightAreBounded) {
  for (size_t i = 0; i < limits::mcp_in_flight; ++i) {
    EXPECT_EQ(send(modern(std::to_string(i), "tools/call", R"("name":"holdn)" + std::to_string(i) + "\"")), "");
  }
  EXPECT_TRUE(has(send(modern("1000", "tools/call", R"("name":"echo")")), "busy"));
  EXPECT_EQ(code(send(modern("1001", "resources/read", R"("uri":"test://a")"))), -32603);
  EXPECT_EQ(code(send(modern("1002", "tools/list"))), 0);
}

TEST_F(ServerTest, AnswersOverTheBoundBecomeAnErrorThatSaysSo) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  lines.clear();
  server->reply(handler.held["hold"], tool_answer(std::string(limits::mcp_line_bytes, 'x')), now);
  EXPECT_TRUE(has(joined(), R"("isError":true)") && has(joined(), "ask for less"));
  EXPECT_LT(joined().size(), 1000u);
}

TEST_F(ServerTest, AMalformedAnswerOfAHandlerBecomesAnInternalError) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  lines.clear();
  server->reply(handler.held["hold"], R"({"resultType":"surprise"})", now);
  EXPECT_EQ(code(joined()), -32603);
}

// Cancel, progress, log, end

TEST_F(ServerTest, ACancelledCallIsNeverAnswered) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  EXPECT_EQ(send(notification("notifications/cancelled", R"({"requestId":1,"reason":"x"})")), "");
  EXPECT_EQ(handler.cancelled, std::vector<CallToken>{handler.held["hold"]});
  EXPECT_FALSE(server->reply(handler.held["hold"], "{}", now));
  EXPECT_FALSE(server->progress(handler.held["hold"], {1}, now));
  EXPECT_FALSE(server->fail(handler.held["hold"], {}));
  EXPECT_EQ(joined(), "");
}

TEST_F(ServerTest, CancellingSomethingUnknownIsIgnored) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  for (const char* params : {R"({"requestId":2})", R"({"requestId":"1"})", "{}", R"({"requestId":null})"}) send(notification("notifications/cancelled", params));
  EXPECT_TRUE(handler.cancelled.empty());
}

TEST_F(ServerTest, ProgressCarriesTheTokenAsSentAndOnlyRises) {
  send(modern("1", "tools/call", R"("name":"hold")", R"("progressToken":"p\u0041")"));
  lines.clear();
  const CallToken token = handler.held["hold"];
  server->progress(token, {0, 100, "go"}, now);
  EXPECT_EQ(joined(), R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p\u0041","progress":0,"total":100,"message":"go"}})");
  now = now + seconds(1);
  server->progress(token, {0}, now);
  server->progress(token, {0.0 / 0.0}, now);
  EXPECT_EQ(lines.size(), 1u);
  server->progress(token, {50}, now);
  EXPECT_EQ(lines.size(), 2u);
  server->progress(token, {60}, now + limits::mcp_progress_interval - nanoseconds(1));
  EXPECT_EQ(lines.size(), 2u);
  server->progress(token, {70}, now + limits::mcp_progress_interval);
  EXPECT_EQ(lines.size(), 3u);
  server->reply(token, R"({"content":[]})", now);
  EXPECT_FALSE(server->progress(token, {100}, now + seconds(9)));
}

TEST_F(ServerTest, NoProgressWithoutAToken) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  EXPECT_TRUE(server->progress(handler.held["hold"], {1}, now));
  EXPECT_EQ(joined(), "");
}

TEST_F(ServerTest, ModernLogsFollowTheLevelOfTheirRequest) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  send(modern("2", "tools/call", R"("name":"hold2")", R"("io.modelcontextprotocol/logLevel":"warning")"));
  server->log(handler.held["hold"], Severity::emergency, "l", "1");
  server->log(handler.held["hold2"], Severity::notice, "l", "1");
  EXPECT_EQ(joined(), "");
  server->log(handler.held["hold2"], Severity::warning, "l", R"({"a":1})");
  EXPECT_EQ(joined(), R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"warning","logger":"l","data":{"a":1}}})");
  EXPECT_EQ(last.stream, handler.held["hold2"]);
}

TEST_F(ServerTest, LegacyLogsFollowTheSessionAndStartAtInfo) {
  open_session();
  send(request("1", "tools/call", R"("name":"hold")"));
  server->log(handler.held["hold"], Severity::debug, "", "1");
  EXPECT_EQ(lines.size(), 0u);
  server->log(handler.held["hold"], Severity::info, "", "1");
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_EQ(send(request("2", "logging/setLevel", R"("level":"error")")), R"({"jsonrpc":"2.0","id":2,"result":{}})");
  EXPECT_EQ(code(send(request("3", "logging/setLevel", R"("level":"loud")"))), -32602);
  send(request("4", "tools/call", R"("name":"hold2")"));
  server->log(handler.held["hold2"], Severity::info, "", "1");
  EXPECT_EQ(lines.size(), 0u);
}

TEST_F(ServerTest, ACallThatTakesTooLongIsStoppedAndAnswered) {
  options.call_timeout = seconds(5);
  restart();
  send(modern("1", "tools/call", R"("name":"hold")"));
  EXPECT_EQ(server->next_deadline(), Instant{} + seconds(5));
  server->on_timer(Instant{} + seconds(5) - nanoseconds(1));
  EXPECT_EQ(joined(), "");
  server->on_timer(Instant{} + seconds(5));
  EXPECT_TRUE(has(joined(), R"("isError":true)"));
  EXPECT_EQ(handler.cancelled.size(), 1u);
  EXPECT_EQ(server->next_deadline(), never);
}

TEST_F(ServerTest, TheEndOfTheStreamCancelsAllWorkSilently) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  send(modern("L", "x"));
  send(modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["test://a"]})"));
  lines.clear();
  server->on_close();
  EXPECT_EQ(joined(), "");
  EXPECT_EQ(handler.cancelled.size(), 1u);
  EXPECT_EQ(handler.watches.back(), "-test://a");
  EXPECT_FALSE(server->reply(handler.held["hold"], "{}", now));
}

TEST_F(ServerTest, MissingCapabilityNamesAnObject) {
  send(modern("1", "tools/call", R"("name":"hold")"));
  server->fail_missing(handler.held["hold"], "needs sampling", R"({"sampling":{}})");
  EXPECT_TRUE(has(joined(), R"("code":-32021,"message":"needs sampling","data":{"requiredCapabilities":{"sampling":{}}})"));
  open_session();
  send(request("2", "tools/call", R"("name":"hold")"));
  server->fail_missing(handler.held["hold"], "needs sampling", R"({"sampling":{}})");
  EXPECT_TRUE(has(joined(), R"("isError":true)"));
}

TEST_F(ServerTest, LegacyAnswersHaveNoModernFields) {
  open_session("2024-11-05");
  for (const std::string& answer : {send(request("1", "tools/list")), send(request("2", "tools/call", R"("name":"echo")")), send(request("3", "resources/read", R"("uri":"test://a")"))}) {
    EXPECT_EQ(code(answer), 0);
    EXPECT_FALSE(has(answer, "resultType") || has(answer, "ttlMs") || has(answer, "_meta")) << answer;
  }
}

TEST_F(ServerTest, TellsTheTransportWhichStreamALineBelongsTo) {
  send(modern("1", "tools/call", R"("name":"hold")", R"("progressToken":1)"));
  const CallToken token = handler.held["hold"];
  server->progress(token, {1}, now);
  EXPECT_EQ(last.stream, token);
  EXPECT_FALSE(last.is_answer);
  server->reply(token, R"({"content":[]})", now);
  EXPECT_EQ(last.stream, token);
  EXPECT_TRUE(last.is_answer);
  send(modern("1", "nonsense"));
  EXPECT_EQ(last.error_code, -32601);
}

}  // namespace
}  // namespace tideline::mcp
