#include <numeric>

#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

using StoreAppend = StoreTest;

std::vector<int64_t> counted(int64_t from, int64_t to) {
  std::vector<int64_t> values(static_cast<size_t>(to - from));
  std::iota(values.begin(), values.end(), from);
  return values;
}

TEST_F(StoreAppend, an_answered_batch_survives_a_crash) {
  ASSERT_TRUE(record(Stream::normal, 10));
  crash();
  open();
  EXPECT_EQ(fetch_all(Stream::normal).values, counted(0, 10));
}

TEST_F(StoreAppend, an_unanswered_batch_is_not_there_after_a_crash) {
  ASSERT_TRUE(record(Stream::normal, 10));
  append(Stream::normal, 5);
  crash();
  open();
  EXPECT_EQ(fetch_all(Stream::normal).readings, 10U);
}

TEST_F(StoreAppend, a_grouped_normal_batch_waits_for_its_interval) {
  const uint64_t token = append(Stream::normal, 1, Durability::grouped);
  pass(limits::normal_commit - nanoseconds(1));
  EXPECT_FALSE(is_answered(token));
  pass(nanoseconds(1));
  EXPECT_TRUE(is_answered(token));
}

TEST_F(StoreAppend, a_grouped_bulk_batch_waits_longer) {
  const uint64_t token = append(Stream::bulk, 1, Durability::grouped);
  pass(limits::bulk_commit - nanoseconds(1));
  EXPECT_FALSE(is_answered(token));
  pass(nanoseconds(1));
  EXPECT_TRUE(is_answered(token));
}

TEST_F(StoreAppend, a_critical_batch_never_waits) {
  EXPECT_TRUE(record(Stream::critical, 1, Durability::grouped));
}

TEST_F(StoreAppend, grouped_readings_are_committed_early_when_they_are_many) {
  const uint64_t token = append(Stream::bulk, limits::pending_readings / 4 - 1, Durability::grouped);
  store_->commit_due(now_);
  const bool before = is_answered(token);
  append(Stream::bulk, 1, Durability::grouped);
  store_->commit_due(now_);
  EXPECT_TRUE(is_answered(token));
  (void)before;  // the estimate of encoded bytes may have been reached already
}

TEST_F(StoreAppend, all_that_is_pending_shares_one_commit) {
  for (int i = 0; i < 5; ++i) append(Stream::normal, 100);
  append(Stream::normal, 100, Durability::grouped);
  store_->commit_due(now_);
  EXPECT_EQ(store_->status().commits, 1U);
  EXPECT_EQ(fetch_all(Stream::normal).values, counted(0, 600));
}

TEST_F(StoreAppend, a_wrong_batch_is_refused_without_harm_to_its_neighbours) {
  model::ReadingBatch unknown;
  unknown.add_i64(999, {}, 1);
  model::ReadingBatch garbled;
  garbled.add_text(ids_[1], {}, "\xff");
  append(Stream::normal, 3);
  store_->append(Stream::normal, std::move(unknown), Durability::synced, 100, now_);
  store_->append(Stream::normal, std::move(garbled), Durability::synced, 101, now_);
  ASSERT_TRUE(record(Stream::normal, 3));
  EXPECT_EQ(results_.at(100).error().code, ErrorCode::invalid);
  EXPECT_EQ(results_.at(101).error().code, ErrorCode::invalid);
  EXPECT_EQ(fetch_all(Stream::normal).values, counted(0, 6));
}

TEST_F(StoreAppend, a_block_holds_no_more_than_its_bound) {
  ASSERT_TRUE(record(Stream::normal, limits::block_readings));
  EXPECT_EQ(fetch_all(Stream::normal).blocks.size(), 1U);
  ASSERT_TRUE(record(Stream::normal, limits::block_readings + 1));
  EXPECT_EQ(fetch_all(Stream::normal).blocks.size(), 3U);
}

TEST_F(StoreAppend, readings_that_do_not_fit_one_block_become_several) {
  model::ReadingBatch batch;
  for (uint32_t i = 0; i <= limits::block_columns; ++i) {
    const auto id = store_->series_id({.name = format("wide%u", i), .labels = {}, .unit = ""});
    batch.add_i64(*id, {base_utc, model::TimeSource::agent}, i);
  }
  store_->append(Stream::normal, std::move(batch), Durability::synced, 1, now_);
  store_->commit_due(now_);
  EXPECT_TRUE(is_answered(1) && results_.at(1).has_value());
  EXPECT_EQ(fetch_all(Stream::normal).readings, limits::block_columns + 1);
}

TEST_F(StoreAppend, a_series_is_durable_before_the_block_that_uses_it) {
  const auto id = store_->series_id({.name = "late", .labels = {{"room", "a"}}, .unit = "Cel"});
  ASSERT_TRUE(record(Stream::normal, 1));
  crash();
  open();
  EXPECT_EQ(store_->dictionary().at(*id).key(), "late{room=a}");
}

TEST_F(StoreAppend, a_new_anchor_begins_a_new_block) {
  append(Stream::normal, 2);
  anchor_.utc_ns += 5;
  store_->set_anchor(anchor_, now_);
  ASSERT_TRUE(record(Stream::normal, 2));
  EXPECT_EQ(fetch_all(Stream::normal).blocks.size(), 2U);
}

TEST_F(StoreAppend, an_empty_batch_is_answered_in_order) {
  const uint64_t token = append(Stream::normal, 0);
  store_->commit_due(now_);
  EXPECT_TRUE(is_answered(token));
  EXPECT_EQ(store_->next(Stream::normal), 1U);
}

TEST_F(StoreAppend, an_overrun_becomes_a_gap_with_its_count) {
  ASSERT_TRUE(record(Stream::normal, 4));
  store_->declare_overrun(Stream::normal, 3, now_);
  store_->declare_overrun(Stream::normal, 2, now_);
  ASSERT_TRUE(record(Stream::normal, 4));
  crash();
  open();
  ASSERT_EQ(gaps(Stream::normal).size(), 1U);
  EXPECT_EQ(gaps(Stream::normal)[0].range, (SeqRange{5, 9}));
  EXPECT_EQ(gaps(Stream::normal)[0].reason, GapReason::overrun);
  expect_accounted(Stream::normal);
}

}  // namespace
}  // namespace tideline::agent
