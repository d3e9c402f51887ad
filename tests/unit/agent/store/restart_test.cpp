#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

using StoreRestart = StoreTest;

TEST_F(StoreRestart, the_status_is_derived_again) {
  fill(Stream::normal, 3);
  ASSERT_TRUE(record(Stream::critical, 7));
  const StoreStatus before = store_->status();
  reopen();
  const StoreStatus& after = store_->status();
  EXPECT_EQ(after.epoch, before.epoch);
  EXPECT_EQ(after.incarnation, before.incarnation);
  EXPECT_EQ(after.segments, before.segments);
  for (size_t i = 0; i < model::stream_count; ++i) {
    EXPECT_EQ(after.streams[i].first_held, before.streams[i].first_held);
    EXPECT_EQ(after.streams[i].next, before.streams[i].next);
    EXPECT_EQ(after.streams[i].held_readings, before.streams[i].held_readings);
  }
}

TEST_F(StoreRestart, each_opening_is_a_run_of_its_own) {
  const uint64_t first = store_->status().run.id;
  ASSERT_TRUE(record(Stream::normal, 5));
  reopen();
  const auto& runs = std::as_const(*store_).state().runs;
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].id, first);
  EXPECT_NE(runs[1].id, first);
  EXPECT_EQ(runs[1].first[model::index_of(Stream::normal)], 6U);
}

TEST_F(StoreRestart, runs_are_bounded) {
  for (size_t i = 0; i < limits::runs + 1; ++i) reopen();
  EXPECT_EQ(std::as_const(*store_).state().runs.size(), limits::runs);
}

TEST_F(StoreRestart, a_segment_is_filled_across_restarts) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(record(Stream::normal, 10));
    reopen();
  }
  EXPECT_EQ(files("seg-normal").size(), 1U);
  EXPECT_EQ(fetch_all(Stream::normal).readings, 50U);
}

TEST_F(StoreRestart, a_second_process_is_told_who_owns_the_store) {
  const auto second = Store::open(options_, anchor_, now_, log_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_GT(second.error().native, 1);
}

TEST_F(StoreRestart, settings_and_acknowledgements_are_kept) {
  ASSERT_TRUE(store_->set_setting("key", "value").has_value());
  ASSERT_TRUE(record(Stream::normal, 5));
  store_->add_acknowledged(Stream::normal, {1, 3}, now_);
  reopen();
  EXPECT_EQ(std::as_const(*store_).state().settings.at("key"), "value");
  EXPECT_TRUE(status(Stream::normal).acknowledged.covers({1, 3}));
}

TEST_F(StoreRestart, settings_are_bounded) {
  for (size_t i = 0; i < limits::store_settings; ++i) ASSERT_TRUE(store_->set_setting(format("%zu", i), "x").has_value());
  EXPECT_EQ(store_->set_setting("more", "x").error().code, ErrorCode::limit);
}

TEST_F(StoreRestart, the_best_anchor_of_each_boot_is_kept) {
  model::Anchor better = anchor_;
  better.quality = model::TimeQuality::synced;
  better.utc_ns += 60;
  store_->set_anchor(better, now_);
  close();
  anchor_.boot_id = 8;
  open();
  const auto& anchors = std::as_const(*store_).state().anchors;
  ASSERT_EQ(anchors.size(), 2U);
  EXPECT_EQ(anchors[0], better);
  EXPECT_EQ(anchors[1].boot_id, 8U);
}

TEST_F(StoreRestart, a_crash_while_sealing_is_finished) {
  fill(Stream::normal, 2);
  const uint64_t readings = status(Stream::normal).held_readings;
  crash();
  open();
  EXPECT_EQ(fetch_all(Stream::normal).readings, readings);
  expect_accounted(Stream::normal);
}

}  // namespace
}  // namespace tideline::agent
