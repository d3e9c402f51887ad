#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

class StoreEvict : public StoreTest {
 protected:
  void limit_to(uint64_t segments) {
    close();
    options_.store_bytes = segments * (options_.segment_bytes + 12'000);
    open();
  }
};

TEST_F(StoreEvict, the_oldest_readings_go_with_an_exact_gap) {
  limit_to(4);
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(record(Stream::normal, 1000));
  const Held held = fetch_all(Stream::normal);
  ASSERT_EQ(held.gaps.size(), 1U);
  EXPECT_EQ(held.gaps[0].reason, GapReason::evicted);
  EXPECT_EQ(held.gaps[0].range.first, 1U);
  EXPECT_EQ(held.gaps[0].from_ns, time_of(0));
  EXPECT_EQ(held.gaps[0].to_ns, time_of(static_cast<int64_t>(held.gaps[0].range.last) - 1));
  EXPECT_LE(store_->status().disk_bytes, options_.store_bytes + limits::ballast_bytes);
  expect_accounted(Stream::normal);
}

TEST_F(StoreEvict, bulk_goes_before_normal_before_critical) {
  limit_to(6);
  fill(Stream::critical, 1);
  fill(Stream::normal, 1);
  fill(Stream::bulk, 2);
  fill(Stream::critical, 3);
  EXPECT_GT(status(Stream::bulk).lost_readings, 0U);
  EXPECT_EQ(status(Stream::critical).lost_readings, 0U);
  const uint64_t normal = status(Stream::normal).lost_readings;
  EXPECT_TRUE(normal == 0 || status(Stream::bulk).held_readings == 0);
  for (const Stream stream : model::streams) expect_accounted(stream);
}

TEST_F(StoreEvict, delivered_readings_go_first_and_leave_no_gap) {
  limit_to(4);
  fill(Stream::critical, 1);
  store_->add_acknowledged(Stream::critical, {1, store_->next(Stream::critical) - 1}, now_);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(record(Stream::bulk, 1000));
  EXPECT_EQ(status(Stream::critical).lost_readings, 0U);
  EXPECT_EQ(status(Stream::critical).held_readings, 0U);
  reopen();
  EXPECT_EQ(status(Stream::critical).lost_readings, 0U);
  EXPECT_EQ(status(Stream::critical).first_held, status(Stream::critical).next);
}

TEST_F(StoreEvict, history_beyond_its_bound_is_freed_once_delivered) {
  close();
  options_.history_bytes = 2 * options_.segment_bytes;
  open();
  fill(Stream::normal, 6);
  const size_t before = files("seg-normal").size();
  store_->add_acknowledged(Stream::normal, {1, store_->next(Stream::normal) - 1}, now_);
  EXPECT_LT(files("seg-normal").size(), before);
  EXPECT_GT(files("seg-normal").size(), 1U);
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreEvict, a_partly_delivered_segment_leaves_a_gap_for_the_rest_only) {
  limit_to(3);
  ASSERT_TRUE(record(Stream::normal, 1000));
  store_->add_acknowledged(Stream::normal, {1, 600}, now_);
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(record(Stream::normal, 1000));
  ASSERT_FALSE(gaps(Stream::normal).empty());
  EXPECT_EQ(gaps(Stream::normal)[0].range.first, 601U);
}

TEST_F(StoreEvict, a_segment_that_outlived_its_gap_record_is_unlinked) {
  fill(Stream::normal, 2);
  const std::string oldest = files("seg-normal")[0];
  std::filesystem::copy(directory_.file(oldest), directory_.file("keep"));
  limit_to(1);
  ASSERT_TRUE(record(Stream::normal, 1000));
  close();
  std::filesystem::rename(directory_.file("keep"), directory_.file(oldest));
  open();
  EXPECT_FALSE(std::filesystem::exists(directory_.file(oldest)));
  expect_accounted(Stream::normal);
}

TEST_F(StoreEvict, other_peoples_full_disk_stops_growth_but_keeps_the_backlog) {
  fill(Stream::normal, 4);
  const uint64_t held = status(Stream::normal).held_bytes;
  close();
  options_.free_bytes_least = UINT64_MAX / 2;
  open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(record(Stream::normal, 200));
  EXPECT_LE(status(Stream::normal).held_bytes, held + options_.segment_bytes / 4);
  EXPECT_GE(status(Stream::normal).held_bytes, held / 2);
  expect_accounted(Stream::normal);
}

TEST_F(StoreEvict, a_full_disk_with_nothing_to_evict_refuses_and_says_so) {
  close();
  options_.free_inodes_least = UINT64_MAX - 1;
  open();
  EXPECT_FALSE(record(Stream::normal, 5));
  EXPECT_EQ(results_.at(token_).error().code, ErrorCode::full);
  EXPECT_TRUE(store_->status().disk_full);
  EXPECT_EQ(store_->status().dropped, 5U);
  EXPECT_FALSE(store_->status().failed);
}

TEST_F(StoreEvict, grouped_readings_that_found_no_space_become_a_gap) {
  close();
  options_.free_inodes_least = UINT64_MAX - 1;
  open();
  append(Stream::normal, 5, Durability::grouped);
  append(Stream::normal, 3, Durability::synced);
  pass(limits::normal_commit);
  pass(limits::normal_commit);
  ASSERT_EQ(gaps(Stream::normal).size(), 1U);
  EXPECT_EQ(gaps(Stream::normal)[0].reason, GapReason::disk_full);
  EXPECT_EQ(gaps(Stream::normal)[0].range, (SeqRange{1, 5}));
  EXPECT_EQ(gaps(Stream::normal)[0].count, 5U);
}

TEST_F(StoreEvict, gap_records_are_bounded_even_when_each_is_alone_among_readings) {
  for (size_t i = 0; i < limits::gaps_per_stream; ++i) {
    store_->declare_overrun(Stream::normal, 1, now_);
    ASSERT_TRUE(record(Stream::normal, 1));
  }
  EXPECT_EQ(gaps(Stream::normal).size(), limits::gaps_per_stream);
  store_->declare_overrun(Stream::normal, 1, now_);
  ASSERT_TRUE(record(Stream::normal, 1));
  EXPECT_LE(gaps(Stream::normal).size(), limits::gaps_per_stream);
  expect_accounted(Stream::normal);
}

TEST_F(StoreEvict, a_refused_block_is_set_aside_and_counts_as_lost) {
  ASSERT_TRUE(record(Stream::normal, 10));
  ASSERT_TRUE(record(Stream::normal, 10));
  ASSERT_TRUE(store_->set_aside(Stream::normal, {1, 10}, now_).has_value());
  EXPECT_EQ(gaps(Stream::normal).at(0).reason, GapReason::refused);
  EXPECT_TRUE(std::filesystem::exists(directory_.file("nacked.db")));
  EXPECT_EQ(fetch_all(Stream::normal).readings, 10U);
  expect_accounted(Stream::normal);
}

TEST_F(StoreEvict, blocks_set_aside_are_bounded) {
  for (Seq first = 1; first < 40 * 4096; first += 4096) {
    ASSERT_TRUE(record(Stream::normal, 4096));
    ASSERT_TRUE(store_->set_aside(Stream::normal, {first, first + 4095}, now_).has_value());
  }
  EXPECT_LE(std::filesystem::file_size(directory_.file("nacked.db")), 2 * limits::nacked_bytes);
}

}  // namespace
}  // namespace tideline::agent
