// What is sent, in which order, how much of it at once, and what the hub's answers change.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/agent/uplink_fixture.hpp"

namespace tideline::agent::uplink_test {
namespace {

using model::GapReason;
using model::SeqRange;
using model::Stream;

class DrainTest : public testing::Test, protected Fixture {
 protected:
  void commit(Stream stream, uint64_t count, size_t bytes = 100, uint8_t series = 0) {
    store.put_block(stream, count, bytes, series);
    uplink->on_committed(stream, store.status_.streams[model::index_of(stream)].next, now);
  }
  /// Serves and empties the queue until nothing moves any more.
  void drain() {
    for (size_t before = SIZE_MAX; before != wire.sent.size();) {
      before = wire.sent.size();
      serve();
      empty_queue();
    }
  }
  void hub_held(Stream stream, SeqRange range) {
    auto& held = welcome.streams[model::index_of(stream)];
    (void)held.held.add(range, 8);
    held.highest = held.held.ranges().back().last;
    held.agreed = held.highest;
  }
};

TEST_F(DrainTest, a_backlog_drains_at_link_up_without_any_new_write) {
  for (int i = 0; i < 50; ++i) store.put_block(Stream::bulk, 10);
  come_online();
  drain();
  EXPECT_EQ(sent_blocks().size(), 50u);
  EXPECT_EQ(sent_blocks().back(), (SeqRange{491, 500}));
}

TEST_F(DrainTest, what_the_hub_holds_is_neither_read_nor_sent) {
  for (int i = 0; i < 10; ++i) store.put_block(Stream::normal, 10);
  hub_held(Stream::normal, {1, 40});
  hub_held(Stream::normal, {61, 80});
  come_online();
  ASSERT_FALSE(store.fetches.empty());
  EXPECT_EQ(store.fetches.front().from, 41u);
  drain();
  EXPECT_EQ(sent_blocks(), (std::vector<SeqRange>{{41, 50}, {51, 60}, {81, 90}, {91, 100}}));
}

TEST_F(DrainTest, definitions_come_before_the_first_block_that_uses_them_and_no_others) {
  store.put_block(Stream::normal, 1, 100, 0);
  store.put_block(Stream::normal, 1, 100, 1);
  come_online();
  drain();
  std::string order;
  for (const ByteBuffer& payload : wire.sent) {
    const auto message = link::decode(payload);
    if (std::holds_alternative<link::SeriesFrame>(*message)) order += 's';
    if (std::holds_alternative<link::BlockFrame>(*message)) order += 'b';
  }
  EXPECT_EQ(order, "sbsb");
  EXPECT_EQ(sent<link::SeriesFrame>().back().first, 1u);  // the third, which no block proves durable, is not sent
}

TEST_F(DrainTest, a_large_dictionary_goes_in_frames_within_the_bound) {
  for (int i = 0; i < 500; ++i) {
    model::Series series;
    series.name = std::string(limits::series_name_bytes - 4, 'n') + std::to_string(i);
    for (char label = 'a'; label < 'd'; ++label) series.labels.emplace_back(std::string(1, label), std::string(limits::label_bytes, 'v'));
    ASSERT_TRUE(store.dictionary_.add(series).has_value());
  }
  store.put_block(Stream::normal, 1, 100, 250);
  come_online();
  drain();
  model::SeriesId next = 0;
  for (const link::SeriesFrame& frame : sent<link::SeriesFrame>()) {
    EXPECT_EQ(frame.first, next);
    next += static_cast<model::SeriesId>(frame.series.size());
  }
  EXPECT_EQ(next, 251u);
  for (const ByteBuffer& payload : wire.sent) EXPECT_LE(payload.size(), limits::frame_bytes);
}

TEST_F(DrainTest, never_more_in_flight_than_the_credit_and_it_goes_on_when_credit_returns) {
  for (int i = 0; i < 20; ++i) store.put_block(Stream::normal, 1, 1000);
  welcome.credit = 3500;
  come_online();
  drain();
  EXPECT_EQ(sent_blocks().size(), 3u);
  EXPECT_LE(uplink->status().in_flight_bytes, 3500u);
  hub_sends(link::Ack{Stream::normal, {{1, 2}}, 2100});
  drain();
  EXPECT_EQ(sent_blocks().size(), 5u);
  hub_sends(link::Credit{1100});
  drain();
  EXPECT_EQ(sent_blocks().size(), 6u);
}

TEST_F(DrainTest, a_backlog_does_not_change_what_is_held_in_memory) {
  for (int i = 0; i < 500; ++i) store.put_block(Stream::normal, 1, 10'000);
  welcome.credit = 0;
  come_online();
  drain();
  size_t buffered = 0;
  for (const LaneStatus& lane : uplink->status().lanes) buffered += static_cast<size_t>(lane.buffered_bytes);
  EXPECT_GT(buffered, 0u);
  EXPECT_LE(buffered, limits::uplink_buffer_bytes + limits::uplink_fetch_bytes + 20'000);
}

TEST_F(DrainTest, nothing_is_sent_while_the_send_queue_is_full) {
  for (int i = 0; i < 100; ++i) store.put_block(Stream::normal, 1, 50'000);
  come_online();
  serve();
  serve();
  size_t bytes = 0;
  for (const ByteBuffer& payload : wire.sent) bytes += payload.size();
  EXPECT_LE(bytes, limits::send_queue_bytes);
  const size_t before = wire.sent.size();
  uplink->on_send_queue(limits::send_queue_bytes / 2, now);
  EXPECT_EQ(wire.sent.size(), before);
  uplink->on_send_queue(0, now);
  EXPECT_GT(wire.sent.size(), before);
}

TEST_F(DrainTest, critical_goes_before_everything) {
  for (int i = 0; i < 5; ++i) store.put_block(Stream::bulk, 1);
  for (int i = 0; i < 5; ++i) store.put_block(Stream::normal, 1);
  for (int i = 0; i < 5; ++i) store.put_block(Stream::critical, 1);
  welcome.credit = 0;
  come_online();
  drain();
  hub_sends(link::Credit{100'000});
  std::string order;
  for (const link::BlockFrame& frame : sent<link::BlockFrame>()) order += "cnb"[model::index_of(frame.stream)];
  EXPECT_EQ(order, "cccccnnnnnbbbbb");
}

TEST_F(DrainTest, live_and_backfill_share_thirty_to_seventy_while_both_have_data) {
  for (int i = 0; i < 400; ++i) store.put_block(Stream::normal, 1, 1000);
  welcome.credit = 0;
  come_online();
  for (int i = 0; i < 400; ++i) commit(Stream::normal, 1, 1000);
  size_t live = 0;
  size_t backfill = 0;
  while (live + backfill < 200) {
    forget_sent();
    serve();
    hub_sends(link::Credit{1100});
    empty_queue();
    for (const link::BlockFrame& frame : sent<link::BlockFrame>()) ++(frame.lane == link::Lane::live ? live : backfill);
  }
  EXPECT_NEAR(static_cast<double>(live), 60, 8);
}

TEST_F(DrainTest, live_blocks_do_not_wait_for_the_backlog) {
  for (int i = 0; i < 1000; ++i) store.put_block(Stream::normal, 1, 1000);
  welcome.credit = 20'000;
  come_online();
  serve();
  commit(Stream::normal, 1, 1000);
  serve();
  hub_sends(link::Credit{5'000});
  const auto blocks = sent_blocks();
  EXPECT_NE(std::find(blocks.begin(), blocks.end(), SeqRange{1001, 1001}), blocks.end());
}

TEST_F(DrainTest, without_a_live_lane_everything_goes_oldest_first) {
  for (int i = 0; i < 20; ++i) store.put_block(Stream::normal, 1);
  welcome.live = false;
  come_online();
  commit(Stream::normal, 1);
  drain();
  const auto blocks = sent_blocks();
  EXPECT_EQ(blocks.size(), 21u);
  EXPECT_TRUE(std::is_sorted(blocks.begin(), blocks.end(), [](SeqRange a, SeqRange b) { return a.first < b.first; }));
}

TEST_F(DrainTest, gaps_are_declared_in_their_place) {
  store.put_block(Stream::normal, 10);
  store.put_gap(Stream::normal, 5);
  store.put_gap(Stream::normal, 5, GapReason::disk_full);
  store.put_block(Stream::normal, 10);
  come_online();
  drain();
  ASSERT_EQ(sent<link::GapFrame>().size(), 1u);  // neighbours share a frame
  EXPECT_EQ(sent<link::GapFrame>()[0].gaps.size(), 2u);
  EXPECT_EQ(sent_blocks(), (std::vector<SeqRange>{{1, 10}, {21, 30}}));
}

TEST_F(DrainTest, what_was_freed_and_the_hub_forgot_is_declared) {
  store.put_freed(Stream::normal, 100);
  store.put_block(Stream::normal, 10);
  hub_held(Stream::normal, {1, 80});
  come_online();
  drain();
  const auto gaps = sent<link::GapFrame>().at(0).gaps;
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].range, (SeqRange{81, 100}));
  EXPECT_EQ(gaps[0].reason, GapReason::hub_rollback);
  EXPECT_EQ(gaps[0].count, 20u);
}

TEST_F(DrainTest, acknowledgements_reach_the_store_and_the_counters) {
  for (int i = 0; i < 3; ++i) store.put_block(Stream::normal, 10);
  come_online();
  drain();
  EXPECT_FALSE(uplink->is_synced());
  hub_sends(link::Ack{Stream::normal, {{1, 10}, {21, 30}}, 0});
  EXPECT_EQ(store.acknowledged, (std::vector<SeqRange>{{1, 10}, {21, 30}}));
  EXPECT_EQ(uplink->status().readings_acknowledged, 20u);
  hub_sends(link::Ack{Stream::normal, {{1, 30}}, 0});
  EXPECT_EQ(uplink->status().readings_acknowledged, 30u);
  EXPECT_TRUE(uplink->is_synced());
  EXPECT_EQ(uplink->status().in_flight_bytes, 0u);
}

TEST_F(DrainTest, an_acknowledgement_of_what_was_never_made_frees_nothing) {
  store.put_block(Stream::normal, 10);
  come_online();
  drain();
  hub_sends(link::Ack{Stream::normal, {{1, 11}}, 0});
  EXPECT_TRUE(store.acknowledged.empty());
  EXPECT_EQ(sent<link::Bye>().at(0).code, link::ByeCode::protocol_error);
}

TEST_F(DrainTest, a_temporary_refusal_is_sent_again_after_a_while_and_only_that) {
  for (int i = 0; i < 3; ++i) store.put_block(Stream::normal, 10);
  come_online();
  drain();
  forget_sent();
  hub_sends(link::Nack{Stream::normal, {11, 20}, false, "later"});
  drain();
  EXPECT_TRUE(sent_blocks().empty());
  pass(limits::nack_retry);
  drain();
  EXPECT_EQ(sent_blocks(), (std::vector<SeqRange>{{11, 20}}));
}

TEST_F(DrainTest, a_permanent_refusal_is_set_aside_declared_and_the_stream_goes_on) {
  for (int i = 0; i < 3; ++i) store.put_block(Stream::normal, 10);
  welcome.credit = 250;
  come_online();
  drain();
  hub_sends(link::Nack{Stream::normal, {1, 10}, true, "cannot be decoded"});
  hub_sends(link::Credit{10'000});
  drain();
  EXPECT_EQ(store.set_aside_ranges, (std::vector<SeqRange>{{1, 10}}));
  ASSERT_EQ(sent<link::GapFrame>().size(), 1u);
  EXPECT_EQ(sent<link::GapFrame>()[0].gaps[0].reason, GapReason::refused);
  EXPECT_EQ(sent_blocks(), (std::vector<SeqRange>{{1, 10}, {11, 20}, {21, 30}}));
  EXPECT_EQ(uplink->status().blocks_refused, 1u);
}

TEST_F(DrainTest, a_store_that_cannot_set_aside_does_not_make_a_loop) {
  for (int i = 0; i < 2; ++i) store.put_block(Stream::normal, 10);
  store.keeps_refused = true;
  come_online();
  drain();
  for (int i = 0; i < 5; ++i) {
    hub_sends(link::Nack{Stream::normal, {1, 10}, true, "cannot be decoded"});
    drain();
  }
  EXPECT_EQ(sent_blocks(), (std::vector<SeqRange>{{1, 10}, {11, 20}}));  // once each
  EXPECT_EQ(store.set_aside_ranges.size(), 1u);
}

TEST_F(DrainTest, a_refusal_of_what_is_not_in_flight_is_ignored) {
  store.put_block(Stream::normal, 10);
  come_online();
  drain();
  hub_sends(link::Nack{Stream::normal, {1, 9}, true, ""});
  hub_sends(link::Nack{Stream::bulk, {1, 10}, true, ""});
  EXPECT_TRUE(store.set_aside_ranges.empty());
}

TEST_F(DrainTest, an_answer_to_a_read_of_the_last_connection_is_dropped) {
  for (int i = 0; i < 3; ++i) store.put_block(Stream::normal, 10);
  come_online();
  ASSERT_EQ(store.fetches.size(), 1u);
  uplink->on_closed("reset", now);
  uplink->sync_now(now);
  come_online();
  EXPECT_EQ(store.fetches.size(), 1u);  // one at a time: it waits for the old answer
  serve_one();
  EXPECT_TRUE(sent_blocks().empty());
  ASSERT_EQ(store.fetches.size(), 1u);
  drain();
  EXPECT_EQ(sent_blocks().size(), 3u);
}

TEST_F(DrainTest, a_read_that_is_never_answered_is_asked_again) {
  store.put_block(Stream::normal, 10);
  come_online();
  store.fetches.clear();
  pass_answering_pings(limits::fetch_deadline);
  EXPECT_EQ(store.fetches.size(), 1u);
}

TEST_F(DrainTest, a_store_that_cannot_read_is_asked_again_later_not_at_once) {
  store.put_block(Stream::normal, 10);
  come_online();
  const auto fetch = store.fetches.front();
  store.fetches.clear();
  uplink->on_fetched(fetch.stream, fetch.from, {}, {}, fetch.from - 1, now);
  EXPECT_TRUE(store.fetches.empty());
  pass(limits::fetch_retry);
  EXPECT_EQ(store.fetches.size(), 1u);
}

/// A backlog that is acknowledged at once: only the rate holds it back.
class MeteredTest : public DrainTest {
 protected:
  void drain_for_a_minute() {
    for (int i = 0; i < 400; ++i) store.put_block(Stream::normal, 1, 2'000);
    come_online();
    const Instant begin = now;
    while ((now - begin) < seconds(60)) {
      drain();
      pass(milliseconds(100));
      if (const auto blocks = sent_blocks(); !blocks.empty()) hub_sends(link::Ack{Stream::normal, {{1, blocks.back().last}}, 0});
      for (const link::Ping& ping : sent<link::Ping>()) hub_sends(link::Pong{ping.token});
    }
    size_t bytes = 0;
    for (const ByteBuffer& payload : wire.sent) bytes += payload.size() + 4;
    EXPECT_LE(bytes, 60 * 10'000u + limits::frame_bytes + 4'000u);
    EXPECT_GE(bytes, 55 * 10'000u);
  }
};

TEST_F(MeteredTest, a_metered_link_keeps_to_its_rate) {
  options.bytes_per_second = 10'000;
  drain_for_a_minute();
}

TEST_F(MeteredTest, a_link_found_to_be_metered_when_it_comes_up_keeps_to_its_rate) {
  start();
  uplink->set_rate(10'000, now);
  drain_for_a_minute();
}

}  // namespace
}  // namespace tideline::agent::uplink_test
