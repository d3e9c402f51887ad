#include "agent/control.hpp"

#include <gtest/gtest.h>

#include "support/fake_outbox.hpp"

namespace tideline::agent {
namespace {

class ControlTest : public testing::Test, protected Control::Caller, protected Control::Host {
 protected:
  void on_reply(std::string line) override { replies_.push_back(std::move(line)); }
  StatusReport report() override {
    StatusReport report;
    report.device = "pump-7";
    return report;
  }
  void sync_now() override { ++syncs_; }
  std::string reply_to(const std::string& line) {
    replies_.clear();
    control_.handle(line, *this);
    return replies_.empty() ? "" : replies_.back();
  }

  test::FakeOutbox outbox_;
  Control control_{outbox_, *this};
  std::vector<std::string> replies_;
  int syncs_ = 0;
};

TEST_F(ControlTest, status_is_json_or_text) {
  EXPECT_EQ(reply_to(R"({"jsonrpc":"2.0","id":4,"method":"tideline/status","params":{}})").find(R"({"jsonrpc":"2.0","id":4,"result":{"device":"pump-7")"), 0u);
  EXPECT_NE(reply_to(R"({"id":5,"method":"tideline/status","params":{"format":"text"}})").find("pump-7, tideline"), std::string::npos);
}

TEST_F(ControlTest, a_question_reaches_the_outbox_and_its_answer_the_caller) {
  EXPECT_EQ(reply_to(R"({"id":1,"method":"tideline/query","params":{"series":"temp*","from":"5","to":"9","aggregate":"mean","step":"2","limit":7}})"), "");
  ASSERT_EQ(outbox_.asked.size(), 1u);
  const auto& [query, token] = outbox_.asked[0];
  EXPECT_EQ(query.series.name_glob, "temp*");
  EXPECT_EQ(query.from_ns, 5);
  EXPECT_EQ(query.to_ns, 9);
  EXPECT_EQ(query.aggregate, model::Aggregate::mean);
  EXPECT_EQ(query.limit, 7u);
  control_.on_answer(token, model::QueryAnswer{});
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0].find(R"({"jsonrpc":"2.0","id":1,"result":{"series":[])"), 0u);
}

TEST_F(ControlTest, a_wrong_question_is_answered_with_what_is_wrong) {
  EXPECT_NE(reply_to("nonsense").find("-32700"), std::string::npos);
  EXPECT_NE(reply_to(R"({"method":"tideline/status"})").find("-32600"), std::string::npos);
  EXPECT_NE(reply_to(R"({"id":1,"method":"frobnicate"})").find("frobnicate"), std::string::npos);
  EXPECT_NE(reply_to(R"({"id":1,"method":"tideline/query","params":{"from":5}})").find("from"), std::string::npos);
  EXPECT_NE(reply_to(R"({"id":1,"method":"tideline/query","params":{"from":"9","to":"5"}})").find("empty"), std::string::npos);
  EXPECT_NE(reply_to(R"({"id":1,"method":"tideline/query","params":{"limit":100001}})").find("limit"), std::string::npos);
  EXPECT_NE(reply_to(R"({"id":1,"method":"tideline/query","params":{"step":"5"}})").find("aggregate"), std::string::npos);
  EXPECT_TRUE(outbox_.asked.empty());
}

TEST_F(ControlTest, whoever_left_gets_no_answer) {
  (void)reply_to(R"({"id":1,"method":"tideline/query","params":{}})");
  control_.forget(*this);
  control_.on_answer(outbox_.asked[0].second, model::QueryAnswer{});
  EXPECT_TRUE(replies_.empty());
}

TEST_F(ControlTest, questions_under_way_are_bounded) {
  for (size_t i = 0; i < limits::control_requests; ++i) EXPECT_EQ(reply_to(R"({"id":1,"method":"tideline/query","params":{}})"), "");
  EXPECT_NE(reply_to(R"({"id":2,"method":"tideline/query","params":{}})").find("too many"), std::string::npos);
}

TEST_F(ControlTest, sync_now_is_passed_on) {
  EXPECT_EQ(reply_to(R"({"id":1,"method":"tideline/sync_now"})"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
  EXPECT_EQ(syncs_, 1);
}

TEST(CountBacklog, acknowledged_and_lost_numbers_do_not_wait) {
  StreamStatus status;
  status.next = 101;
  status.pending_readings = 5;
  ASSERT_TRUE(status.acknowledged.add({1, 40}, 8));
  model::Gap gap;
  gap.range = {31, 60};  // 20 of its 30 numbers are not acknowledged
  EXPECT_EQ(count_backlog(status, {gap}), 100u - 40 - 20 + 5);
  EXPECT_EQ(count_backlog(StreamStatus{}, {}), 0u);
}

}  // namespace
}  // namespace tideline::agent
