// The life of the link: when it connects, what it says first, when it gives up, what it learns.
#include "agent/uplink.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/agent/uplink_fixture.hpp"

namespace tideline::agent::uplink_test {
namespace {

using model::GapReason;
using model::SeqRange;
using model::Stream;

class UplinkTest : public testing::Test, protected Fixture {
 protected:
  Duration wait_left() const { return uplink->status().next_attempt - now; }
  UplinkState state() const { return uplink->status().state; }
};

TEST_F(UplinkTest, says_hello_with_its_claims_first) {
  store.put_block(Stream::normal, 10);
  store.run_list = {{1, {1, 1, 1}}, {2, {1, 5, 1}}};
  start();
  uplink->on_connected(now);
  ASSERT_EQ(wire.sent.size(), 1u);
  const link::Hello hello = sent<link::Hello>().at(0);
  EXPECT_EQ(hello.device, "pump-7");
  EXPECT_EQ(hello.epoch, store.status_.epoch);
  EXPECT_EQ(hello.streams[1].next, 11u);
  EXPECT_EQ(hello.runs, store.run_list);
  EXPECT_EQ(hello.series_count, 3u);
}

TEST_F(UplinkTest, claims_only_the_newest_runs) {
  store.run_list.clear();
  for (uint64_t i = 1; i <= limits::hello_runs + 1; ++i) store.run_list.push_back({i, {1, 1, 1}});
  start();
  uplink->on_connected(now);
  const auto runs = sent<link::Hello>().at(0).runs;
  ASSERT_EQ(runs.size(), limits::hello_runs);
  EXPECT_EQ(runs.back().id, limits::hello_runs + 1);
}

TEST_F(UplinkTest, connecting_and_greeting_have_deadlines) {
  start();
  pass(limits::handshake_deadline * 2);
  EXPECT_EQ(state(), UplinkState::waiting);
  EXPECT_EQ(wire.closes, 1);
  uplink->sync_now(now);
  uplink->on_connected(now);
  pass(limits::hello_deadline - milliseconds(1));
  EXPECT_EQ(state(), UplinkState::greeting);
  pass(milliseconds(1));
  EXPECT_EQ(state(), UplinkState::waiting);
  EXPECT_EQ(uplink->status().last_error, "the hub did not answer hello");
}

TEST_F(UplinkTest, a_connection_without_acknowledgement_does_not_reset_the_backoff) {
  start();
  Duration longest{};
  for (int i = 0; i < 60; ++i) {
    come_online();
    uplink->on_closed("reset", now);
    EXPECT_LE(wait_left(), limits::backoff_cap);
    longest = std::max(longest, wait_left());
    uplink->sync_now(now);
  }
  EXPECT_GT(longest, minutes(1));
}

TEST_F(UplinkTest, an_acknowledged_block_resets_the_backoff) {
  start();
  for (int i = 0; i < 60; ++i) {
    uplink->on_closed("refused", now);
    uplink->sync_now(now);
  }
  store.put_block(Stream::normal, 1);
  come_online();
  serve();
  hub_sends(link::Ack{Stream::normal, {{1, 1}}, 0});
  uplink->on_closed("reset", now);
  EXPECT_LE(wait_left(), limits::backoff_base * 3);
}

TEST_F(UplinkTest, a_stable_link_with_nothing_to_send_resets_the_backoff) {
  start();
  for (int i = 0; i < 60; ++i) {
    uplink->on_closed("refused", now);
    uplink->sync_now(now);
  }
  come_online();
  pass_answering_pings(limits::link_stable);
  uplink->on_closed("reset", now);
  EXPECT_LE(wait_left(), limits::backoff_base * 3);
}

TEST_F(UplinkTest, waits_as_long_as_the_hub_asks) {
  start();
  uplink->on_connected(now);
  hub_sends(link::Bye{link::ByeCode::unavailable, "no disk", minutes(20)});
  EXPECT_GE(wait_left(), minutes(20));
  EXPECT_EQ(uplink->status().last_error, "the hub says: unavailable: no disk");
  EXPECT_EQ(wire.closes, 1);
}

TEST_F(UplinkTest, a_final_refusal_is_not_asked_again_soon_unless_told_to) {
  for (const link::ByeCode code : {link::ByeCode::revoked, link::ByeCode::duplicate_device, link::ByeCode::unknown_device}) {
    uplink.reset();
    start();
    uplink->on_connected(now);
    hub_sends(link::Bye{code, "", {}});
    EXPECT_GE(wait_left(), limits::backoff_cap) << bye_name(code);
    const int before = wire.connects;
    uplink->sync_now(now);
    EXPECT_EQ(wire.connects, before + 1);
  }
}

TEST_F(UplinkTest, the_spread_of_reconnects_is_kept_over_a_restart) {
  welcome.reconnect_spread = minutes(10);
  come_online();
  EXPECT_EQ(store.settings["uplink.reconnect_spread_ms"], "600000");
  uplink.reset();
  wire.connects = 0;
  start();
  EXPECT_EQ(wire.connects, 0);
  EXPECT_LE(wait_left(), minutes(10));
  pass(minutes(10));
  EXPECT_EQ(wire.connects, 1);
}

TEST_F(UplinkTest, answers_a_ping) {
  come_online();
  hub_sends(link::Ping{77, {}});
  EXPECT_EQ(sent<link::Pong>().at(0), link::Pong{77});
}

TEST_F(UplinkTest, pings_less_often_as_a_quiet_link_survives_up_to_a_bound) {
  come_online();
  pass_answering_pings(hours(12));
  EXPECT_EQ(state(), UplinkState::online);
  EXPECT_EQ(uplink->status().ping_interval, limits::ping_interval_most);
  EXPECT_EQ(sent<link::Ping>().back().interval, limits::ping_interval_most);  // what was promised is what is kept
  EXPECT_LT(sent<link::Ping>().size(), 12 * 4 + 12u);
}

TEST_F(UplinkTest, a_hub_that_does_not_answer_a_ping_is_dead_and_pings_come_sooner_then) {
  come_online();
  const Duration before = uplink->status().ping_interval;
  pass(before + limits::ping_deadline);
  EXPECT_EQ(state(), UplinkState::waiting);
  EXPECT_EQ(uplink->status().last_error, "the hub does not answer");
  EXPECT_LT(uplink->status().ping_interval, before);
  EXPECT_GE(uplink->status().ping_interval, limits::ping_interval_least);
}

TEST_F(UplinkTest, a_missing_acknowledgement_ends_the_connection) {
  store.put_block(Stream::normal, 1);
  come_online();
  serve();
  empty_queue();
  pass_answering_pings(limits::ack_deadline - milliseconds(1));
  EXPECT_EQ(state(), UplinkState::online);
  pass_answering_pings(milliseconds(1));
  EXPECT_EQ(state(), UplinkState::waiting);
  EXPECT_EQ(uplink->status().last_error, "no acknowledgement for 1m00s");
}

TEST_F(UplinkTest, a_slow_link_that_moves_is_not_given_up) {
  for (int i = 0; i < 100; ++i) store.put_block(Stream::normal, 1, 60'000);
  come_online();
  serve();
  size_t queue = 240'000;
  for (int i = 0; i < 20; ++i) {  // 1 kB/s: a minute and a half without acknowledgement
    pass(seconds(5));
    queue -= 5'000;
    uplink->on_send_queue(queue, now);
  }
  EXPECT_EQ(state(), UplinkState::online);
}

TEST_F(UplinkTest, hub_time_becomes_an_anchor_with_half_the_round_trip_as_error) {
  start();
  uplink->on_connected(now);
  now = now + milliseconds(300);
  welcome.utc_ns = 1'700'000'000'000'000'000;
  hub_sends(welcome);
  ASSERT_EQ(store.anchors_set.size(), 1u);
  const model::Anchor anchor = store.anchors_set[0];
  EXPECT_EQ(anchor.quality, model::TimeQuality::hub);
  EXPECT_EQ(anchor.boot_id, 42u);
  EXPECT_EQ(anchor.mono_ns, (now - milliseconds(150)).nanos);
  EXPECT_EQ(anchor.error_ns, milliseconds(150).nanos);
  EXPECT_EQ(sent<link::AnchorFrame>().at(0).anchor, anchor);
}

TEST_F(UplinkTest, a_better_clock_than_the_hubs_is_kept) {
  store.status_.anchor.quality = model::TimeQuality::synced;
  welcome.utc_ns = 1'700'000'000'000'000'000;
  come_online();
  EXPECT_TRUE(store.anchors_set.empty());
}

TEST_F(UplinkTest, wrong_frames_end_the_connection_with_a_reason) {
  come_online();
  uplink->on_frame(ByteBuffer{0x91, 0x3f}, now);
  EXPECT_EQ(state(), UplinkState::waiting);
  EXPECT_EQ(sent<link::Bye>().at(0).code, link::ByeCode::protocol_error);
  uplink->sync_now(now);
  come_online();
  hub_sends(link::SeriesFrame{});
  EXPECT_EQ(state(), UplinkState::waiting);
}

TEST_F(UplinkTest, a_hub_of_another_version_is_told_so) {
  welcome.version = 2;
  come_online();
  EXPECT_EQ(sent<link::Bye>().at(0).code, link::ByeCode::too_old);
  EXPECT_EQ(state(), UplinkState::waiting);
}

TEST_F(UplinkTest, a_certificate_is_renewed_over_the_link) {
  EXPECT_FALSE((start(), uplink->renew("pem", now)));
  come_online();
  EXPECT_TRUE(uplink->renew("pem", now));
  EXPECT_EQ(sent<link::Enroll>().at(0), (link::Enroll{"", "pem", "pump-7", "test"}));
  hub_sends(link::Enrolled{"certificate", "ca"});
  EXPECT_EQ(wire.certificates.size(), 1u);
}

TEST_F(UplinkTest, stopping_says_bye) {
  come_online();
  uplink->stop(now);
  EXPECT_EQ(sent<link::Bye>().at(0).code, link::ByeCode::shutting_down);
  EXPECT_EQ(wire.closes, 1);
  EXPECT_EQ(uplink->next_wake(), never);
}

// ---- Rollback

class UplinkRollbackTest : public UplinkTest {
 protected:
  void hub_holds(SeqRange range, model::Seq agreed) {
    auto& held = welcome.streams[1];
    held.held.clear();
    (void)held.held.add({1, range.last}, 8);
    held.highest = range.last;
    held.agreed = agreed;
  }
};

TEST_F(UplinkRollbackTest, readings_beyond_the_agreement_move_above_what_the_hub_holds) {
  store.put_block(Stream::normal, 60);
  hub_holds({1, 100}, 49);
  come_online();
  EXPECT_EQ(store.rebases, (std::vector<FakeOutbox::Rebase>{{Stream::normal, 50, 101}}));
  EXPECT_EQ(wire.closes, 1);
  EXPECT_TRUE(store.fetches.empty());
  EXPECT_EQ(state(), UplinkState::rebasing);
  const int before = wire.connects;
  uplink->on_rebased(Stream::normal, {}, now);
  EXPECT_EQ(wire.connects, before + 1);  // at once
}

TEST_F(UplinkRollbackTest, what_was_given_up_before_is_not_moved_again) {
  store.put_block(Stream::normal, 49);
  store.put_gap(Stream::normal, 51, GapReason::rollback);
  store.put_block(Stream::normal, 10);
  hub_holds({1, 100}, 49);
  come_online();
  EXPECT_TRUE(store.rebases.empty());
  EXPECT_TRUE(uplink->is_online());
}

TEST_F(UplinkRollbackTest, a_second_collision_moves_only_what_lies_above_the_first) {
  store.put_block(Stream::normal, 49);
  store.put_gap(Stream::normal, 51, GapReason::rollback);
  store.put_block(Stream::normal, 10);
  hub_holds({1, 130}, 49);
  come_online();
  EXPECT_EQ(store.rebases, (std::vector<FakeOutbox::Rebase>{{Stream::normal, 101, 131}}));
}

TEST_F(UplinkRollbackTest, other_definitions_under_the_same_ids_raise_the_incarnation) {
  store.put_block(Stream::normal, 5);
  welcome.series_known = 2;
  welcome.series_hash = 12345;
  come_online();
  EXPECT_EQ(store.rebases, (std::vector<FakeOutbox::Rebase>{{Stream::normal, 6, 6}}));
}

TEST_F(UplinkRollbackTest, more_definitions_at_the_hub_or_a_higher_incarnation_raise_it_too) {
  welcome.series_known = 4;
  come_online();
  EXPECT_EQ(store.rebases.size(), 1u);
  uplink.reset();
  welcome.series_known = 0;
  welcome.incarnation = 1;
  come_online();
  EXPECT_EQ(store.rebases.size(), 2u);
}

TEST_F(UplinkRollbackTest, the_same_definitions_are_fine) {
  welcome.series_known = 2;
  welcome.series_hash = link::series_hash(store.dictionary_.at(1), link::series_hash(store.dictionary_.at(0), 0));
  come_online();
  EXPECT_TRUE(uplink->is_online());
}

TEST_F(UplinkRollbackTest, a_store_that_cannot_move_is_not_hammered) {
  store.put_block(Stream::normal, 60);
  hub_holds({1, 100}, 49);
  come_online();
  uplink->on_rebased(Stream::normal, Error{ErrorCode::io, 5, "disk"}, now);
  EXPECT_EQ(state(), UplinkState::waiting);
  uplink->sync_now(now);
  come_online();
  pass(limits::fetch_deadline);  // no answer at all
  EXPECT_NE(state(), UplinkState::rebasing);
}

TEST_F(UplinkRollbackTest, a_hub_that_agrees_to_numbers_never_made_is_wrong) {
  store.put_block(Stream::normal, 5);
  hub_holds({1, 100}, 100);
  come_online();
  EXPECT_EQ(sent<link::Bye>().at(0).code, link::ByeCode::protocol_error);
  EXPECT_TRUE(store.rebases.empty());
}

}  // namespace
}  // namespace tideline::agent::uplink_test
