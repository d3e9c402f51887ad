#include "mcp/client.hpp"

#include <gtest/gtest.h>

#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

class ClientTest : public testing::Test, public ClientListener {
 protected:
  void on_line_out(std::string line) override {
    EXPECT_TRUE(check_json(line).has_value()) << line;
    EXPECT_LE(line.size(), limits::mcp_line_bytes);
    sent.push_back(std::move(line));
  }
  void on_ready() override { events += "ready;"; }
  void on_respawn_wanted() override { events += "respawn;"; }
  void on_unusable(std::string_view why) override { events += "unusable:" + std::string(why) + ";"; }
  void on_outcome(const Outcome& o) override {
    events += "outcome" + std::to_string(o.tag) + ":" + std::string(o.result.raw()) + std::string(o.error.raw()) +
              (o.failure ? error_name(o.failure->code) : "") + ";";
  }
  void on_progress(uint64_t tag, Slice params) override { events += "progress" + std::to_string(tag) + ":" + std::string(find_member(params, "progress").raw()) + ";"; }
  void on_list(ListKind kind, const std::vector<std::string>& items, bool is_cut) override {
    events += std::string(list_name(kind)) + std::to_string(items.size()) + (is_cut ? "cut" : "") + ";";
    listed = items;
  }
  void on_list_failed(ListKind kind, std::string_view why) override { events += std::string(list_name(kind)) + " failed:" + std::string(why) + ";"; }
  void on_resource_updated(std::string_view uri) override { events += "updated:" + std::string(uri) + ";"; }
  void on_log(Slice params) override { events += "log" + std::string(params.raw()) + ";"; }
  void on_request(std::string_view id, Method method, Slice) override { events += "request" + std::string(id) + std::string(method_text(method)) + ";"; }

  void start(ClientOptions options = {}) {
    options.name = "tideline";
    options.version = "1";
    client = std::make_unique<Client>(options, *this);
    client->on_started(now);
  }
  void receive(const std::string& line) { client->on_line(line, now); }
  /// Answers the last request sent.
  void answer(std::string_view result) { answer_to(sent.back(), result); }
  void answer_to(const std::string& request, std::string_view result) { receive(result_line(id_of(request), result)); }
  void refuse(int code) { receive(error_line(id_of(sent.back()), {RpcCode{code}, "no", {}})); }
  static std::string id_of(const std::string& line) { return std::string(find_member(Slice(line), "id").raw()); }
  static std::string method_of(const std::string& line) { return find_member(Slice(line), "method").text(); }
  static Slice params_of(const std::string& line) { return find_member(Slice(line), "params"); }
  void pass(Duration time) {
    now = now + time;
    client->on_timer(now);
  }
  /// The last request sent with that method.
  const std::string& sent_last(std::string_view method) {
    static const std::string none;
    for (auto at = sent.rbegin(); at != sent.rend(); ++at) {
      if (method_of(*at) == method) return *at;
    }
    ADD_FAILURE() << "not sent: " << method;
    return none;
  }
  size_t count_sent(std::string_view method) const {
    size_t count = 0;
    for (const std::string& line : sent) count += method_of(line) == method;
    return count;
  }
  void start_modern(const std::string& capabilities = "{}") {
    start();
    answer(R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":)" + capabilities + "}");
  }
  void start_legacy(const std::string& capabilities = "{}", ClientOptions options = {}) {
    options.era = EraChoice::legacy;
    start(options);
    answer(R"({"protocolVersion":"2025-06-18","serverInfo":{"name":"x"},"capabilities":)" + capabilities + "}");
  }
  uint64_t call() {
    const Result<uint64_t> tag = client->call_tool("t", Slice(R"({"n":9007199254740993})"), now);
    EXPECT_TRUE(tag.has_value());
    return tag ? *tag : 0;
  }

  std::unique_ptr<Client> client;
  Instant now{1};
  std::vector<std::string> sent;
  std::string events;
  std::vector<std::string> listed;
};

// Era

TEST_F(ClientTest, ProbesFirstAndABecomesModernWhenTheServerKnowsOurRevision) {
  start();
  EXPECT_EQ(method_of(sent[0]), "server/discover");
  EXPECT_TRUE(find_member(find_member(params_of(sent[0]), "_meta"), "io.modelcontextprotocol/protocolVersion").equals("2026-07-28"));
  answer(R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"}}})");
  EXPECT_EQ(events, "ready;");
  EXPECT_EQ(client->revision(), Revision::r2026_07_28);
  EXPECT_EQ(client->server_info_json(), R"({"name":"s"})");
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(ClientTest, FallsBackToInitializeOnAnyErrorOfTheProbe) {
  for (const int code : {-32601, -32602, -32600, -32000, -32022, 1}) {
    sent.clear();
    events.clear();
    start();
    refuse(code);
    EXPECT_EQ(method_of(sent.back()), "initialize") << code;
    EXPECT_TRUE(find_member(params_of(sent.back()), "protocolVersion").equals("2025-11-25"));
    EXPECT_FALSE(find_member(params_of(sent.back()), "_meta").is_present());
    answer(R"({"protocolVersion":"2025-03-26","capabilities":{},"serverInfo":{}})");
    EXPECT_EQ(method_of(sent.back()), "notifications/initialized");
    EXPECT_EQ(events, "ready;");
    EXPECT_EQ(client->revision(), Revision::r2025_03_26);
  }
}

TEST_F(ClientTest, FallsBackWhenTheServerIsSilentOrKnowsOtherRevisionsOnly) {
  start();
  pass(limits::mcp_probe_timeout);
  EXPECT_EQ(method_of(sent.back()), "initialize");
  start();
  answer(R"({"resultType":"complete","supportedVersions":["2030-01-01"],"capabilities":{}})");
  EXPECT_EQ(method_of(sent.back()), "initialize");
}

TEST_F(ClientTest, ALateAnswerToTheProbeStillDecides) {
  start();
  pass(limits::mcp_probe_timeout);
  answer_to(sent[0], R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{}})");
  EXPECT_EQ(events, "ready;");
  EXPECT_EQ(client->revision(), newest_modern);
  answer_to(sent[1], R"({"protocolVersion":"2025-11-25","capabilities":{}})");
  EXPECT_EQ(client->revision(), newest_modern);
  EXPECT_EQ(client->counters().stray, 1u);
}

TEST_F(ClientTest, AServerThatDiesOfTheProbeIsStartedAgainAndGreetedAtOnce) {
  start();
  client->on_exit(now);
  EXPECT_EQ(events, "respawn;");
  client->on_started(now);
  EXPECT_EQ(method_of(sent.back()), "initialize");
  client->on_exit(now);
  EXPECT_EQ(events, "respawn;") << "an exit without a probe is not blamed on one";
}

TEST_F(ClientTest, ALegacyServerIsNotProbedAgainAfterARestart) {
  start();
  refuse(-32601);
  answer(R"({"protocolVersion":"2025-11-25","capabilities":{}})");
  client->on_exit(now);
  client->on_started(now);
  EXPECT_EQ(method_of(sent.back()), "initialize");
}

TEST_F(ClientTest, AChosenEraIsKept) {
  start({.name = "", .version = "", .era = EraChoice::modern});
  refuse(-32601);
  EXPECT_TRUE(events.starts_with("unusable:"));
  events.clear();
  start({.name = "", .version = "", .era = EraChoice::modern});
  pass(limits::mcp_probe_timeout);
  EXPECT_EQ(events, "");
  pass(limits::mcp_start_timeout);
  EXPECT_TRUE(events.starts_with("unusable:"));
  start({.name = "", .version = "", .era = EraChoice::legacy});
  EXPECT_EQ(method_of(sent.back()), "initialize");
}

TEST_F(ClientTest, GivesUpOnVersionsItDoesNotSpeakAndOnSilence) {
  start({.name = "", .version = "", .era = EraChoice::legacy});
  answer(R"({"protocolVersion":"1999-01-01","capabilities":{}})");
  EXPECT_TRUE(events.starts_with("unusable:"));
  events.clear();
  start({.name = "", .version = "", .era = EraChoice::legacy});
  pass(limits::mcp_start_timeout);
  EXPECT_EQ(events, "unusable:no answer to initialize in time;");
}

// Calls

TEST_F(ClientTest, AModernCallCarriesTheEnvelopeAndRawArguments) {
  start_modern();
  const uint64_t tag = call();
  const Slice params = params_of(sent.back());
  EXPECT_EQ(find_member(params, "arguments").raw(), R"({"n":9007199254740993})");
  const Slice meta = find_member(params, "_meta");
  EXPECT_TRUE(find_member(meta, "io.modelcontextprotocol/clientCapabilities").is(JsonKind::object));
  EXPECT_EQ(find_member(meta, "progressToken").raw(), std::to_string(tag));
  answer(R"({"resultType":"complete","content":[]})");
  EXPECT_TRUE(events.ends_with("outcome" + std::to_string(tag) + R"(:{"resultType":"complete","content":[]};)"));
}

TEST_F(ClientTest, ALegacyCallCarriesNoEnvelope) {
  start_legacy();
  call();
  EXPECT_EQ(sent.back().find("io.modelcontextprotocol"), std::string::npos);
  EXPECT_NE(sent.back().find("progressToken"), std::string::npos);
  const auto raw = client->request({.method = Method::get_prompt, .members = R"("name":"p")", .meta = R"("traceparent":"x")"}, now);
  ASSERT_TRUE(raw.has_value());
  EXPECT_EQ(params_of(sent.back()).raw(), R"({"name":"p","_meta":{"traceparent":"x"}})");
}

TEST_F(ClientTest, ModernAnswersMustSayWhatTheyAre) {
  start_modern();
  for (const char* wrong : {R"({"content":[]})", R"({"resultType":"surprise"})"}) {
    call();
    answer(wrong);
    EXPECT_TRUE(events.ends_with("damaged;")) << events;
  }
  call();
  answer(R"({"resultType":"input_required","requestState":"s"})");
  EXPECT_TRUE(events.ends_with(R"("requestState":"s"};)"));
}

TEST_F(ClientTest, AnswersComeInAnyOrderAndErrorsPassRaw) {
  start_legacy();
  const uint64_t first = call();
  const std::string first_line = sent.back();
  call();
  refuse(-32602);
  answer_to(first_line, "{}");
  EXPECT_TRUE(events.ends_with("outcome" + std::to_string(first) + ":{};"));
  EXPECT_NE(events.find(R"(:{"code":-32602,"message":"no"})"), std::string::npos);
}

TEST_F(ClientTest, TakesIdsSentBackAsStrings) {
  start_legacy();
  const uint64_t tag = call();
  receive(result_line("\"" + std::to_string(tag) + "\"", "{}"));
  EXPECT_TRUE(events.ends_with("outcome" + std::to_string(tag) + ":{};"));
}

TEST_F(ClientTest, ATimeoutCancelsAndProgressExtendsUpToTheAbsoluteBound) {
  start_legacy();
  const uint64_t tag = call();
  const std::string progress = notification_line("notifications/progress", R"({"progressToken":)" + std::to_string(tag) + R"(,"progress":1})");
  pass(limits::mcp_request_timeout - seconds(1));
  receive(progress);
  pass(limits::mcp_request_timeout - seconds(1));
  EXPECT_TRUE(events.ends_with("progress" + std::to_string(tag) + ":1;"));
  for (int i = 0; i < 20 && !events.ends_with("timed out;"); ++i) {
    receive(progress);
    pass(limits::mcp_request_timeout - seconds(1));
  }
  EXPECT_TRUE(events.ends_with("timed out;"));
  EXPECT_EQ(method_of(sent.back()), "notifications/cancelled");
  EXPECT_EQ(find_member(params_of(sent.back()), "requestId").raw(), std::to_string(tag));
  EXPECT_LE(now.nanos, (limits::mcp_call_timeout + limits::mcp_request_timeout).nanos);
}

TEST_F(ClientTest, ACancelledCallBringsNoEvent) {
  start_legacy();
  const uint64_t tag = call();
  const std::string line = sent.back();
  events.clear();
  client->cancel(tag, "user");
  EXPECT_EQ(sent.back(), R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + std::to_string(tag) + R"(,"reason":"user"}})");
  answer_to(line, "{}");
  EXPECT_EQ(events, "");
  client->cancel(tag, "again");
  EXPECT_EQ(count_sent("notifications/cancelled"), 1u);
}

TEST_F(ClientTest, TheEndOfTheServerFailsWhatWasUnderWay) {
  start_legacy();
  call();
  client->on_exit(now);
  EXPECT_TRUE(events.ends_with("closed;"));
  EXPECT_FALSE(client->call_tool("t", {}, now).has_value());
  EXPECT_EQ(client->next_deadline(), never);
}

TEST_F(ClientTest, CallsInFlightAndTheirLengthAreBounded) {
  start_legacy();
  for (size_t i = 0; i < limits::mcp_in_flight; ++i) call();
  EXPECT_EQ(client->call_tool("t", {}, now).error().code, ErrorCode::limit);
  start_legacy();
  const std::string longest = "\"" + std::string(limits::mcp_line_bytes, 'x') + "\"";
  EXPECT_EQ(client->call_tool("t", Slice(longest), now).error().code, ErrorCode::limit);
}

TEST_F(ClientTest, MethodsOfTheOtherEraAreNotSent) {
  start_legacy();
  EXPECT_EQ(client->request({.method = Method::get_task}, now).error().code, ErrorCode::unsupported);
  start_modern();
  EXPECT_EQ(client->request({.method = Method::set_level}, now).error().code, ErrorCode::unsupported);
}

// Tolerance

TEST_F(ClientTest, ToleratesNoiseAndEarlyNotifications) {
  start();
  receive("Server listening on stdio");
  receive("[]");
  receive("{\"a\":1}");
  receive(notification_line("notifications/tools/list_changed", ""));
  receive(notification_line("notifications/unheard/of", ""));
  receive(result_line("77", "{}"));
  refuse(-32601);
  EXPECT_EQ(client->counters().bad_lines, 2u);
  EXPECT_EQ(client->counters().stray, 1u);
}

TEST_F(ClientTest, AnswersPingAndRefusesWhatItDidNotDeclare) {
  start_legacy();
  receive(request_line("\"s-1\"", "ping", ""));
  EXPECT_EQ(sent.back(), R"({"jsonrpc":"2.0","id":"s-1","result":{}})");
  for (const char* method : {"sampling/createMessage", "roots/list", "elicitation/create", "other"}) {
    receive(request_line("5", method, "{}"));
    EXPECT_NE(sent.back().find("-32601"), std::string::npos) << method;
  }
}

TEST_F(ClientTest, RelaysRequestsItDeclared) {
  start_legacy("{}", {.name = "", .version = "", .capabilities_json = R"({"elicitation":{}})"});
  receive(request_line("5", "elicitation/create", "{}"));
  EXPECT_TRUE(events.ends_with("request5elicitation/create;"));
  client->answer("5", R"({"action":"decline"})", nullptr);
  EXPECT_EQ(sent.back(), R"({"jsonrpc":"2.0","id":5,"result":{"action":"decline"}})");
}

TEST_F(ClientTest, PassesLogsAndUpdates) {
  start_legacy();
  receive(notification_line("notifications/message", R"({"level":"info","data":1})"));
  receive(notification_line("notifications/resources/updated", R"({"uri":"u"})"));
  EXPECT_TRUE(events.ends_with(R"(log{"level":"info","data":1};updated:u;)"));
}

// Lists

TEST_F(ClientTest, ReadsTheListsThatAreOfferedPageByPage) {
  start_legacy(R"({"tools":{}})");
  EXPECT_EQ(method_of(sent.back()), "tools/list");
  EXPECT_EQ(count_sent("resources/list"), 0u);
  answer(R"({"tools":[{"name":"a"}],"nextCursor":""})");
  EXPECT_EQ(find_member(params_of(sent.back()), "cursor").raw(), "\"\"");
  answer(R"({"tools":[{"name":"b"}]})");
  EXPECT_EQ(events, "ready;tools2;");
  EXPECT_EQ(listed, (std::vector<std::string>{R"({"name":"a"})", R"({"name":"b"})"}));
}

TEST_F(ClientTest, PagesAndItemsAreBounded) {
  start_legacy(R"({"tools":{}})");
  for (size_t i = 0; i < limits::mcp_list_pages; ++i) answer(R"({"tools":[{}],"nextCursor":"again"})");
  EXPECT_TRUE(events.ends_with("tools" + std::to_string(limits::mcp_list_pages) + "cut;"));
  events.clear();
  client->refresh(ListKind::tools, now);
  std::string items = "{}";
  for (size_t i = 0; i < limits::mcp_list_items; ++i) items += ",{}";
  answer(R"({"tools":[)" + items + "]}");
  EXPECT_EQ(events, "tools" + std::to_string(limits::mcp_list_items) + "cut;");
}

TEST_F(ClientTest, AChangeWhileReadingReadsAgainOnce) {
  start_legacy(R"({"tools":{}})");
  const std::string changed = notification_line("notifications/tools/list_changed", "");
  receive(changed);
  receive(changed);
  EXPECT_EQ(count_sent("tools/list"), 1u);
  answer(R"({"tools":[]})");
  EXPECT_EQ(count_sent("tools/list"), 2u);
  answer(R"({"tools":[]})");
  EXPECT_EQ(count_sent("tools/list"), 2u);
}

TEST_F(ClientTest, AListThatFailsSaysWhy) {
  start_legacy(R"({"tools":{},"prompts":{}})");
  refuse(-32603);
  EXPECT_TRUE(events.ends_with("prompts failed:no;"));
  pass(limits::mcp_request_timeout);
  EXPECT_TRUE(events.ends_with("tools failed:no answer in time;"));
  client->refresh(ListKind::tools, now);
  answer(R"({"tools":5})");
  EXPECT_TRUE(events.ends_with("tools failed:the answer holds no list;"));
}

// Watching

TEST_F(ClientTest, ListensForListChangesAndAgainAfterTheStreamEnds) {
  start_modern(R"({"tools":{"listChanged":true}})");
  EXPECT_EQ(find_member(params_of(sent_last("subscriptions/listen")), "notifications").raw(), R"({"toolsListChanged":true})");
  answer_to(sent_last("subscriptions/listen"), R"({"resultType":"complete"})");
  EXPECT_EQ(count_sent("subscriptions/listen"), 1u);
  pass(seconds(5));
  EXPECT_EQ(count_sent("subscriptions/listen"), 2u);
}

TEST_F(ClientTest, AListenThatIsRefusedIsNotRepeated) {
  start_modern(R"({"tools":{"listChanged":true}})");
  const std::string line = sent_last("subscriptions/listen");
  receive(error_line(id_of(line), {RpcCode::method_not_found, "no", {}}));
  pass(minutes(10));
  EXPECT_EQ(count_sent("subscriptions/listen"), 1u);
}

TEST_F(ClientTest, ANewSetOfWatchedUrisListensBeforeItLetsGo) {
  start_modern(R"({"resources":{"subscribe":true}})");
  client->watch({"u:1"}, now);
  const std::string first = sent_last("subscriptions/listen");
  client->watch({"u:1", "u:2"}, now);
  ASSERT_GE(sent.size(), 2u);
  EXPECT_EQ(method_of(sent[sent.size() - 2]), "subscriptions/listen");
  EXPECT_EQ(find_member(params_of(sent.back()), "requestId").raw(), id_of(first));
  client->watch({}, now);
  EXPECT_EQ(method_of(sent.back()), "notifications/cancelled");
}

TEST_F(ClientTest, LegacyWatchesSubscribeTheDifferenceAndAgainAfterARestart) {
  start_legacy(R"({"resources":{"subscribe":true}})");
  client->watch({"u:1", "u:2"}, now);
  client->watch({"u:2", "u:3"}, now);
  EXPECT_EQ(count_sent("resources/subscribe"), 3u);
  EXPECT_EQ(find_member(params_of(sent_last("resources/unsubscribe")), "uri").raw(), "\"u:1\"");
  client->on_exit(now);
  client->on_started(now);
  answer(R"({"protocolVersion":"2025-06-18","capabilities":{"resources":{"subscribe":true}}})");
  EXPECT_EQ(count_sent("resources/subscribe"), 5u);
}

}  // namespace
}  // namespace tideline::mcp
