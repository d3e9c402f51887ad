// The deadlines, the ends and the enrolments of a session.
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/hub/fleet/session_fixture.hpp"

namespace tideline::hub::session_test {
namespace {

using link::ByeCode;
using model::Stream;

class SessionLifeTest : public testing::Test, protected Fixture {};

TEST_F(SessionLifeTest, every_wait_has_a_deadline) {
  const auto ends_with = [&](Duration wait, ByeCode code) {
    actions.sent.clear();
    now = now + wait - milliseconds(1);
    session->on_tick(now);
    EXPECT_FALSE(session->is_closed());
    EXPECT_LE(session->next_wake(), now + milliseconds(1));
    now = now + milliseconds(1);
    session->on_tick(now);
    EXPECT_EQ(bye(), code);
    EXPECT_EQ(session->next_wake(), never);
  };
  connect();
  ends_with(limits::hello_deadline, ByeCode::idle);
  connect();
  device_sends(hello);
  ends_with(limits::load_deadline, ByeCode::unavailable);
  come_online();
  ends_with(options.ping_interval * 2 + limits::ping_deadline, ByeCode::idle);
  come_online();
  device_sends(link::Ping{1, limits::ping_interval_most});
  send_block(Stream::normal, {1, 10});
  session->flush(now);
  ends_with(limits::intake_deadline, ByeCode::unavailable);
}

TEST_F(SessionLifeTest, a_device_that_promised_to_be_quiet_may_be) {
  come_online();
  device_sends(link::Ping{1, minutes(10)});
  EXPECT_EQ(sent<link::Pong>().at(0), link::Pong{1});
  now = now + minutes(20);
  session->on_tick(now);
  EXPECT_FALSE(session->is_closed());
  device_sends(link::Ping{2, hours(20)});  // no promise is longer than the bound
  now = now + limits::ping_interval_most * 2 + limits::ping_deadline;
  session->on_tick(now);
  EXPECT_EQ(bye(), ByeCode::idle);
}

// ---- Second connections, ends

TEST_F(SessionLifeTest, the_same_certificate_replaces_and_another_is_refused) {
  EXPECT_EQ(judge_second_connection("f1", "f1"), SecondConnection::replaces);
  EXPECT_EQ(judge_second_connection("f1", "f2"), SecondConnection::refused);
  come_online();
  session->on_replaced(now);
  EXPECT_EQ(bye(), ByeCode::replaced);
  actions.sent.clear();
  connect();
  session->refuse_duplicate(now);
  EXPECT_EQ(bye(), ByeCode::duplicate_device);
}

TEST_F(SessionLifeTest, an_answer_of_the_archive_after_the_end_is_dropped) {
  come_online();
  send_block(Stream::normal, {1, 10});
  session->flush(now);
  session->on_closed(now);
  actions.sent.clear();
  apply_all();
  session->on_state_loaded(state, now);
  EXPECT_TRUE(actions.sent.empty());
  EXPECT_EQ(actions.presences, (std::vector<bool>{true, false}));
}

TEST_F(SessionLifeTest, a_dismissed_device_is_told_when_to_come_back) {
  come_online();
  session->dismiss(ByeCode::shutting_down, "update", minutes(1), now);
  EXPECT_EQ(sent<link::Bye>().at(0), (link::Bye{ByeCode::shutting_down, "update", minutes(1)}));
}

// ---- Enrolment

TEST_F(SessionLifeTest, enrolment_is_one_question_and_one_answer) {
  peer = {};
  connect();
  device_sends(link::Enroll{"token", "pem", "pump-7", "0.1"});
  ASSERT_EQ(actions.enrolments.size(), 1u);
  EXPECT_FALSE(actions.enrolments[0].second);
  session->on_enrolled({"certificate", "ca"}, now);
  EXPECT_EQ(sent<link::Enrolled>().size(), 1u);
  EXPECT_EQ(actions.closes, 1);
}

TEST_F(SessionLifeTest, a_refused_enrolment_says_why) {
  peer = {};
  connect();
  device_sends(link::Enroll{"token", "pem", "pump-7", "0.1"});
  session->on_enrol_refused("the token was used already", now);
  EXPECT_EQ(sent<link::Bye>().at(0), (link::Bye{ByeCode::enrol_refused, "the token was used already", {}}));
}

TEST_F(SessionLifeTest, enrolment_without_token_or_with_certificate_is_refused) {
  peer = {};
  connect();
  device_sends(link::Enroll{"", "pem", "pump-7", "0.1"});
  EXPECT_EQ(bye(), ByeCode::enrol_refused);
  peer = make_peer();
  actions.sent.clear();
  connect();
  device_sends(link::Enroll{"token", "pem", "pump-7", "0.1"});
  EXPECT_EQ(bye(), ByeCode::enrol_refused);
  EXPECT_TRUE(actions.enrolments.empty());
}

TEST_F(SessionLifeTest, a_renewal_is_answered_on_the_running_link) {
  come_online();
  device_sends(link::Enroll{"", "pem", "pump-7", "0.1"});
  ASSERT_EQ(actions.enrolments.size(), 1u);
  EXPECT_TRUE(actions.enrolments[0].second);
  session->on_enrolled({"certificate", "ca"}, now);
  EXPECT_FALSE(session->is_closed());
  device_sends(link::Enroll{"", "pem", "pump-8", "0.1"});
  EXPECT_EQ(bye(), ByeCode::enrol_refused);
}

}  // namespace
}  // namespace tideline::hub::session_test
