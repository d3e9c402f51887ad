// The tools, resources and prompts of every agent, over a gateway stream.
#include "agent/gateway/builtin_provider.hpp"

#include "agent/gateway/builtin_offer.hpp"
#include "unit/agent/gateway/fake_services.hpp"
#include "unit/agent/gateway/gateway_fixture.hpp"

namespace tideline::test {
namespace {

using agent::BuiltinProvider;
using model::Stream;

class BuiltinProviderTest : public GatewayTest {
 public:
  BuiltinProviderTest() {
    gateway.add(provider);
    desk = open(lines);
  }
  /// Lets the provider read back what was stored before this run: nothing.
  void know_history() {
    if (std::exchange(is_history_known, true)) return;
    desk->on_line(call_tool("\"history\"", "list_series"));
    while (lines.all.empty()) answer_query({});
    lines.all.clear();
  }
  std::string request(std::string_view line) {
    know_history();
    desk->on_line(line);
    return lines.last();
  }
  std::string call(std::string_view tool, std::string_view arguments = "{}") { return request(call_tool(next_id(), tool, arguments)); }
  std::string next_id() { return std::to_string(++last_id); }
  void reading(model::SeriesId series, int64_t second, double value) {
    model::ReadingBatch batch;
    batch.add_f64(series, {utc(second).nanos, model::TimeSource::agent}, value);
    provider.on_readings(services.known.at(series).stream, batch);
  }
  /// The question of the tool `query` or of a series resource.
  model::Query answer_query(model::QueryAnswer answer) {
    const auto [query, token] = services.asked.at(0);
    services.asked.erase(services.asked.begin());
    provider.on_answer(token, answer);
    return query;
  }
  static std::string structured(const std::string& line) {
    const auto json = mcp::check_json(line);
    return json ? std::string(mcp::find_member(mcp::find_member(*json, "result"), "structuredContent").raw()) : std::string();
  }

  FakeServices services;
  BuiltinProvider provider{services, gateway};
  Lines lines;
  std::unique_ptr<agent::Desk> desk;
  bool is_history_known = false;
  int last_id = 0;
};

// Offer

TEST_F(BuiltinProviderTest, EveryDefinitionIsSoundByTheRulesForThirdParties) {
  const agent::Offer offer = agent::builtin_offer();
  EXPECT_EQ(offer.tools.size(), 7u);
  for (const mcp::Tool& tool : offer.tools) {
    std::string json;
    mcp::append_tool(json, tool, mcp::newest_modern);
    ASSERT_TRUE(mcp::check_json(json)) << tool.name;
    const auto judged = mcp::judge_tool(mcp::Slice(json));
    EXPECT_TRUE(judged.value && judged.problem.empty()) << tool.name << ": " << judged.problem;
    EXPECT_TRUE(mcp::find_member(mcp::Slice(tool.output_schema_json), "type").equals("object")) << tool.name << ": legacy clients need it";
  }
}

TEST_F(BuiltinProviderTest, OnlyRecordAndSyncNowChangeSomething) {
  for (const mcp::Tool& tool : agent::builtin_offer().tools) {
    const mcp::ToolHints hints = mcp::read_hints(mcp::Slice(tool.annotations_json));
    EXPECT_EQ(hints.is_read_only, tool.name != "record" && tool.name != "sync_now") << tool.name;
    EXPECT_FALSE(hints.is_destructive) << tool.name;
  }
}

// Values

TEST_F(BuiltinProviderTest, LatestTellsValueAndAge) {
  reading(services.add("temp{room=a}"), 990, 21.5);
  const std::string answer = structured(call("latest", R"({"series":"temp"})"));
  EXPECT_TRUE(has(answer, R"("key":"temp{room=a}")"));
  EXPECT_TRUE(has(answer, R"("age_s":10,"value":21.5})")) << answer;
  EXPECT_TRUE(has(answer, R"("since_then":"silent")"));
  EXPECT_TRUE(has(answer, R"("time_quality":"synced")"));
}

TEST_F(BuiltinProviderTest, SeriesOfEarlierRunsAreReadBackOnce) {
  const auto alive = services.add("alive");
  const auto dead = services.add("dead");
  model::QueryAnswer stored;
  stored.series = {services.points(alive, {{700, 1}, {800, 2}})};
  desk->on_line(call_tool("1", "latest"));
  desk->on_line(call_tool("2", "list_series"));
  EXPECT_TRUE(lines.all.empty()) << "they wait";
  ASSERT_EQ(services.asked.size(), 1u);
  EXPECT_EQ(services.asked[0].first.to_ns, utc(900).nanos) << "what came since then passed by";
  provider.on_answer(services.asked[0].second, stored);
  ASSERT_EQ(services.asked.size(), 2u) << "what was not among the newest rows is asked for alone";
  EXPECT_EQ(services.asked[1].first.series.name_glob, "dead");
  model::QueryAnswer last;
  last.series = {services.points(dead, {{5, 9}})};
  provider.on_answer(services.asked[1].second, last);
  ASSERT_EQ(lines.all.size(), 2u);
  EXPECT_TRUE(has(lines.all[0], R"("age_s":200,"value":2)"));
  EXPECT_TRUE(has(lines.all[0], R"("since_then":"not_listening")")) << "the last reading before this run was at 800";
  EXPECT_TRUE(has(lines.all[1], R"("age_s":995,"value":9)"));
  desk->on_line(call_tool("3", "latest"));
  EXPECT_EQ(services.asked.size(), 2u);
}

TEST_F(BuiltinProviderTest, ASeriesThatFellSilentLongAgoHoldsNobodyUpForLong) {
  reading(services.add("alive"), 990, 1);
  services.add("dead");
  desk->on_line(call_tool("1", "latest"));
  desk->on_line(call_tool("2", "query"));
  answer_query({});  // what was before this run; now the dead series is looked for
  ASSERT_EQ(services.asked.size(), 2u);
  EXPECT_EQ(services.asked[0].first.limit, 500u) << "the query needs no more than that";
  for (unsigned tick = 0; tick < limits::history_ticks; ++tick) {
    EXPECT_TRUE(lines.all.empty());
    provider.on_tick(TestClock::current);
  }
  ASSERT_EQ(lines.all.size(), 1u);
  EXPECT_TRUE(has(structured(lines.last()), R"("reading_back":true)"));
  const auto dead = services.asked[1].second;
  model::QueryAnswer found;
  found.series = {services.points(1, {{5, 9}})};
  provider.on_answer(dead, found);
  desk->on_line(call_tool("3", "latest", R"({"series":"dead"})"));
  EXPECT_TRUE(has(structured(lines.last()), R"("value":9)"));
}

TEST_F(BuiltinProviderTest, AStoreThatCannotBeReadIsSaidAndTriedAgain) {
  services.add("a");
  desk->on_line(call_tool("1", "latest"));
  provider.on_answer(services.asked[0].second, Error{ErrorCode::io, 0, "read segment"});
  EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
  EXPECT_TRUE(has(lines.last(), "read segment"));
  desk->on_line(call_tool("2", "latest"));
  EXPECT_EQ(services.asked.size(), 2u);
}

TEST_F(BuiltinProviderTest, ACallThatWaitsForThePastCanBeCancelled) {
  services.add("a");
  desk->on_line(call_tool("1", "latest"));
  desk->on_line(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  provider.on_answer(services.asked[0].second, model::QueryAnswer{});
  EXPECT_TRUE(lines.all.empty());
}

// Questions

TEST_F(BuiltinProviderTest, AQueryIsAnsweredWithRowsAndWhatTheyAreWorth) {
  const auto id = services.add("temp");
  call("query", R"({"series":"temp","from":"-1m","aggregate":"max","step":"10s","limit":7})");
  model::QueryAnswer answer;
  answer.series = {services.points(id, {{950, 1}, {960, 2}})};
  const model::Query query = answer_query(answer);
  EXPECT_EQ(query.from_ns, utc(940).nanos);
  EXPECT_EQ(query.aggregate, model::Aggregate::max);
  EXPECT_EQ(query.step, seconds(10));
  EXPECT_EQ(query.limit, 7u);
  const std::string json = structured(lines.last());
  EXPECT_TRUE(has(json, R"("rows":2,"age_s":40)")) << json;
  EXPECT_TRUE(has(json, R"("state":"complete")"));
  EXPECT_TRUE(has(lines.last(), "temp")) << "the text has the rows too";
}

TEST_F(BuiltinProviderTest, GapsOfTheClassAreInTheAnswer) {
  services.add("temp");
  services.add("other", Stream::bulk);
  model::Gap gap;
  gap.count = 12;
  gap.from_ns = utc(950).nanos;
  gap.to_ns = utc(955).nanos;
  services.lost[model::index_of(Stream::normal)] = {gap};
  call("query", R"({"series":"temp","from":"-1m"})");
  answer_query({});
  EXPECT_TRUE(has(structured(lines.last()), R"("state":"lost")"));
  EXPECT_TRUE(has(structured(lines.last()), R"("count":12)"));
  call("query", R"({"series":"other","from":"-1m"})");
  answer_query({});
  EXPECT_TRUE(has(structured(lines.last()), R"("state":"silent")"));
}

TEST_F(BuiltinProviderTest, WrongArgumentsAreExplained) {
  EXPECT_TRUE(has(call("query", R"({"from":"last week"})"), "isError"));
  EXPECT_TRUE(has(lines.last(), "write -15m"));
  EXPECT_TRUE(has(call("query", R"({"step":"5"})"), "step"));
  EXPECT_TRUE(has(call("query", R"({"limit":0})"), "at least 1"));
  EXPECT_TRUE(has(call("query", R"({"serie":"x"})"), "known: series"));
  EXPECT_TRUE(has(call("latest", R"({"series":"a{"})"), "isError"));
}

TEST_F(BuiltinProviderTest, AnAnswerBeyondItsBoundSaysHowToAskForLess) {
  const auto id = services.add("t");
  call("query");
  model::QueryAnswer answer;
  answer.series = {services.points(id, {})};
  model::Point point;
  point.time_ns = utc(990).nanos;
  point.type = model::ValueType::text;
  point.text = std::string(limits::text_value_bytes, 'x');
  answer.series[0].points.assign(limits::tool_answer_bytes / limits::text_value_bytes, point);
  answer_query(answer);
  EXPECT_TRUE(has(lines.last(), "Ask for a shorter time"));
}

TEST_F(BuiltinProviderTest, BeyondTheBoundCallsAreTurnedAway) {
  know_history();
  std::vector<std::unique_ptr<agent::Desk>> desks;  // one stream has a bound of its own
  Lines other;
  for (size_t i = 0; i < limits::builtin_calls; ++i) {
    desks.push_back(open(other));
    desks.back()->on_line(call_tool("1", "query"));
  }
  EXPECT_TRUE(other.all.empty());
  desk->on_line(call_tool("999", "query"));
  EXPECT_TRUE(has(lines.last(), "busy"));
}

// Records, sync, doctor

TEST_F(BuiltinProviderTest, ARecordIsAnsweredWhenItIsDurable) {
  call("record", R"({"readings":[{"series":"a","value":1},{"series":"b","value":2}]})");
  EXPECT_TRUE(lines.all.empty());
  ASSERT_EQ(services.recorded.size(), 1u);
  provider.on_recorded(services.recorded[0].second, {});
  EXPECT_TRUE(has(structured(lines.last()), R"("recorded":2,"durable":true)"));
}

TEST_F(BuiltinProviderTest, AFailedCommitIsNoSuccess) {
  call("record", R"({"readings":[{"series":"a","value":1}]})");
  provider.on_recorded(services.recorded[0].second, Error{ErrorCode::io, 5, "commit"});
  EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
  EXPECT_FALSE(has(lines.last(), "structuredContent"));
}

TEST_F(BuiltinProviderTest, ARecordWithoutRoomIsRefusedAtOnce) {
  services.refusal = Error{ErrorCode::full, 0, "no room"};
  EXPECT_TRUE(has(call("record", R"({"readings":[{"series":"a","value":1}]})"), "try again"));
  EXPECT_TRUE(has(call("record", R"({"readings":[]})"), "at least 1")) << lines.last();
}

TEST_F(BuiltinProviderTest, SyncNowAsksAndTellsTheState) {
  services.view.hub = "hub:7443";
  services.view.state = "waiting";
  services.view.backlog = {1, 20, 300};
  services.view.last_error = "no route";
  const std::string answer = call("sync_now");
  EXPECT_EQ(services.syncs, 1);
  EXPECT_TRUE(has(structured(answer), R"("backlog_readings":321)"));
  EXPECT_TRUE(has(structured(answer), R"("requested":true)"));
  EXPECT_TRUE(has(answer, "no route"));
  call("sync_status");
  EXPECT_EQ(services.syncs, 1);
}

TEST_F(BuiltinProviderTest, TheDoctorsWorstFindingIsItsVerdict) {
  services.findings = {{"store", agent::Health::good, "fine", ""}, {"clock", agent::Health::bad, "1970", "set up NTP"}};
  EXPECT_TRUE(has(structured(call("doctor")), R"("health":"bad"})"));
}

// Resources

TEST_F(BuiltinProviderTest, ResourcesAreReadWithTheirTimeToLive) {
  const auto id = services.add("temp{room=a}");
  const auto read = [&](std::string_view address) { return request(modern(next_id(), "resources/read", R"("uri":")" + std::string(address) + "\"")); };
  EXPECT_TRUE(has(read("tideline://status"), R"("ttlMs":1000,"cacheScope":"private")"));
  EXPECT_TRUE(has(read("tideline://series"), "temp{room=a}"));
  EXPECT_TRUE(has(read("tideline://gaps"), R"(\"gaps\":[])"));
  desk->on_line(modern(next_id(), "resources/read", R"("uri":"tideline://series/temp%7Broom%3Da%7D")"));
  model::QueryAnswer answer;
  answer.series = {services.points(id, {{980, 1}, {995, 2}})};
  EXPECT_EQ(answer_query(answer).limit, limits::resource_points);
  EXPECT_TRUE(has(lines.last(), R"("ttlMs":10000)")) << "a reading every 15 s, the last 5 s ago";
  for (const char* unknown : {"tideline://series/none", "tideline://series/", "tideline://series/%zz", "tideline://else"}) {
    EXPECT_TRUE(has(read(unknown), "-32602")) << unknown;
  }
}

TEST_F(BuiltinProviderTest, WatchersHearOfCommittedDataOnce) {
  const auto id = services.add("temp{room=a}");
  services.add("other");
  desk->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["tideline://series/temp%7Broom%3Da%7D","tideline://series/other"]})"));
  lines.all.clear();
  reading(id, 990, 1);
  reading(id, 991, 1);
  provider.on_tick(TestClock::current);
  EXPECT_TRUE(lines.all.empty()) << "not committed yet";
  provider.on_committed(Stream::normal);
  provider.on_tick(TestClock::current);
  ASSERT_EQ(lines.all.size(), 1u);
  EXPECT_TRUE(has(lines.last(), R"("uri":"tideline://series/temp%7Broom%3Da%7D")")) << "as the watcher wrote it";
  provider.on_tick(TestClock::current);
  EXPECT_EQ(lines.all.size(), 1u);
}

TEST_F(BuiltinProviderTest, WatchersOfTheStatusHearAtMostEveryFewSeconds) {
  desk->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["tideline://status"]})"));
  lines.all.clear();
  for (int second = 0; second < 10; ++second) {
    provider.on_committed(Stream::normal);
    provider.on_tick(TestClock::current + seconds(second));
  }
  EXPECT_EQ(lines.all.size(), 2u);
  services.view.state = "online";
  provider.on_tick(TestClock::current + seconds(20));
  provider.on_tick(TestClock::current + seconds(40));
  EXPECT_EQ(lines.all.size(), 3u);
}

TEST_F(BuiltinProviderTest, WatchersOfGapsHearOfNewOnes) {
  desk->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["tideline://gaps"]})"));
  lines.all.clear();
  provider.on_tick(TestClock::current);
  EXPECT_TRUE(lines.all.empty());
  model::Gap gap;
  gap.count = 3;
  services.lost[0].push_back(gap);
  provider.on_tick(TestClock::current);
  provider.on_tick(TestClock::current);
  EXPECT_EQ(lines.all.size(), 1u);
}

// Prompts and completion

TEST_F(BuiltinProviderTest, PromptsCarryWhatIsNeededToAnswerThem) {
  services.findings = {{"clock", agent::Health::bad, "1970", "set up NTP"}};
  const std::string diagnosis = request(modern(next_id(), "prompts/get", R"("name":"diagnose_device","arguments":{})"));
  EXPECT_TRUE(has(diagnosis, "set up NTP"));
  EXPECT_TRUE(has(diagnosis, "tideline://gaps"));
  EXPECT_TRUE(has(request(modern(next_id(), "prompts/get", R"("name":"explain_outage","arguments":{"since":"-1h"})")), format_utc(utc(1000) - hours(1))));
  EXPECT_TRUE(has(request(modern(next_id(), "prompts/get", R"("name":"explain_outage","arguments":{"since":"then"})")), "-32602"));
  EXPECT_TRUE(has(request(modern(next_id(), "prompts/get", R"("name":"explain_outage","arguments":{})")), "-32602"));
}

TEST_F(BuiltinProviderTest, SeriesNamesAreCompletedOnceEach) {
  services.add("temp{room=a}");
  services.add("temp{room=a}", Stream::bulk);
  services.add("pump");
  const auto complete = [&](std::string_view ref, std::string_view name, std::string_view value) {
    return request(modern(next_id(), "completion/complete", R"("ref":)" + std::string(ref) + R"(,"argument":{"name":")" + std::string(name) + R"(","value":")" + std::string(value) + "\"}"));
  };
  EXPECT_TRUE(has(complete(R"({"type":"ref/resource","uri":"tideline://series/{name}"})", "name", "te"), R"("values":["temp{room=a}"],"total":1)"));
  EXPECT_TRUE(has(complete(R"({"type":"ref/prompt","name":"explain_outage"})", "series", ""), R"("values":["pump","temp{room=a}"])"));
  EXPECT_TRUE(has(complete(R"({"type":"ref/prompt","name":"explain_outage"})", "since", "-1"), R"(["-15m","-1h"])"));
}

}  // namespace
}  // namespace tideline::test
