#include "hub/fleet/session.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/hub/fleet/session_fixture.hpp"

namespace tideline::hub::session_test {
namespace {

using link::ByeCode;
using model::SeqRange;
using model::Stream;

class SessionTest : public testing::Test, protected Fixture {
 protected:
  void hello_is_refused_with(ByeCode code) {
    connect();
    device_sends(hello);
    EXPECT_EQ(bye(), code);
    EXPECT_EQ(actions.closes, 1);
    EXPECT_TRUE(session->is_closed());
    EXPECT_TRUE(actions.loads.empty());
  }
};

// ---- Who may speak

TEST_F(SessionTest, a_peer_without_certificate_is_told_to_enrol) {
  peer = {};
  hello_is_refused_with(ByeCode::not_authorised);
}

TEST_F(SessionTest, a_device_that_names_another_id_than_its_certificate_is_refused) {
  hello.device = "pump-8";
  hello_is_refused_with(ByeCode::not_authorised);
}

TEST_F(SessionTest, an_unknown_device_is_refused) {
  peer.is_known = false;
  hello_is_refused_with(ByeCode::unknown_device);
}

TEST_F(SessionTest, a_revoked_device_is_refused) {
  peer.record.revoked = true;
  hello_is_refused_with(ByeCode::revoked);
}

TEST_F(SessionTest, a_device_of_another_protocol_is_refused) {
  hello.version_least = 2;
  hello.version_most = 3;
  hello_is_refused_with(ByeCode::too_old);
}

TEST_F(SessionTest, frames_before_hello_or_before_welcome_are_wrong) {
  connect();
  device_sends(link::Ping{1, {}});
  EXPECT_EQ(bye(), ByeCode::protocol_error);
  actions.sent.clear();
  connect();
  device_sends(hello);
  device_sends(link::Ping{1, {}});
  EXPECT_EQ(bye(), ByeCode::protocol_error);
}

TEST_F(SessionTest, garbage_and_a_second_hello_are_wrong) {
  come_online();
  device_sends(hello);
  EXPECT_EQ(bye(), ByeCode::protocol_error);
  actions.sent.clear();
  come_online();
  session->on_frame(ByteBuffer{0xc1}, now);
  EXPECT_EQ(bye(), ByeCode::protocol_error);
  EXPECT_EQ(actions.presences, (std::vector<bool>{true, false, true, false}));
}

TEST_F(SessionTest, frames_of_the_future_are_ignored) {
  come_online();
  session->on_frame(ByteBuffer{0x92, 0x40, 0xc0}, now);
  session->on_frame(ByteBuffer{0x92, 0x7f, 0xc0}, now);
  EXPECT_FALSE(session->is_closed());
}

// ---- Welcome

TEST_F(SessionTest, welcome_tells_what_is_held_and_what_may_be_sent) {
  (void)state.held[1].add({1, 120}, 64);
  state.runs = {{1, {1, 1, 1}, {0, 120, 0}}};
  state.series_known = 3;
  state.series_hash = 77;
  options.credit_bytes = 100'000;
  come_online();
  EXPECT_EQ(actions.loads, (std::vector<std::string>{hello.epoch}));
  const link::Welcome welcome = sent<link::Welcome>().at(0);
  EXPECT_EQ(welcome.streams[1].held, state.held[1]);
  EXPECT_EQ(welcome.streams[1].highest, 120u);
  EXPECT_EQ(welcome.streams[1].agreed, 120u);
  EXPECT_EQ(welcome.series_known, 3u);
  EXPECT_EQ(welcome.series_hash, 77u);
  EXPECT_EQ(welcome.credit, 100'000u);
  EXPECT_TRUE(welcome.live);
}

TEST_F(SessionTest, a_device_with_a_backlog_waits_for_its_turn_without_credit_and_is_online_meanwhile) {
  actions.has_slot = false;
  come_online();
  EXPECT_EQ(sent<link::Welcome>().front().credit, 0u);
  EXPECT_EQ(actions.presences, std::vector<bool>{true});
  EXPECT_TRUE(sent<link::Credit>().empty());
  session->grant();
  session->grant();
  ASSERT_EQ(sent<link::Credit>().size(), 1u) << "granted once";
  EXPECT_EQ(sent<link::Credit>().front().bytes, options.credit_bytes);
  send_block(model::Stream::normal, {1, 10});
  EXPECT_FALSE(session->is_closed());
}

TEST_F(SessionTest, a_device_that_sends_before_its_turn_is_closed) {
  actions.has_slot = false;
  come_online();
  send_block(model::Stream::normal, {1, 10});
  EXPECT_TRUE(session->is_closed());
  session->grant();
  EXPECT_TRUE(sent<link::Credit>().empty());
}

TEST_F(SessionTest, a_device_without_a_backlog_asks_for_no_turn) {
  actions.has_slot = false;
  hello.streams[1].next = 1;
  hello.streams[1].first_held = 1;
  come_online();
  EXPECT_EQ(actions.asked, 0);
  EXPECT_EQ(sent<link::Welcome>().front().credit, options.credit_bytes);
}

TEST_F(SessionTest, a_raised_incarnation_begins_without_definitions) {
  state.series_known = 3;
  state.series_hash = 77;
  hello.incarnation = 1;
  come_online();
  EXPECT_EQ(sent<link::Welcome>().at(0).series_known, 0u);
  EXPECT_EQ(sent<link::Welcome>().at(0).series_hash, 0u);
}

TEST_F(SessionTest, many_ranges_are_told_by_the_first_and_the_newest_and_end_the_live_lane_at_half_the_bound) {
  const auto hold = [&](size_t ranges) {
    state.held[1].clear();
    for (model::Seq i = 0; i < ranges; ++i) (void)state.held[1].add({i * 10 + 1, i * 10 + 5}, 64);
    actions.sent.clear();
    come_online();
    return sent<link::Welcome>().at(0);
  };
  EXPECT_TRUE(hold(limits::cursor_ranges / 2 - 1).live);
  const link::Welcome welcome = hold(limits::cursor_ranges / 2);
  EXPECT_FALSE(welcome.live);
  EXPECT_EQ(welcome.streams[1].held.ranges().size(), limits::ack_ranges);
  EXPECT_EQ(welcome.streams[1].held.ranges().front(), (SeqRange{1, 5}));
  EXPECT_EQ(welcome.streams[1].held.ranges().back(), (SeqRange{311, 315}));
}

TEST_F(SessionTest, an_archive_that_cannot_be_read_is_told_with_a_time_to_come_back) {
  connect();
  device_sends(hello);
  session->on_state_loaded(Error{ErrorCode::io, 5, "disk"}, now);
  EXPECT_EQ(bye(), ByeCode::unavailable);
  EXPECT_EQ(sent<link::Bye>()[0].retry_after, options.unavailable_retry);
}

// ---- Data

TEST_F(SessionTest, what_came_in_one_turn_is_one_batch_and_nothing_is_acknowledged_before_it_is_stored) {
  come_online();
  send_block(Stream::normal, {1, 10});
  send_block(Stream::normal, {11, 20});
  send_block(Stream::critical, {1, 5});
  EXPECT_TRUE(actions.batches.empty());
  session->flush(now);
  ASSERT_EQ(actions.batches.size(), 1u);
  EXPECT_EQ(actions.batches[0].device, 5);
  EXPECT_EQ(actions.batches[0].epoch, hello.epoch);
  EXPECT_EQ(actions.batches[0].blocks.size(), 3u);
  EXPECT_TRUE(sent<link::Ack>().empty());
  apply_all();
  const auto acks = sent<link::Ack>();  // one per stream, the credit with the last
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].ranges, (std::vector<SeqRange>{{1, 5}}));
  EXPECT_EQ(acks[1].ranges, (std::vector<SeqRange>{{1, 20}}));
  EXPECT_EQ(acks[0].credit, 0u);
  EXPECT_GT(acks[1].credit, 150u);
  EXPECT_EQ(session->status().pending_bytes, 0u);
  EXPECT_EQ(session->status().readings_accepted, 25u);
}

TEST_F(SessionTest, one_batch_is_stored_at_a_time) {
  come_online();
  send_block(Stream::normal, {1, 10});
  session->flush(now);
  send_block(Stream::normal, {11, 20});
  session->flush(now);
  EXPECT_EQ(actions.batches.size(), 1u);
  apply_all();
  ASSERT_EQ(actions.batches.size(), 2u);
  EXPECT_EQ(actions.batches[1].blocks[0].range, (SeqRange{11, 20}));
}

TEST_F(SessionTest, more_than_eight_ranges_take_more_than_one_acknowledgement) {
  come_online();
  for (model::Seq i = 0; i <= limits::ack_ranges; ++i) send_block(Stream::normal, {i * 10 + 1, i * 10 + 5});
  session->flush(now);
  apply_all();
  ASSERT_EQ(sent<link::Ack>().size(), 2u);
  EXPECT_EQ(sent<link::Ack>()[0].ranges.size(), limits::ack_ranges);
  EXPECT_EQ(sent<link::Ack>()[1].ranges.size(), 1u);
}

TEST_F(SessionTest, data_within_the_credit_is_taken_and_one_byte_more_ends_the_connection) {
  ByteBuffer payload;
  const ByteBuffer block(1000, 0xbb);
  link::encode(link::BlockFrame{link::Lane::live, Stream::normal, {1, 10}, block}, payload);
  options.credit_bytes = payload.size();
  come_online();
  session->on_frame(payload, now);
  EXPECT_FALSE(session->is_closed());
  EXPECT_EQ(session->status().pending_bytes, payload.size());
  actions.sent.clear();
  options.credit_bytes = payload.size() - 1;
  come_online();
  session->on_frame(payload, now);
  EXPECT_EQ(bye(), ByeCode::protocol_error);
}

TEST_F(SessionTest, credit_comes_back_when_the_data_is_stored) {
  options.credit_bytes = 1100;
  come_online();
  for (model::Seq i = 1; i <= 5; ++i) {
    send_block(Stream::normal, {i, i}, 1000);
    session->flush(now);
    apply_all();
  }
  EXPECT_FALSE(session->is_closed());
}

TEST_F(SessionTest, definitions_alone_give_their_credit_back) {
  come_online();
  model::Series series;
  series.name = "temp";
  device_sends(link::SeriesFrame{0, {series}});
  session->flush(now);
  EXPECT_EQ(actions.batches.at(0).series.size(), 1u);
  apply_all();
  EXPECT_EQ(sent<link::Credit>().size(), 1u);
}

TEST_F(SessionTest, definitions_come_in_order_without_holes) {
  state.series_known = 2;
  come_online();
  model::Series series;
  series.name = "temp";
  device_sends(link::SeriesFrame{2, {series}});
  device_sends(link::SeriesFrame{3, {series}});
  EXPECT_FALSE(session->is_closed());
  device_sends(link::SeriesFrame{5, {series}});
  EXPECT_EQ(bye(), ByeCode::protocol_error);
}

TEST_F(SessionTest, a_store_that_fails_acknowledges_nothing_and_ends_the_connection) {
  come_online();
  send_block(Stream::normal, {1, 10});
  session->flush(now);
  session->on_applied(Error{ErrorCode::io, 5, "disk"}, now);
  EXPECT_TRUE(sent<link::Ack>().empty());
  EXPECT_EQ(bye(), ByeCode::unavailable);
  EXPECT_EQ(sent<link::Bye>()[0].retry_after, options.unavailable_retry);
}

TEST_F(SessionTest, a_block_that_cannot_be_decoded_is_refused_for_good_and_its_gap_is_taken) {
  come_online();
  send_block(Stream::normal, {1, 10});
  send_block(Stream::normal, {11, 20});
  session->flush(now);
  session->on_applied(std::vector<BlockVerdict>{{Stream::normal, {1, 10}, false, false, "damaged"}, {Stream::normal, {11, 20}, true, false, ""}}, now);
  EXPECT_EQ(sent<link::Nack>().at(0), (link::Nack{Stream::normal, {1, 10}, true, "damaged"}));
  EXPECT_EQ(sent<link::Ack>().at(0).ranges, (std::vector<SeqRange>{{11, 20}}));
  send_gap(Stream::normal, {1, 10});
  session->flush(now);
  ASSERT_EQ(actions.batches.back().gaps.size(), 1u);
  EXPECT_EQ(actions.batches.back().gaps[0].range, (SeqRange{1, 10}));
}

TEST_F(SessionTest, a_gap_is_cut_to_what_is_not_held_and_acknowledged_whole) {
  (void)state.held[1].add({11, 20}, 64);
  come_online();
  send_block(Stream::normal, {31, 40});
  send_gap(Stream::normal, {1, 50});
  session->flush(now);
  const auto& gaps = actions.batches.at(0).gaps;
  ASSERT_EQ(gaps.size(), 3u);
  EXPECT_EQ(gaps[0].range, (SeqRange{1, 10}));
  EXPECT_EQ(gaps[1].range, (SeqRange{21, 30}));
  EXPECT_EQ(gaps[2].range, (SeqRange{41, 50}));
  EXPECT_EQ(gaps[0].count + gaps[1].count + gaps[2].count, 30u);
  apply_all();
  EXPECT_EQ(sent<link::Ack>().at(0).ranges, (std::vector<SeqRange>{{1, 50}}));
}

TEST_F(SessionTest, a_gap_around_a_block_that_is_then_refused_is_asked_for_again) {
  come_online();
  send_block(Stream::normal, {11, 20});
  send_gap(Stream::normal, {1, 30});
  session->flush(now);
  session->on_applied(std::vector<BlockVerdict>{{Stream::normal, {11, 20}, false, false, "damaged"}}, now);
  EXPECT_TRUE(sent<link::Ack>().empty());
  ASSERT_EQ(sent<link::Nack>().size(), 2u);
  EXPECT_EQ(sent<link::Nack>()[1].range, (SeqRange{1, 30}));
  EXPECT_FALSE(sent<link::Nack>()[1].permanent);
  send_gap(Stream::normal, {1, 30});
  session->flush(now);
  EXPECT_EQ(actions.batches.back().gaps.at(0).range, (SeqRange{11, 20}));
  apply_all();
  EXPECT_EQ(sent<link::Ack>().at(0).ranges, (std::vector<SeqRange>{{1, 30}}));
}

TEST_F(SessionTest, an_inexact_gap_never_counts_more_than_was_declared) {
  (void)state.held[1].add({11, 20}, 64);
  come_online();
  send_gap(Stream::normal, {1, 30}, 12);
  session->flush(now);
  const auto& gaps = actions.batches.at(0).gaps;
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].count + gaps[1].count, 12u);
  EXPECT_TRUE(gaps[0].at_least && gaps[1].at_least);
}

TEST_F(SessionTest, a_gap_that_is_held_altogether_is_acknowledged_and_not_stored) {
  (void)state.held[1].add({1, 100}, 64);
  come_online();
  send_gap(Stream::normal, {1, 50});
  session->flush(now);
  EXPECT_TRUE(actions.batches.at(0).gaps.empty());
  apply_all();
  EXPECT_EQ(sent<link::Ack>().at(0).ranges, (std::vector<SeqRange>{{1, 50}}));
}

TEST_F(SessionTest, ranges_are_taken_up_to_the_bound_and_one_more_has_to_wait) {
  come_online();
  for (model::Seq i = 0; i < limits::cursor_ranges; ++i) send_block(Stream::normal, {i * 10 + 1, i * 10 + 5});
  EXPECT_TRUE(sent<link::Nack>().empty());
  send_block(Stream::normal, {9001, 9005});
  ASSERT_EQ(sent<link::Nack>().size(), 1u);
  EXPECT_FALSE(sent<link::Nack>()[0].permanent);
  EXPECT_EQ(sent<link::Credit>().size(), 1u);
  send_block(Stream::normal, {6, 10});  // closes a hole: fine
  session->flush(now);
  EXPECT_EQ(actions.batches.at(0).blocks.size(), limits::cursor_ranges + 1);
}

TEST_F(SessionTest, waiting_gaps_are_bounded_and_their_credit_is_not_lost) {
  come_online();
  size_t nacks = 0;
  for (model::Seq i = 0; i < 2000 && nacks == 0; ++i) {
    send_gap(Stream::bulk, {i + 1, i + 1});  // neighbours: one range, many records
    nacks = sent<link::Nack>().size();
  }
  EXPECT_EQ(nacks, 1u);
  session->flush(now);
  EXPECT_EQ(actions.batches.at(0).gaps.size(), limits::session_pending_gaps);
  apply_all();
  EXPECT_EQ(session->status().pending_bytes, 0u);
}

TEST_F(SessionTest, a_frame_that_is_refused_altogether_gives_its_credit_back) {
  for (model::Seq i = 0; i < limits::cursor_ranges; ++i) (void)state.held[1].add({i * 10 + 1, i * 10 + 5}, 64);
  come_online();
  send_gap(Stream::normal, {9001, 9005});
  EXPECT_EQ(sent<link::Nack>().size(), 1u);
  session->flush(now);
  apply_all();
  EXPECT_EQ(session->status().pending_bytes, 0u);
  EXPECT_EQ(sent<link::Credit>().size(), 1u);
}

TEST_F(SessionTest, anchors_reach_the_archive_and_a_flood_of_them_is_thinned) {
  hello.anchors = {{1, 2, 3, 4, model::TimeQuality::rtc}};
  come_online();
  for (int i = 0; i < 100; ++i) device_sends(link::AnchorFrame{{7, i, i, 0, model::TimeQuality::synced}});
  session->flush(now);
  EXPECT_EQ(actions.batches.at(0).anchors.size(), limits::hello_anchors);
  EXPECT_EQ(actions.batches[0].anchors.back().mono_ns, 99);
}

TEST_F(SessionTest, claimed_runs_are_stored_with_the_first_data_not_with_a_visit) {
  hello.runs = {{1, {1, 1, 1}}, {2, {1, 1, 1}}, {3, {1, 500, 1}}};
  hello.anchors = {{1, 2, 3, 4, model::TimeQuality::rtc}};
  come_online();
  session->flush(now);
  EXPECT_TRUE(actions.batches.at(0).runs.empty());
  apply_all();
  send_block(Stream::normal, {1, 10});
  session->flush(now);
  const auto& runs = actions.batches.at(1).runs;
  ASSERT_EQ(runs.size(), 2u);  // run 1 has no numbers
  EXPECT_EQ(runs[0].id, 2u);
  EXPECT_EQ(runs[1].first[1], 500u);
  apply_all();
  send_block(Stream::normal, {11, 20});
  session->flush(now);
  EXPECT_TRUE(actions.batches.at(2).runs.empty());
  apply_all();
  send_gap(Stream::normal, {490, 510});
  session->flush(now);
  ASSERT_EQ(actions.batches.at(3).runs.size(), 2u);
  EXPECT_EQ(actions.batches[3].runs[0].highest[1], 499u);
  EXPECT_EQ(actions.batches[3].runs[1].highest[1], 510u);
}

}  // namespace
}  // namespace tideline::hub::session_test
