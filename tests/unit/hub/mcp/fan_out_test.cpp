#include "hub/mcp/fan_out.hpp"

#include <gtest/gtest.h>

#include "clock.hpp"

namespace tideline::hub {
namespace {

/// Any device is there; calls wait until the test answers.
class ManyLinks final : public DeviceCalls::Links {
 public:
  size_t call_room(DeviceKey) override { return limits::link_call_queue_bytes; }
  Status send(DeviceKey device, const link::CallFrame& frame) override {
    called.emplace_back(device, frame.call);
    return {};
  }
  Status send(DeviceKey, const link::CancelFrame& frame) override {
    cancelled.push_back(frame.call);
    return {};
  }
  std::vector<std::pair<DeviceKey, CallId>> called;
  std::vector<CallId> cancelled;
};

class FanOutTest : public testing::Test, private FanOuts::Host {
 protected:
  static std::vector<FanOuts::Member> members(size_t count) {
    std::vector<FanOuts::Member> all;
    for (size_t i = 0; i < count; ++i) all.push_back({static_cast<DeviceKey>(i + 1), "d-" + std::to_string(i), "", ""});
    return all;
  }
  void start(std::vector<FanOuts::Member> all) { fans.start(ref, std::move(all), R"("name":"t")", "", "key:ops", platform::now()); }
  void answer(size_t index, std::string_view body) {
    const auto [device, call] = links.called[index];
    const std::string line = R"({"jsonrpc":"2.0","id":)" + std::to_string(call) + "," + std::string(body) + "}";
    calls.on_reply(device, {call, link::ReplyPart::answer, as_bytes(line)}, platform::now());
  }
  mcp::Slice structured() const { return mcp::find_member(mcp::Slice(result), "structuredContent"); }
  std::vector<std::string> states() const {
    std::vector<std::string> all;
    for (mcp::Walk walk(mcp::find_member(structured(), "results")); walk.next();) all.push_back(mcp::find_member(walk.value(), "status").text());
    return all;
  }
  void on_fan_out_progress(const CallRef&, size_t done, size_t) override { progress = done; }
  void on_fan_out_done(const CallRef&, const std::string& result_json) override { result = result_json; }

  static constexpr CallRef ref{1, 2};
  ManyLinks links;
  DeviceCalls calls{links, "hub", "1"};
  FanOuts fans{static_cast<FanOuts::Host&>(*this), calls};
  std::string result;
  size_t progress = 0;
};

using States = std::vector<std::string>;
constexpr std::string_view good = R"("result":{"resultType":"complete","content":[]})";

TEST_F(FanOutTest, every_device_gives_its_own_result_in_the_order_asked) {
  start(members(2));
  answer(1, good);
  EXPECT_EQ(progress, 1u);
  EXPECT_TRUE(result.empty());
  answer(0, R"("result":{"resultType":"complete","isError":true,"content":[]})");
  EXPECT_EQ(states(), (States{"tool_error", "ok"}));
  EXPECT_EQ(mcp::find_member(structured(), "ok").integer(), 1);
  EXPECT_FALSE(mcp::find_member(structured(), "complete").is_true());
}

TEST_F(FanOutTest, a_device_that_is_not_asked_is_named_with_the_reason) {
  std::vector<FanOuts::Member> all = members(2);
  all[0].status = "offline";
  all[0].problem = "is offline since yesterday";
  start(std::move(all));
  answer(0, good);
  EXPECT_EQ(states(), (States{"offline", "ok"}));
  EXPECT_NE(result.find("since yesterday"), std::string::npos);
}

TEST_F(FanOutTest, some_are_asked_at_a_time_and_the_next_follow) {
  start(members(limits::hub_fan_out_at_once + 2));
  EXPECT_EQ(links.called.size(), limits::hub_fan_out_at_once);
  answer(0, good);
  EXPECT_EQ(links.called.size(), limits::hub_fan_out_at_once + 1);
}

TEST_F(FanOutTest, time_ends_it_with_what_there_is) {
  start(members(limits::hub_fan_out_at_once + 1));
  answer(0, good);
  fans.on_tick(platform::now() + limits::hub_fan_out_deadline + seconds(1));
  const States all = states();
  EXPECT_EQ(all.front(), "ok");
  EXPECT_EQ(all[1], "timeout");
  EXPECT_EQ(links.cancelled.size(), limits::hub_fan_out_at_once);
}

TEST_F(FanOutTest, a_lost_device_is_unknown_and_the_others_go_on) {
  start(members(2));
  calls.on_device_down(1);
  EXPECT_TRUE(result.empty());
  answer(1, good);
  EXPECT_EQ(states(), (States{"unknown", "ok"}));
}

TEST_F(FanOutTest, a_tool_that_asks_is_told_to_be_called_alone) {
  start(members(1));
  answer(0, R"("result":{"resultType":"input_required","requestState":"x"})");
  EXPECT_EQ(states(), (States{"error"}));
}

TEST_F(FanOutTest, cancelling_cancels_every_call) {
  start(members(3));
  fans.cancel(ref);
  EXPECT_EQ(links.cancelled.size(), 3u);
  EXPECT_EQ(calls.under_way(), 0u);
}

TEST_F(FanOutTest, nobody_to_ask_is_an_answer_at_once) {
  std::vector<FanOuts::Member> all = members(1);
  all[0].status = "unsupported";
  start(std::move(all));
  EXPECT_EQ(states(), (States{"unsupported"}));
  EXPECT_TRUE(mcp::find_member(mcp::Slice(result), "isError").is_true());
}

}  // namespace
}  // namespace tideline::hub
