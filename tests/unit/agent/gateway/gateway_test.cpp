#include "agent/gateway/gateway.hpp"

#include "unit/agent/gateway/gateway_fixture.hpp"

namespace tideline::test {
namespace {

using agent::Desk;

mcp::Resource resource(std::string uri) {
  mcp::Resource one;
  one.uri = std::move(uri);
  one.name = "r";
  return one;
}

TEST_F(GatewayTest, EveryProvidersToolsAreInOneList) {
  ScriptedProvider first("beta");
  ScriptedProvider second("alpha");
  gateway.add(first);
  gateway.add(second);
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(modern("1", "tools/list"));
  EXPECT_LT(lines.last().find("alpha"), lines.last().find("beta"));
}

TEST_F(GatewayTest, OfTwoWithOneNameTheFirstIsServedAndTheOtherIsLogged) {
  ScriptedProvider first("same");
  ScriptedProvider second("same");
  gateway.add(first);
  gateway.add(second);
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(call_tool("1", "same"));
  EXPECT_EQ(first.calls.size(), 1u);
  EXPECT_EQ(second.calls.size(), 0u);
  ASSERT_EQ(quiet.lines.size(), 1u);
  EXPECT_TRUE(has(quiet.lines[0], "tool same"));
}

TEST_F(GatewayTest, AnAnswerGoesToTheStreamOfItsCall) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines a;
  Lines b;
  const auto one = open(a);
  const auto two = open(b);
  one->on_line(call_tool("1", "t"));
  two->on_line(call_tool("1", "t"));
  EXPECT_TRUE(gateway.reply(provider.calls[1], mcp::tool_answer("for two")));
  EXPECT_TRUE(a.all.empty());
  EXPECT_TRUE(has(b.last(), "for two"));
  EXPECT_FALSE(gateway.reply(provider.calls[1], mcp::tool_answer("again")));
}

TEST_F(GatewayTest, AProviderMayAnswerAtOnce) {
  ScriptedProvider provider("t");
  provider.answers = &gateway;
  provider.instant_answer = mcp::tool_answer("now");
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(call_tool("1", "t"));
  EXPECT_TRUE(has(lines.last(), "now"));
  EXPECT_EQ(desk->open_calls(), 0u);
}

TEST_F(GatewayTest, WhatNobodyTakesIsNotFound) {
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(modern("1", "resources/read", R"("uri":"tideline://none")"));
  EXPECT_TRUE(has(lines.last(), "-32602"));
  EXPECT_TRUE(has(lines.last(), R"("data":{"uri":"tideline://none"})"));
  desk->on_line(modern("2", "completion/complete", R"("ref":{"type":"ref/resource","uri":"x"},"argument":{"name":"a","value":""})"));
  EXPECT_TRUE(has(lines.last(), R"("values":[])"));
}

TEST_F(GatewayTest, ACancelledCallIsToldToItsProviderOnce) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(call_tool("7", "t"));
  for (int i = 0; i < 2; ++i) desk->on_line(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
  EXPECT_EQ(provider.cancelled, provider.calls);
  EXPECT_FALSE(gateway.reply(provider.calls[0], mcp::tool_answer("late")));
}

TEST_F(GatewayTest, AClosedStreamCancelsItsWork) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines lines;
  auto desk = open(lines);
  desk->on_line(call_tool("1", "t"));
  desk->on_line(call_tool("2", "t"));
  gateway.reply(provider.calls[1], mcp::tool_answer("done"));
  desk.reset();
  ASSERT_EQ(provider.cancelled.size(), 1u);
  EXPECT_EQ(provider.cancelled[0], provider.calls[0]);
  EXPECT_EQ(gateway.streams(), 0u);
}

TEST_F(GatewayTest, ACallThatTakesTooLongIsEndedAndCancelled) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(call_tool("1", "t"));
  pass(limits::mcp_call_timeout);
  EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
  EXPECT_EQ(provider.cancelled, provider.calls);
}

TEST_F(GatewayTest, AQuestionComesBackToTheSameProvider) {
  ScriptedProvider provider("t");
  provider.offered.tools[0].may_ask = true;
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  open_session(*desk, R"({"elicitation":{}})");
  desk->on_line(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}})");
  mcp::Question question;
  question.requests.push_back({"ok", mcp::Method::elicit, R"({"message":"?","requestedSchema":{"type":"object","properties":{}}})"});
  EXPECT_TRUE(gateway.ask(provider.calls.at(0), question));
  EXPECT_TRUE(has(lines.last(), "elicitation/create"));
  desk->on_line(R"({"jsonrpc":"2.0","id":"t1","result":{"action":"accept","content":{}}})");
  ASSERT_EQ(provider.calls.size(), 2u);
  EXPECT_EQ(provider.calls[1], provider.calls[0]);
  EXPECT_TRUE(has(provider.answers_in[1], "accept"));
  EXPECT_TRUE(gateway.reply(provider.calls[1], mcp::tool_answer("ok")));
}

TEST_F(GatewayTest, AQuestionEndsAModernCall) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(call_tool("1", "t"));
  mcp::Question question;
  question.state = "s";
  EXPECT_TRUE(gateway.ask(provider.calls.at(0), question));
  EXPECT_TRUE(has(lines.last(), "input_required"));
  desk->on_line(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  EXPECT_TRUE(provider.cancelled.empty());
}

TEST_F(GatewayTest, ARefusedQuestionEndsTheWork) {
  ScriptedProvider provider("t");
  provider.offered.tools[0].may_ask = true;
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  open_session(*desk, R"({"sampling":{}})");
  desk->on_line(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}})");
  mcp::Question question;
  question.requests.push_back({"say", mcp::Method::create_message, R"({"messages":[],"maxTokens":1})"});
  EXPECT_TRUE(gateway.ask(provider.calls.at(0), question));
  desk->on_line(R"({"jsonrpc":"2.0","id":"t1","error":{"code":-1,"message":"no"}})");
  EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
  EXPECT_EQ(provider.cancelled, provider.calls);
}

// Changes

TEST_F(GatewayTest, ChangesAreJoinedAndOnlyChangedListsAreAnnounced) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  open_session(*desk);
  lines.all.clear();
  provider.offered.tools[0].description = "new";
  gateway.offer_changed();
  gateway.offer_changed();
  EXPECT_EQ(due, TestClock::current + limits::mcp_announce_interval);
  pass(limits::mcp_announce_interval - nanoseconds(1));
  EXPECT_TRUE(lines.all.empty());
  pass(nanoseconds(1));
  EXPECT_EQ(lines.all, std::vector<std::string>{R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})"});
  EXPECT_EQ(catalog_changes, 1);
}

TEST_F(GatewayTest, ChangesCanBeToldAtOnce) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  provider.offered.tools[0].description = "new";
  gateway.flush_changes();
  EXPECT_EQ(catalog_changes, 0) << "nobody said that there are any";
  gateway.offer_changed();
  gateway.flush_changes();
  EXPECT_EQ(catalog_changes, 1);
  pass(limits::mcp_announce_interval);
  EXPECT_EQ(catalog_changes, 1);
}

TEST_F(GatewayTest, NothingIsAnnouncedWhenTheListsAreTheSame) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines lines;
  const auto desk = open(lines);
  open_session(*desk);
  lines.all.clear();
  gateway.offer_changed();
  pass(limits::mcp_announce_interval);
  EXPECT_TRUE(lines.all.empty());
  EXPECT_EQ(catalog_changes, 0);
}

TEST_F(GatewayTest, TheHashFollowsTheContent) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  const uint64_t before = gateway.catalog_hash();
  EXPECT_TRUE(has(gateway.catalog_json(), format(R"({"hash":"%016llx","tools":[{"name":"t")", static_cast<unsigned long long>(before))));
  provider.offered.prompts.push_back({.name = "p"});
  gateway.offer_changed();
  pass(limits::mcp_announce_interval);
  EXPECT_NE(gateway.catalog_hash(), before);
  provider.offered.prompts.clear();
  gateway.offer_changed();
  pass(limits::mcp_announce_interval);
  EXPECT_EQ(gateway.catalog_hash(), before);
}

TEST_F(GatewayTest, TheCatalogIsOneJsonObjectOfFourLists) {
  ScriptedProvider provider("t");
  provider.offered.resources.push_back(resource("tideline://a"));
  gateway.add(provider);
  const std::string text = gateway.catalog_json();
  const auto json = mcp::check_json(text);
  ASSERT_TRUE(json);
  for (const char* name : {"tools", "resources", "resourceTemplates", "prompts"}) {
    EXPECT_TRUE(mcp::find_member(*json, name).is(mcp::JsonKind::array)) << name;
  }
}

// Watching

TEST_F(GatewayTest, WatchersAreCountedOverAllStreams) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines a;
  Lines b;
  auto one = open(a);
  auto two = open(b);
  const std::string listen = modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["u://x"]})");
  one->on_line(listen);
  two->on_line(listen);
  EXPECT_EQ(provider.watches, std::vector<std::string>{"+u://x"});
  one.reset();
  EXPECT_EQ(provider.watches.size(), 1u);
  EXPECT_TRUE(gateway.is_watched("u://x"));
  two.reset();
  EXPECT_EQ(provider.watches.back(), "-u://x");
  EXPECT_FALSE(gateway.is_watched("u://x"));
}

TEST_F(GatewayTest, AnUpdateReachesThoseWhoWatch) {
  ScriptedProvider provider("t");
  gateway.add(provider);
  Lines a;
  Lines b;
  const auto one = open(a);
  const auto two = open(b);
  one->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["u://x"]})"));
  gateway.resource_updated("u://x");
  gateway.resource_updated("u://other");
  ASSERT_EQ(a.all.size(), 2u);
  EXPECT_TRUE(has(a.last(), R"("method":"notifications/resources/updated","params":{"uri":"u://x")"));
  EXPECT_TRUE(b.all.empty());
}

TEST_F(GatewayTest, ListensEndWithTheirResult) {
  Lines lines;
  const auto desk = open(lines);
  desk->on_line(modern("\"L\"", "subscriptions/listen", R"("notifications":{"toolsListChanged":true})"));
  gateway.end_listens();
  ASSERT_EQ(lines.all.size(), 3u);
  EXPECT_TRUE(has(lines.all[1], R"("id":"L","result")"));
  EXPECT_TRUE(has(lines.all[2], "notifications/cancelled"));
}

}  // namespace
}  // namespace tideline::test
