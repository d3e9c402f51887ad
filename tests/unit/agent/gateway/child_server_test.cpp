#include "agent/gateway/child_server.hpp"

#include <algorithm>

#include "unit/agent/gateway/gateway_fixture.hpp"
#include "unit/agent/gateway/provider_fakes.hpp"

namespace tideline::test {
namespace {

using agent::ChildConfig;
using agent::ChildServer;

constexpr std::string_view none = "{}";
constexpr std::string_view modern_caller = R"({"elicitation":{"form":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
constexpr std::string_view echo = R"({"name":"echo","inputSchema":{"type":"object"}})";

std::string request(std::string_view id, std::string_view method, std::string_view members, std::string_view capabilities = none, std::string_view meta = {}) {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) + R"(","params":{)" + std::string(members) +
         R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":)" + std::string(capabilities) + std::string(meta) + "}}}";
}

class ChildServerTest : public GatewayTest {
 public:
  ChildServerTest() {
    config.name = "it";
    config.prefix = "it";
    config.command = {"server"};
  }
  ~ChildServerTest() override {
    desk.reset();  // before the gateway
  }
  void make() {
    server = std::make_unique<ChildServer>(config, agent::ChildServerOptions{"1", &TestClock::now, 1}, gateway, port, notebook, quiet);
    gateway.add(*server);
    server->begin();
    notebook.deliver();
    desk = open(lines);
  }
  /// The server as it is after its first start: legacy unless told otherwise.
  void make_ready(bool is_modern = false) {
    config.era = is_modern ? mcp::EraChoice::modern : mcp::EraChoice::legacy;
    make();
    become_ready(is_modern);
    pass(limits::mcp_announce_interval);
    lines.all.clear();
  }
  void become_ready(bool is_modern = false) {
    if (is_modern) {
      answer_child("server/discover", R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}})");
      answer_child("tools/list", R"({"resultType":"complete","ttlMs":1,"cacheScope":"private","tools":[)" + std::string(echo) + "]}");
      return;
    }
    answer_child("initialize", R"({"protocolVersion":"2025-11-25","serverInfo":{"name":"x","version":"1"},"capabilities":{"tools":{},"resources":{"subscribe":true},"prompts":{}}})");
    answer_child("tools/list", R"({"tools":[)" + std::string(echo) + "]}");
    answer_child("resources/list", R"({"resources":[{"uri":"r://1","name":"one"}]})");
    answer_child("resources/templates/list", R"({"resourceTemplates":[]})");
    answer_child("prompts/list", R"({"prompts":[{"name":"greet"}]})");
  }
  /// The newest request of this method that the child got, its id.
  std::string id_of(std::string_view method) {
    for (size_t i = port.sent.size(); i-- > 0;) {
      const mcp::Slice line(port.sent[i]);
      if (mcp::find_member(line, "method").equals(method)) return std::string(mcp::find_member(line, "id").raw());
    }
    ADD_FAILURE() << "the child got no " << method;
    return "0";
  }
  mcp::Slice params_of(std::string_view method) {
    const auto found = std::find_if(port.sent.rbegin(), port.sent.rend(), [&](const std::string& line) { return mcp::find_member(mcp::Slice(line), "method").equals(method); });
    return found != port.sent.rend() ? mcp::find_member(mcp::Slice(*found), "params") : mcp::Slice();
  }
  size_t count_sent(std::string_view method) {
    return static_cast<size_t>(std::count_if(port.sent.begin(), port.sent.end(), [&](const std::string& line) { return mcp::find_member(mcp::Slice(line), "method").equals(method); }));
  }
  void answer_child(std::string_view method, const std::string& result) {
    say(R"({"jsonrpc":"2.0","id":)" + id_of(method) + R"(,"result":)" + result + "}");
  }
  void refuse_child(std::string_view method, const std::string& error) {
    say(R"({"jsonrpc":"2.0","id":)" + id_of(method) + R"(,"error":)" + error + "}");
  }
  void say(const std::string& line) {
    ASSERT_NE(port.child, nullptr);
    port.child->on_line(line);
  }
  void wait(Duration time) {
    TestClock::current = TestClock::current + time;
    if (port.alarm <= TestClock::current) server->on_alarm();
  }
  void call(std::string_view id = "1", std::string_view more = {}, std::string_view capabilities = none, std::string_view meta = {}) {
    desk->on_line(request(id, "tools/call", R"("name":"it__echo","arguments":{"n":9007199254740993})" + std::string(more), capabilities, meta));
  }

  ChildConfig config;
  PlayedPort port;
  MemoryNotebook notebook;
  std::unique_ptr<ChildServer> server;
  Lines lines;
  std::unique_ptr<agent::Desk> desk;
};

// Start and stop

TEST_F(ChildServerTest, WithoutKnownListsItStartsAtOnceAndOffersThem) {
  make_ready();
  EXPECT_EQ(port.starts, 1);
  EXPECT_NE(gateway.catalog().find_tool("it__echo"), nullptr);
  EXPECT_NE(gateway.catalog().find_prompt("it__greet"), nullptr);
  EXPECT_EQ(gateway.catalog().size(mcp::ListKind::resources), 1u);
  EXPECT_EQ(server->status().state, "ready");
}

TEST_F(ChildServerTest, WithKnownListsItStartsWithItsFirstCall) {
  make_ready();
  notebook.deliver();
  EXPECT_EQ(notebook.notes.size(), 4u);
  desk.reset();
  agent::Gateway next(options(), nullptr, *this, quiet);
  PlayedPort next_port;
  ChildServer again(config, {"1", &TestClock::now, 1}, next, next_port, notebook, quiet);
  next.add(again);
  again.begin();
  notebook.deliver();
  EXPECT_EQ(next_port.starts, 0);
  next.on_timer(TestClock::current + limits::mcp_announce_interval);
  EXPECT_NE(next.catalog().find_tool("it__echo"), nullptr);
  desk = next.open_stream({}, lines);
  call();
  EXPECT_EQ(next_port.starts, 1);
  EXPECT_EQ(again.status().calls, 1u);
  desk.reset();
}

TEST_F(ChildServerTest, WhatAServerDoesNotOfferIsKnownToo) {
  make_ready(true);
  notebook.deliver();
  PlayedPort next_port;
  ChildServer again(config, {"1", &TestClock::now, 1}, gateway, next_port, notebook, quiet);
  again.begin();
  notebook.deliver();
  EXPECT_EQ(next_port.starts, 0);
}

TEST_F(ChildServerTest, AListThatCouldNotBeReadIsAskedForAtTheNextStart) {
  config.era = mcp::EraChoice::legacy;
  make();
  answer_child("initialize", R"({"protocolVersion":"2025-11-25","serverInfo":{"name":"x","version":"1"},"capabilities":{"tools":{}}})");
  refuse_child("tools/list", R"({"code":-32603,"message":"not now"})");
  notebook.deliver();
  PlayedPort next_port;
  ChildServer again(config, {"1", &TestClock::now, 1}, gateway, next_port, notebook, quiet);
  again.begin();
  notebook.deliver();
  EXPECT_EQ(next_port.starts, 1);
}

TEST_F(ChildServerTest, AnotherCommandHasOtherLists) {
  make_ready();
  notebook.deliver();
  config.command = {"other"};
  PlayedPort next_port;
  ChildServer again(config, {"1", &TestClock::now, 1}, gateway, next_port, notebook, quiet);
  again.begin();
  notebook.deliver();
  EXPECT_EQ(next_port.starts, 1);
}

TEST_F(ChildServerTest, AnIdleServerIsStoppedAndStartedByTheNextCall) {
  config.idle_stop = minutes(1);
  make_ready();
  wait(seconds(59));
  EXPECT_EQ(port.stops, 0);
  wait(seconds(1));
  EXPECT_EQ(port.stops, 1);
  port.end("exit code 0");
  EXPECT_EQ(server->status().state, "asleep");
  EXPECT_EQ(server->status().failures, 0u);
  EXPECT_NE(gateway.catalog().find_tool("it__echo"), nullptr);
  call();
  EXPECT_EQ(port.starts, 2);
  become_ready();
  answer_child("tools/call", R"({"content":[]})");
  EXPECT_TRUE(has(lines.last(), R"("content":[])"));
}

TEST_F(ChildServerTest, ACallDuringTheStopWaitsForTheNextStart) {
  config.idle_stop = minutes(1);
  make_ready();
  wait(minutes(1));
  call();
  EXPECT_TRUE(lines.all.empty());
  port.end("exit code 0");
  EXPECT_EQ(port.starts, 2);
}

TEST_F(ChildServerTest, AServerInUseOrKeptForGoodIsNotStopped) {
  config.idle_stop = minutes(1);
  make_ready();
  desk->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["r://1"]})"));
  EXPECT_EQ(count_sent("resources/subscribe"), 1u);
  answer_child("resources/subscribe", "{}");
  wait(minutes(10));
  EXPECT_EQ(port.stops, 0);
}

TEST_F(ChildServerTest, WhenItEndsCallsFailAtOnceAndItIsStartedAgain) {
  make_ready();
  call();
  port.end("signal 9");
  EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
  EXPECT_TRUE(has(lines.last(), "not known"));
  EXPECT_EQ(server->status().state, "waiting");
  EXPECT_EQ(server->status().last_exit, "signal 9");
  EXPECT_EQ(port.starts, 1);
  wait(milliseconds(1500));
  EXPECT_EQ(port.starts, 2);
  become_ready();
  call("2");
  answer_child("tools/call", R"({"content":[]})");
  EXPECT_TRUE(has(lines.last(), R"("id":2)"));
}

TEST_F(ChildServerTest, AServerThatKeepsDyingIsStartedEverMoreSeldomAndCallsSaySo) {
  make_ready();
  for (int i = 0; i < 20; ++i) {
    if (port.child != nullptr) port.end("exit code 1");
    wait(limits::backoff_cap);
  }
  ASSERT_NE(port.child, nullptr);
  port.end("exit code 1");
  EXPECT_GT(port.alarm, TestClock::current + limits::child_retry_wait);
  call();
  EXPECT_TRUE(has(lines.last(), "exit code 1"));
  EXPECT_TRUE(has(lines.last(), "isError"));
  EXPECT_TRUE(std::none_of(quiet.lines.begin(), quiet.lines.end(), [](const std::string& line) { return has(line, "9007199254740993"); }));
}

TEST_F(ChildServerTest, AProgramThatIsNotThereIsTriedAgain) {
  port.start_result = Error{ErrorCode::not_found, 0, "start program"};
  make();
  EXPECT_EQ(server->status().state, "waiting");
  EXPECT_EQ(server->status().last_exit, "cannot start server: not found");
  port.start_result = {};
  wait(limits::backoff_cap);
  EXPECT_EQ(port.starts, 1);
}

TEST_F(ChildServerTest, AServerThatDiesOfTheProbeIsGreetedAtOnceTheNextTime) {
  make();
  EXPECT_EQ(count_sent("server/discover"), 1u);
  port.end("exit code 1");
  EXPECT_EQ(port.starts, 2);
  EXPECT_EQ(count_sent("initialize"), 1u);
  become_ready();
  EXPECT_EQ(server->status().failures, 0u);
}

TEST_F(ChildServerTest, AServerWithWhichNothingCanBeAgreedIsStoppedAndTriedAgain) {
  config.era = mcp::EraChoice::modern;
  make();
  refuse_child("server/discover", R"({"code":-32601,"message":"no"})");
  EXPECT_EQ(port.stops, 1);
  port.end("exit code 0");
  EXPECT_TRUE(has(server->status().last_exit, "does not speak"));
  wait(limits::backoff_cap);
  EXPECT_EQ(port.starts, 2);
}

TEST_F(ChildServerTest, AfterStopNothingIsStartedAndCallsAreRefused) {
  make_ready();
  call();
  server->stop();
  EXPECT_TRUE(has(lines.last(), "closing down"));
  EXPECT_EQ(port.stops, 1);
  port.end("exit code 0");
  call("2");
  EXPECT_EQ(port.starts, 1);
  EXPECT_EQ(server->status().state, "stopped");
}

// Calls

TEST_F(ChildServerTest, ACallGoesOnInTheServersWordsAndItsAnswerComesBackAsItIs) {
  make_ready();
  call("\"x\"", {}, none, R"(,"traceparent":"00-1","vendor/k":1)");
  const mcp::Slice params = params_of("tools/call");
  EXPECT_TRUE(mcp::find_member(params, "name").equals("echo"));
  EXPECT_EQ(mcp::find_member(params, "arguments").raw(), R"({"n":9007199254740993})");
  EXPECT_EQ(mcp::find_member(params, "_meta").raw(), R"({"traceparent":"00-1","vendor/k":1})");
  answer_child("tools/call", R"({"content":[],"structuredContent":{"big":9007199254740993},"vendor":[1]})");
  EXPECT_TRUE(has(lines.last(), R"("id":"x","result":{"resultType":"complete","content":[],"structuredContent":{"big":9007199254740993},"vendor":[1])"));
}

TEST_F(ChildServerTest, AModernServerSeesTheCapabilitiesOfTheCaller) {
  make_ready(true);
  call("1", {}, modern_caller);
  EXPECT_EQ(mcp::find_member(mcp::find_member(params_of("tools/call"), "_meta"), "io.modelcontextprotocol/clientCapabilities").raw(), modern_caller);
}

TEST_F(ChildServerTest, ProgressAndCancellationAreRelayed) {
  make_ready();
  call("1", {}, none, R"(,"progressToken":"mine")");
  const std::string token(mcp::find_member(mcp::find_member(params_of("tools/call"), "_meta"), "progressToken").raw());
  say(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" + token + R"(,"progress":2,"total":3,"message":"m"}})");
  EXPECT_TRUE(has(lines.last(), R"({"progressToken":"mine","progress":2,"total":3,"message":"m"})"));
  desk->on_line(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  EXPECT_EQ(mcp::find_member(params_of("notifications/cancelled"), "requestId").raw(), id_of("tools/call"));
  EXPECT_EQ(server->status().calls, 0u);
}

TEST_F(ChildServerTest, AQuestionPassesAndItsStateComesBackByteForByte) {
  make_ready(true);
  call("1", {}, modern_caller);
  constexpr std::string_view state = R"("sealed by \u00e4 them")";
  answer_child("tools/call", R"({"resultType":"input_required","requestState":)" + std::string(state) + R"(,"inputRequests":{"k":{"method":"elicitation/create","params":{"message":"?"}}}})");
  EXPECT_TRUE(has(lines.last(), "input_required"));
  call("2", R"(,"inputResponses":{"k":{"action":"accept"}},"requestState":)" + std::string(state), modern_caller);
  EXPECT_EQ(mcp::find_member(params_of("tools/call"), "requestState").raw(), state);
  EXPECT_EQ(mcp::find_member(params_of("tools/call"), "inputResponses").raw(), R"({"k":{"action":"accept"}})");
}

TEST_F(ChildServerTest, ALegacyCallerAnswersTheQuestionsOfAModernServer) {
  make_ready(true);
  open_session(*desk, R"({"elicitation":{}})");
  desk->on_line(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"it__echo","arguments":{}}})");
  EXPECT_TRUE(has(mcp::find_member(params_of("tools/call"), "_meta").raw(), R"("elicitation":{"form":{}})"));
  answer_child("tools/call", R"({"resultType":"input_required","requestState":"s","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"?"}}}})");
  desk->on_line(R"({"jsonrpc":"2.0","id":"t1","result":{"action":"accept"}})");
  EXPECT_EQ(count_sent("tools/call"), 2u);
  EXPECT_EQ(mcp::find_member(params_of("tools/call"), "requestState").raw(), R"("s")");
  EXPECT_TRUE(mcp::find_member(params_of("tools/call"), "inputResponses").is_present());
}

TEST_F(ChildServerTest, TasksAreNamedAfterTheServerAndBelongToTheirCaller) {
  make_ready(true);
  call("1", {}, modern_caller);
  answer_child("tools/call", R"({"resultType":"task","taskId":"7.x","status":"working","createdAt":"2026-08-01T09:00:00Z","lastUpdatedAt":"2026-08-01T09:00:00Z","ttlMs":1})");
  EXPECT_TRUE(has(lines.last(), R"("taskId":"it.7.x")"));
  const auto ask = [&](agent::Desk& from) { from.on_line(request("2", "tasks/get", R"("taskId":"it.7.x")", modern_caller)); };
  ask(*desk);
  EXPECT_EQ(mcp::find_member(params_of("tasks/get"), "taskId").raw(), R"("7.x")");
  answer_child("tasks/get", R"({"resultType":"complete","taskId":"7.x","status":"completed","result":{"taskId":"7.x"}})");
  EXPECT_TRUE(has(lines.last(), R"("taskId":"it.7.x","status":"completed","result":{"taskId":"7.x"})"));
  Lines theirs;
  agent::StreamOptions options;
  options.principal = "mallory";
  const auto other = gateway.open_stream(options, theirs);
  ask(*other);
  EXPECT_TRUE(has(theirs.last(), "-32602"));
  EXPECT_EQ(count_sent("tasks/get"), 1u);
}

TEST_F(ChildServerTest, ErrorsKeepTheirCodeAndData) {
  make_ready(true);
  call("1");
  refuse_child("tools/call", R"({"code":-32021,"message":"needs sampling","data":{"requiredCapabilities":{"sampling":{}}}})");
  EXPECT_TRUE(has(lines.last(), R"("error":{"code":-32021,"message":"needs sampling","data":{"requiredCapabilities":{"sampling":{}}}})"));
  call("2");
  refuse_child("tools/call", R"({"code":77,"message":"odd","data":[9007199254740993]})");
  EXPECT_TRUE(has(lines.last(), R"("error":{"code":77,"message":"odd","data":[9007199254740993]})"));
}

TEST_F(ChildServerTest, PromptsResourcesAndCompletionsReachTheServer) {
  make_ready();
  desk->on_line(request("1", "prompts/get", R"("name":"it__greet")"));
  EXPECT_TRUE(mcp::find_member(params_of("prompts/get"), "name").equals("greet"));
  desk->on_line(request("2", "resources/read", R"("uri":"r://1")"));
  EXPECT_TRUE(mcp::find_member(params_of("resources/read"), "uri").equals("r://1"));
  refuse_child("resources/read", R"({"code":-32002,"message":"gone","data":{"uri":"r://1"}})");
  EXPECT_TRUE(has(lines.last(), "-32602"));
  desk->on_line(request("3", "completion/complete", R"("ref":{"type":"ref/prompt","name":"it__greet","x":1},"argument":{"name":"a","value":"v"})"));
  EXPECT_EQ(mcp::find_member(params_of("completion/complete"), "ref").raw(), R"({"type":"ref/prompt","name":"greet","x":1})");
}

TEST_F(ChildServerTest, OneTooManyIsAnsweredBusy) {
  make_ready();
  const auto second = open(lines);
  for (size_t i = 0; i < limits::mcp_in_flight; ++i) call(std::to_string(i + 1));
  EXPECT_TRUE(lines.all.empty());
  second->on_line(request("99", "tools/call", R"("name":"it__echo")"));
  EXPECT_TRUE(has(lines.last(), "busy"));
}

TEST_F(ChildServerTest, AServerThatDoesNotReadGetsNoMore) {
  make_ready();
  port.queued = limits::child_queue_bytes;
  call();
  EXPECT_TRUE(has(lines.last(), "does not read"));
  EXPECT_EQ(count_sent("tools/call"), 0u);
}

TEST_F(ChildServerTest, AnAnswerThatIsTooLongEndsItsCall) {
  make_ready();
  call();
  port.child->on_long_line();
  EXPECT_TRUE(has(lines.last(), "ask for less"));
  EXPECT_EQ(server->status().calls, 0u);
  call("2");
  call("3");
  const size_t before = lines.all.size();
  port.child->on_long_line();
  EXPECT_EQ(lines.all.size(), before) << "whose answer it was is not known";
}

TEST_F(ChildServerTest, ACallWithoutAnswerTimesOut) {
  config.call_timeout = seconds(2);
  make_ready();
  call();
  wait(seconds(2));
  EXPECT_TRUE(has(lines.last(), "did not answer in time"));
  EXPECT_EQ(count_sent("notifications/cancelled"), 1u);
}

TEST_F(ChildServerTest, LogLinesGoToTheOnlyCallUnderWay) {
  make_ready();
  const std::string log = R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"d"}})";
  call("1", {}, none, R"(,"io.modelcontextprotocol/logLevel":"info")");
  say(log);
  EXPECT_TRUE(has(lines.last(), R"({"level":"error","logger":"it","data":"d"})"));
  const size_t before = lines.all.size();
  call("2", {}, none, R"(,"io.modelcontextprotocol/logLevel":"info")");
  say(log);
  EXPECT_EQ(lines.all.size(), before);
}

TEST_F(ChildServerTest, ChangesAreAnnounced) {
  make_ready();
  desk->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"toolsListChanged":true,"resourceSubscriptions":["r://1"]})"));
  say(R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"r://1"}})");
  EXPECT_TRUE(has(lines.last(), R"("uri":"r://1")"));
  say(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  answer_child("tools/list", R"({"tools":[]})");
  pass(limits::mcp_announce_interval);
  EXPECT_TRUE(has(lines.last(), "tools/list_changed"));
  EXPECT_EQ(gateway.catalog().find_tool("it__echo"), nullptr);
}

}  // namespace
}  // namespace tideline::test
