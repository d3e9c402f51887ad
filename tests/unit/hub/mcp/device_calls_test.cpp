#include "hub/mcp/device_calls.hpp"

#include <gtest/gtest.h>

#include "mcp/message.hpp"
#include "unit/hub/mcp/fake_links.hpp"

namespace tideline::hub {
namespace {

using test::FakeLinks;

class FakeCaller final : public DeviceCalls::Caller {
 public:
  void on_call_message(CallId, mcp::Method method, mcp::Slice params) override { messages.push_back(std::string(mcp::method_text(method)) + std::string(params.raw())); }
  void on_call_end(CallId call, const CallOutcome& outcome) override {
    ended.push_back(call);
    result = outcome.result.raw();
    error = outcome.error.raw();
    failure = outcome.failure;
  }
  std::vector<std::string> messages;
  std::vector<CallId> ended;
  std::string result;
  std::string error;
  std::optional<CallFailure> failure;
};

class DeviceCallsTest : public testing::Test {
 protected:
  Result<CallId> start(std::string_view members = R"("name":"t")") {
    DeviceRequest request;
    request.device = 1;
    request.members = members;
    request.meta = R"("traceparent":"00-1-2-01")";
    request.wants_progress = true;
    request.principal = "key:ops";
    return calls.start(request, caller, now);
  }
  void reply(CallId call, std::string_view text, link::ReplyPart part = link::ReplyPart::answer) { calls.on_reply(1, {call, part, as_bytes(text)}, now); }

  FakeLinks links;
  FakeCaller caller;
  DeviceCalls calls{links, "hub", "1"};
  Instant now{seconds(100).nanos};
};

TEST_F(DeviceCallsTest, a_request_is_of_the_newest_revision_and_keeps_what_may_pass) {
  const CallId call = *start();
  const mcp::Message message = mcp::parse_message(links.text);
  EXPECT_EQ(message.kind, mcp::MessageKind::request);
  EXPECT_EQ(message.id, std::to_string(call));
  const mcp::Slice meta = mcp::find_member(message.params, "_meta");
  EXPECT_TRUE(mcp::find_member(meta, "io.modelcontextprotocol/protocolVersion").equals("2026-07-28"));
  EXPECT_EQ(mcp::find_member(meta, "progressToken").integer(), static_cast<int64_t>(call));
  EXPECT_TRUE(mcp::find_member(meta, "traceparent").equals("00-1-2-01"));
  EXPECT_EQ(links.last.principal, "key:ops");
  EXPECT_EQ(links.last.reply_bytes, limits::mcp_line_bytes);
}

TEST_F(DeviceCallsTest, a_long_request_goes_in_pieces_and_one_too_long_is_refused) {
  const std::string arguments = R"("name":"t","arguments":{"x":")" + std::string(100'000, 'x') + "\"}";
  ASSERT_TRUE(start(arguments));
  ASSERT_EQ(links.pieces.size(), 2u);
  EXPECT_EQ(links.pieces[0], limits::link_piece_bytes);
  EXPECT_TRUE(links.last.is_last);
  const std::string more = R"("x":")" + std::string(limits::link_call_queue_bytes, 'x') + "\"";
  EXPECT_EQ(start(more).error().code, ErrorCode::limit);
}

TEST_F(DeviceCallsTest, answers_come_in_pieces_with_notifications_before) {
  const CallId call = *start();
  reply(call, R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}})", link::ReplyPart::message);
  ASSERT_EQ(caller.messages.size(), 1u);
  reply(call, R"({"jsonrpc":"2.0","id":1,"res)", link::ReplyPart::more);
  EXPECT_TRUE(caller.ended.empty());
  reply(call, R"(ult":{"resultType":"complete","n":1795220321549123456}})");
  EXPECT_EQ(caller.result, R"({"resultType":"complete","n":1795220321549123456})");
  EXPECT_EQ(calls.under_way(), 0u);
  reply(call, R"({"jsonrpc":"2.0","id":1,"result":{}})");
  EXPECT_EQ(caller.ended.size(), 1u) << "an answer after the answer is ignored";
}

TEST_F(DeviceCallsTest, only_the_device_that_was_called_can_answer) {
  const CallId call = *start();
  calls.on_reply(2, {call, link::ReplyPart::answer, as_bytes(std::string_view(R"({"jsonrpc":"2.0","id":1,"result":{}})"))}, now);
  EXPECT_TRUE(caller.ended.empty());
}

TEST_F(DeviceCallsTest, a_device_away_and_a_device_that_does_not_read_take_no_calls) {
  DeviceRequest request;
  request.device = 2;
  EXPECT_EQ(calls.start(request, caller, now).error().code, ErrorCode::closed);
  ASSERT_TRUE(start());
  links.room = 0;
  EXPECT_EQ(start().error().code, ErrorCode::full);
}

TEST_F(DeviceCallsTest, one_link_has_a_bound_of_calls) {
  for (size_t i = 0; i < limits::hub_calls_per_device; ++i) ASSERT_TRUE(start());
  EXPECT_EQ(start().error().code, ErrorCode::full);
  calls.cancel(1);
  EXPECT_EQ(links.cancelled, (std::vector<uint64_t>{1}));
  EXPECT_TRUE(start());
}

TEST_F(DeviceCallsTest, silence_ends_a_call_and_progress_prolongs_it_up_to_the_last_deadline) {
  const CallId call = *start();
  now = now + (limits::hub_call_deadline - seconds(1));
  reply(call, R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}})", link::ReplyPart::message);
  now = now + seconds(2);
  calls.on_tick(now);
  EXPECT_TRUE(caller.ended.empty());
  now = now + limits::mcp_call_timeout;
  calls.on_tick(now);
  EXPECT_EQ(caller.failure, CallFailure::timed_out);
  EXPECT_EQ(links.cancelled, (std::vector<uint64_t>{call})) << "the device is told that nobody waits";
}

TEST_F(DeviceCallsTest, the_end_of_the_link_ends_its_calls) {
  (void)*start();
  (void)*start();
  calls.on_device_down(1);
  EXPECT_EQ(caller.ended.size(), 2u);
  EXPECT_EQ(caller.failure, CallFailure::device_gone);
  EXPECT_EQ(calls.under_way(1), 0u);
}

TEST_F(DeviceCallsTest, an_answer_that_is_too_long_or_no_response_fails_the_call) {
  const CallId call = *start();
  const std::string piece(limits::link_piece_bytes, 'x');
  for (size_t sent = 0; caller.ended.empty() && sent <= limits::mcp_line_bytes; sent += piece.size()) reply(call, piece, link::ReplyPart::more);
  EXPECT_EQ(caller.failure, CallFailure::too_long);
  reply(*start(), "not JSON");
  EXPECT_EQ(caller.failure, CallFailure::malformed);
  reply(*start(), R"({"jsonrpc":"2.0","id":3,"result":[1]})");
  EXPECT_EQ(caller.failure, CallFailure::malformed);
}

}  // namespace
}  // namespace tideline::hub
