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

TEST_F(StoreRestart, the_time_told_in_this_boot_outlives_the_agent) {
  anchor_.quality = model::TimeQuality::floor;
  model::Anchor told = anchor_;
  told.quality = model::TimeQuality::hub;
  told.utc_ns += 86'400'000'000'000;
  store_->set_anchor(told, now_);
  anchor_.mono_ns += 1'000'000'000;
  reopen();
  EXPECT_EQ(store_->status().anchor, told);
}

TEST_F(StoreRestart, a_board_without_a_clock_begins_at_the_newest_date_it_was_told) {
  model::Anchor told = anchor_;
  told.quality = model::TimeQuality::hub;
  told.utc_ns += 86'400'000'000'000;
  store_->set_anchor(told, now_);
  close();
  anchor_ = {.boot_id = 8, .mono_ns = 5, .utc_ns = base_utc, .error_ns = 0, .quality = model::TimeQuality::floor};
  open();
  const model::Anchor expected{.boot_id = 8, .mono_ns = 5, .utc_ns = told.utc_ns, .error_ns = 0, .quality = model::TimeQuality::floor};
  EXPECT_EQ(store_->status().anchor, expected);
}

TEST_F(StoreRestart, a_battery_clock_behind_what_was_told_is_not_believed) {
  model::Anchor told = anchor_;
  told.quality = model::TimeQuality::hub;
  told.utc_ns += 86'400'000'000'000;
  store_->set_anchor(told, now_);
  close();
  anchor_.boot_id = 8;
  open();
  EXPECT_EQ(store_->status().anchor.quality, model::TimeQuality::floor);
  EXPECT_EQ(store_->status().anchor.utc_ns, told.utc_ns);
}

TEST_F(StoreRestart, the_date_of_a_battery_clock_is_no_floor_for_later_boots) {
  anchor_.utc_ns += 1'000'000'000'000'000'000;
  store_->set_anchor(anchor_, now_);
  close();
  anchor_ = {.boot_id = 8, .mono_ns = 5, .utc_ns = base_utc, .error_ns = 0, .quality = model::TimeQuality::floor};
  open();
  EXPECT_EQ(store_->status().anchor, anchor_);
}

TEST_F(StoreRestart, within_a_boot_counting_from_the_floor_goes_on) {
  close();
  anchor_ = {.boot_id = 8, .mono_ns = 5, .utc_ns = base_utc, .error_ns = 0, .quality = model::TimeQuality::floor};
  open();
  const model::Anchor first = store_->status().anchor;
  anchor_.mono_ns = 90'000'000'000;
  reopen();
  EXPECT_EQ(store_->status().anchor, first);
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
