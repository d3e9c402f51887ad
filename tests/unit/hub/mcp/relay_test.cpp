#include "hub/mcp/relay.hpp"

#include <gtest/gtest.h>

namespace tideline::hub {
namespace {

mcp::Call call_of(std::string_view params) {
  mcp::Call call;
  call.params = *mcp::check_json(params);
  return call;
}

TEST(Relay, members_are_spliced_as_they_came_without_the_envelope) {
  const mcp::Call call = call_of(R"({"name":"t","arguments":{"n":9007199254740993, "s":"a\u0000b"},"_meta":{"x":1},"task":{}})");
  EXPECT_EQ(relay_members(call, {}), R"("name":"t","arguments":{"n":9007199254740993, "s":"a\u0000b"})");
}

TEST(Relay, the_argument_that_named_the_device_stays_behind) {
  const mcp::Call call = call_of(R"({"name":"t__ab12","arguments":{"device":"pump-1","n":1}})");
  RelayChange change;
  change.name = "t";
  change.drop_argument = "device";
  EXPECT_EQ(relay_members(call, change), R"("name":"t","arguments":{"n":1})");
}

TEST(Relay, answers_and_state_go_along_once) {
  mcp::Call call = call_of(R"({"name":"t","inputResponses":{"a":{}},"requestState":"old"})");
  call.input_responses = mcp::Slice(R"({"a":{"action":"accept"}})");
  call.state = "st\"ate";
  EXPECT_EQ(relay_members(call, {}), R"("name":"t","inputResponses":{"a":{"action":"accept"}},"requestState":"st\"ate")");
}

TEST(Relay, a_legacy_client_is_described_by_what_it_can_be_asked_for) {
  mcp::Call call = call_of("{}");
  EXPECT_EQ(relay_capabilities(call), "{}");
  call.capabilities.sampling = true;
  call.capabilities.elicitation_form = true;
  EXPECT_EQ(relay_capabilities(call), R"({"sampling":{},"elicitation":{"form":{}}})");
  call.capabilities_json = R"({"extensions":{}})";
  EXPECT_EQ(relay_capabilities(call), R"({"extensions":{}})") << "of the newest revision: as sent";
}

TEST(Relay, errors_keep_code_text_and_data) {
  const mcp::RpcError error = relayed_error(*mcp::check_json(R"({"code":1001,"message":"m\n","data":{"n":1e400}})"));
  EXPECT_EQ(static_cast<int>(error.code), 1001);
  EXPECT_EQ(error.text, "m\n");
  EXPECT_EQ(error.data, R"({"n":1e400})");
  EXPECT_EQ(relayed_error(*mcp::check_json(R"({"code":"x"})")).code, mcp::RpcCode::internal_error);
}

TEST(Relay, a_task_of_a_device_is_found_again_by_its_id) {
  EXPECT_EQ(with_task_prefix(*mcp::check_json(R"({"resultType":"task","taskId":"c.x","status":"working"})"), "d.pump-1."),
            R"({"resultType":"task","taskId":"d.pump-1.c.x","status":"working"})");
}

}  // namespace
}  // namespace tideline::hub
