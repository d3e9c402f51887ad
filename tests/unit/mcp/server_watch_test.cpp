// Listens, subscriptions and change notifications.
#include "unit/mcp/server_fixture.hpp"

namespace tideline::mcp {
namespace {

class ServerWatchTest : public ServerTest {
 protected:
  std::string listen(std::string_view id, const std::string& filter, const std::string& capabilities = all_capabilities) {
    return send(modern(id, "subscriptions/listen", "\"notifications\":" + filter, "", capabilities));
  }
};

TEST_F(ServerWatchTest, AcknowledgesFirstWithTheGrantedSubset) {
  EXPECT_EQ(listen("\"L1\"", R"({"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["test://a","test://a"],"future":1})"),
            R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true,)"
            R"("resourceSubscriptions":["test://a"]},"_meta":{"io.modelcontextprotocol/subscriptionId":"L1"}}})");
  EXPECT_EQ(handler.watches, std::vector<std::string>{"+test://a"});
}

TEST_F(ServerWatchTest, GrantsNothingThatIsNotOffered) {
  options.resources = options.prompts = options.tasks = false;
  restart();
  EXPECT_TRUE(has(listen("1", R"({"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["u"],"taskIds":["t"]})"), R"("notifications":{})"));
}

TEST_F(ServerWatchTest, GrantsOnlyTasksWhoseChangesAreTold) {
  options.announced_tasks = "own-";
  restart();
  EXPECT_TRUE(has(listen("1", R"({"taskIds":["child.7","own-1"]})"), R"("notifications":{"taskIds":["own-1"]})"));
  EXPECT_TRUE(has(listen("2", R"({"taskIds":["child.7"]})"), R"("notifications":{})"));
}

TEST_F(ServerWatchTest, MalformedFiltersAreRefused) {
  for (const char* filter : {"[]", "null", R"({"toolsListChanged":1})", R"({"resourceSubscriptions":"x"})", R"({"resourceSubscriptions":[1]})",
                             R"({"toolsListChanged":true,"toolsListChanged":true})"}) {
    EXPECT_EQ(code(listen("1", filter)), -32602) << filter;
  }
  EXPECT_EQ(code(send(modern("1", "subscriptions/listen"))), -32602);
}

TEST_F(ServerWatchTest, SendsOnlyWhatWasAskedTaggedWithTheIdAsSent) {
  listen("7", R"({"toolsListChanged":true})");
  listen("\"7\"", R"({"resourceSubscriptions":["test://a"]})");
  lines.clear();
  server->announce_list(ListKind::tools);
  EXPECT_EQ(joined(), R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}})");
  lines.clear();
  server->announce_resource("test://a");
  server->announce_resource("test://b");
  server->announce_list(ListKind::prompts);
  server->announce_list(ListKind::templates);
  EXPECT_EQ(joined(),
            R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://a","_meta":{"io.modelcontextprotocol/subscriptionId":"7"}}})");
}

TEST_F(ServerWatchTest, ModernPeersHearNothingUnsolicited) {
  send(modern("1", "tools/list"));
  lines.clear();
  server->announce_list(ListKind::tools);
  server->announce_resource("test://a");
  EXPECT_EQ(joined(), "");
}

TEST_F(ServerWatchTest, LegacyPeersHearListChangesOnlyAfterInitialized) {
  send(request("0", "initialize", R"("protocolVersion":"2025-11-25","capabilities":{})"));
  lines.clear();
  server->announce_list(ListKind::tools);
  EXPECT_EQ(joined(), "");
  send(notification("notifications/initialized"));
  server->announce_list(ListKind::templates);
  EXPECT_EQ(joined(), R"({"jsonrpc":"2.0","method":"notifications/resources/list_changed"})");
}

TEST_F(ServerWatchTest, LegacySubscriptionsBringUpdatesUntilUnsubscribed) {
  open_session();
  EXPECT_EQ(send(request("1", "resources/subscribe", R"("uri":"test://a")")), R"({"jsonrpc":"2.0","id":1,"result":{}})");
  lines.clear();
  server->announce_resource("test://a");
  server->announce_resource("test://b");
  EXPECT_EQ(joined(), R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://a"}})");
  EXPECT_EQ(send(request("2", "resources/unsubscribe", R"("uri":"test://a")")), R"({"jsonrpc":"2.0","id":2,"result":{}})");
  lines.clear();
  server->announce_resource("test://a");
  EXPECT_EQ(joined(), "");
  EXPECT_EQ(handler.watches, (std::vector<std::string>{"+test://a", "-test://a"}));
  EXPECT_EQ(code(send(request("3", "resources/subscribe"))), -32602);
}

TEST_F(ServerWatchTest, WatchesAreCountedAcrossListensAndSubscriptions) {
  open_session();
  listen("1", R"({"resourceSubscriptions":["test://a"]})");
  listen("2", R"({"resourceSubscriptions":["test://a"]})");
  send(request("3", "resources/subscribe", R"("uri":"test://a")"));
  send(notification("notifications/cancelled", R"({"requestId":1})"));
  send(notification("notifications/cancelled", R"({"requestId":2})"));
  EXPECT_EQ(handler.watches, std::vector<std::string>{"+test://a"});
  server->on_close();
  EXPECT_EQ(handler.watches, (std::vector<std::string>{"+test://a", "-test://a"}));
}

TEST_F(ServerWatchTest, ACancelledListenIsSilentForGood) {
  listen("1", R"({"toolsListChanged":true})");
  EXPECT_EQ(send(notification("notifications/cancelled", R"({"requestId":1})")), "");
  server->announce_list(ListKind::tools);
  EXPECT_EQ(joined(), "");
}

TEST_F(ServerWatchTest, EndsListensWithTheResultBeforeTheCancellation) {
  listen("\"L\"", R"({"toolsListChanged":true})");
  lines.clear();
  server->end_listens();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], R"({"jsonrpc":"2.0","id":"L","result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"L"}}})");
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"L"}})");
  options.is_http = true;
  restart();
  listen("1", "{}");
  lines.clear();
  server->end_listens();
  EXPECT_EQ(lines.size(), 1u);
}

TEST_F(ServerWatchTest, TaskChangesGoToListensThatNameThem) {
  EXPECT_TRUE(has(listen("1", R"({"taskIds":["t-1"]})"), R"("taskIds":["t-1"])"));
  EXPECT_FALSE(has(listen("2", R"({"taskIds":["t-1"]})", "{}"), "taskIds"));
  lines.clear();
  server->announce_task({.id = "t-1"});
  server->announce_task({.id = "t-2"});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(has(lines[0], R"("method":"notifications/tasks","params":{"taskId":"t-1","status":"working")"));
}

TEST_F(ServerWatchTest, ListensAndUrisAreBounded) {
  for (size_t i = 0; i < limits::mcp_listens; ++i) EXPECT_TRUE(has(listen(std::to_string(i), "{}"), "acknowledged"));
  EXPECT_EQ(code(listen("100", "{}")), -32603);
  restart();
  std::string uris;
  for (size_t i = 0; i <= limits::mcp_watched_uris; ++i) uris += (i > 0 ? ",\"u" : "\"u") + std::to_string(i) + "\"";
  const std::string answer = listen("1", R"({"resourceSubscriptions":[)" + uris + "]}");
  EXPECT_TRUE(has(answer, "\"u" + std::to_string(limits::mcp_watched_uris - 1) + "\""));
  EXPECT_FALSE(has(answer, "\"u" + std::to_string(limits::mcp_watched_uris) + "\""));
}

TEST_F(ServerWatchTest, LegacySubscriptionsAreBounded) {
  open_session();
  for (size_t i = 0; i < limits::mcp_watched_uris; ++i) {
    EXPECT_EQ(code(send(request("1", "resources/subscribe", R"("uri":"u)" + std::to_string(i) + "\""))), 0);
  }
  EXPECT_EQ(code(send(request("1", "resources/subscribe", R"("uri":"one more")"))), -32603);
  EXPECT_EQ(code(send(request("1", "resources/subscribe", R"("uri":"u0")"))), 0);
}

TEST_F(ServerWatchTest, AListenHoldsItsId) {
  listen("1", "{}");
  EXPECT_EQ(code(send(modern("1", "tools/list"))), -32600);
}

}  // namespace
}  // namespace tideline::mcp
