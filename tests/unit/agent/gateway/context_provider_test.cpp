// The context over MCP: tools, resources, completion, subscriptions.
#include "agent/gateway/context_provider.hpp"

#include "gateway_fixture.hpp"
#include "support/fake_outbox.hpp"

namespace tideline::agent {
namespace {

using test::call_tool;
using test::has;
using test::modern;

class ContextProviderTest : public test::GatewayTest {
 protected:
  ContextProviderTest() {
    gateway.add(provider);
    desk = open(lines);
  }
  /// Calls the tool, lets the store do its work, gives the answer.
  std::string call(const char* tool, const std::string& arguments) {
    desk->on_line(call_tool(std::to_string(++id), tool, arguments));
    store();
    return lines.last();
  }
  std::string ask(const char* method, const std::string& members) {
    desk->on_line(modern(std::to_string(++id), method, members));
    return lines.last();
  }
  void store() {
    while (!outbox.context_puts.empty()) {
      const Outbox::Token token = outbox.context_puts.front().token;
      outbox.context_puts.erase(outbox.context_puts.begin());
      keeper.on_context_put(token, {});
    }
  }
  void hub_writes(const std::string& path, const std::string& value) {
    context::Register reg{path, context::Side::hub, {context::stamp_at(now.nanos / 1'000'000) + static_cast<context::Stamp>(++hub_counter), 0, false, 0, "ops", value}};
    keeper.apply({reg}, [](const Status&, const context::Tops&) {});
    store();
  }

  UtcNanos now{1'790'000'000'000'000'000};
  test::FakeOutbox outbox;
  ContextKeeper keeper{outbox, {}, [this] { return now; }, quiet};
  ContextCommands commands{keeper};
  ContextProvider provider{keeper, commands, gateway};
  test::Lines lines;
  std::unique_ptr<Desk> desk;
  int id = 0;
  int hub_counter = 0;
};

TEST_F(ContextProviderTest, a_value_of_any_kind_comes_back_as_it_was_written) {
  for (const char* value : {"\"eco\"", "1.50", "12345678901234567890", "null", "[1,{\"a\":true}]"}) {
    EXPECT_TRUE(has(call("context_set", std::string(R"({"path":"mode","value":)") + value + "}"), R"("structuredContent":{"path":"mode","exists":true)")) << lines.last();
    EXPECT_TRUE(has(call("context_get", R"({"path":"mode"})"), std::string(R"("value":)") + value + ",")) << lines.last();
  }
  EXPECT_TRUE(has(lines.last(), "\"author\":\"local (context_set)\""));
}

TEST_F(ContextProviderTest, an_answer_waits_for_the_disk) {
  desk->on_line(call_tool("1", "context_set", R"({"path":"mode","value":1})"));
  EXPECT_TRUE(lines.all.empty());
  store();
  EXPECT_EQ(lines.all.size(), 1U);
}

TEST_F(ContextProviderTest, a_change_that_another_one_preceded_is_refused_with_the_version) {
  call("context_set", R"({"path":"mode","value":1,"if_version":""})");
  EXPECT_TRUE(has(call("context_set", R"({"path":"mode","value":2,"if_version":""})"), R"("isError":true)")) << lines.last();
  EXPECT_TRUE(has(lines.last(), "the version is 0"));
  EXPECT_TRUE(has(call("context_get", R"({"path":"mode"})"), R"("value":1,)"));
}

TEST_F(ContextProviderTest, merging_takes_null_as_gone) {
  call("context_set", R"({"path":"pump/7","value":{"a":1,"b":2}})");
  EXPECT_TRUE(has(call("context_set", R"({"path":"pump/7","value":{"a":null,"c":3},"merge":true})"), R"("value":{"b":2,"c":3})")) << lines.last();
}

TEST_F(ContextProviderTest, wrong_input_says_what_and_changes_nothing) {
  for (const char* wrong : {R"({"path":"/mode","value":1})", R"({"path":"desired/x","value":1})", R"({"path":"m"})", R"({"path":"m","value":1,"ttl_seconds":0})", R"({"path":"m","value":1,"ttl_seconds":1e11})"}) {
    const std::string answer = call("context_set", wrong);
    EXPECT_TRUE(has(answer, R"("isError":true)") || has(answer, R"("error")")) << wrong << answer;
  }
  EXPECT_TRUE(keeper.book().entries().empty());
}

TEST_F(ContextProviderTest, a_deleted_entry_says_who_deleted_it) {
  call("context_set", R"({"path":"mode","value":1})");
  EXPECT_TRUE(has(call("context_delete", R"({"path":"mode"})"), R"("exists":false,"gone":"deleted")")) << lines.last();
  EXPECT_TRUE(has(call("context_get", R"({"path":"mode"})"), "(context_delete)"));
  EXPECT_TRUE(has(call("context_delete", R"({"path":"mode"})"), "nothing is there"));
  EXPECT_TRUE(has(call("context_get", R"({"path":"never"})"), R"("structuredContent":{"path":"never","exists":false})")) << lines.last();
}

TEST_F(ContextProviderTest, a_list_goes_by_prefix_in_pages) {
  for (const char* path : {"pump", "pump-x", "pump/1", "pump/2", "quay"}) call("context_set", std::string(R"({"path":")") + path + R"(","value":1})");
  const std::string first = call("context_list", R"({"prefix":"pump/","limit":2})");
  EXPECT_TRUE(has(first, R"("path":"pump",)") && has(first, "pump/1") && !has(first, "pump-x") && has(first, R"("next_cursor":"pump/1")")) << first;
  const std::string second = call("context_list", R"({"prefix":"pump/","limit":2,"cursor":"pump/1"})");
  EXPECT_TRUE(has(second, "pump/2") && !has(second, "quay") && !has(second, "next_cursor")) << second;
}

TEST_F(ContextProviderTest, a_conflict_is_shown_with_the_losing_value) {
  call("context_set", R"({"path":"mode","value":"device"})");
  hub_writes("mode", "\"hub\"");
  const std::string answer = call("context_get", R"({"path":"mode"})");
  EXPECT_TRUE(has(answer, R"("value":"hub",)") && has(answer, R"("rule":"last_writer","conflict":{"value":"device")")) << answer;
  EXPECT_TRUE(has(call("context_list", R"({"conflicts_only":true})"), "mode"));
  call("context_set", R"({"path":"mode","value":"both"})");
  EXPECT_TRUE(has(call("context_list", R"({"conflicts_only":true})"), R"("entries":[])")) << lines.last();
}

TEST_F(ContextProviderTest, at_hub_is_left_out_while_nobody_knows) {
  call("context_set", R"({"path":"mode","value":1})");
  EXPECT_FALSE(has(call("context_get", R"({"path":"mode"})"), "at_hub"));
  keeper.set_peer_holds({});
  EXPECT_TRUE(has(call("context_get", R"({"path":"mode"})"), R"("at_hub":false)"));
  keeper.set_peer_holds(keeper.book().state().tops);
  EXPECT_TRUE(has(call("context_get", R"({"path":"mode"})"), R"("at_hub":true)"));
}

TEST_F(ContextProviderTest, an_entry_is_a_resource_whose_time_to_live_ends_with_it) {
  call("context_set", R"({"path":"pump/7","value":1,"ttl_seconds":0.3})");
  const std::string read = ask("resources/read", R"("uri":"tideline://context/pump/7")");
  EXPECT_TRUE(has(read, R"("ttlMs":300)") && has(read, R"(\"value\":1)")) << read;
  EXPECT_TRUE(has(ask("resources/read", R"("uri":"tideline://context/nothing")"), R"("error")"));
  EXPECT_TRUE(has(ask("resources/read", R"("uri":"tideline://context")"), "pump/7"));
}

TEST_F(ContextProviderTest, subscribers_hear_of_changes_from_either_side_and_of_no_others) {
  ask("subscriptions/listen", R"("notifications":{"resourceSubscriptions":["tideline://context/pump/7"]})");
  lines.all.clear();
  hub_writes("pump/7", "1");
  ASSERT_EQ(lines.all.size(), 1U);
  EXPECT_TRUE(has(lines.last(), R"("uri":"tideline://context/pump/7")")) << lines.last();
  hub_writes("pump/8", "1");
  EXPECT_EQ(lines.all.size(), 1U);
  call("context_set", R"({"path":"pump/7","value":2})");
  EXPECT_EQ(lines.all.size(), 3U) << "the answer and the notification";
}

TEST_F(ContextProviderTest, paths_are_completed) {
  for (const char* path : {"pump/1", "pump/2", "quay"}) call("context_set", std::string(R"({"path":")") + path + R"(","value":1})");
  EXPECT_TRUE(has(ask("completion/complete", R"("ref":{"type":"ref/resource","uri":"tideline://context/{+path}"},"argument":{"name":"path","value":"pu"})"), R"("values":["pump/1","pump/2"])")) << lines.last();
}

TEST_F(ContextProviderTest, the_history_comes_from_the_store) {
  call("context_set", R"({"path":"mode","value":1})");
  desk->on_line(call_tool("99", "context_get", R"({"path":"mode","history":5})"));
  ASSERT_EQ(outbox.histories_asked.size(), 1U);
  keeper.on_context_history(outbox.histories_asked[0].second, std::vector<context::Register>{{"mode", context::Side::hub, {context::stamp_at(1'790'000'000'000), 0, false, 0, "ops", "7"}}});
  EXPECT_TRUE(has(lines.last(), R"("history":[{"value":7,"version":)")) << lines.last();
}

}  // namespace
}  // namespace tideline::agent
