#include <algorithm>

#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

using StoreQueries = StoreTest;

model::Query everything(uint32_t limit = limits::query_rows) {
  model::Query query;
  query.limit = limit;
  return query;
}

TEST_F(StoreQueries, pending_readings_are_in_the_answer_once) {
  ASSERT_TRUE(record(Stream::normal, 10));
  append(Stream::normal, 5, Durability::grouped);
  StoreQuery running(*store_, everything());
  store_->commit_all(now_);  // what was pending when the question came is in a segment before it is read
  while (!running.step(1, now_)) {
  }
  EXPECT_EQ(running.take().series.at(0).points.size(), 15U);
}

TEST_F(StoreQueries, the_newest_rows_are_kept_in_ascending_order) {
  fill(Stream::normal, 3);
  const auto values = query(everything(100));
  ASSERT_EQ(values.size(), 100U);
  EXPECT_TRUE(answer_.truncated);
  EXPECT_EQ(values.back(), made_[1] - 1);
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
  EXPECT_LT(answer_.blocks_scanned, 5U);
}

TEST_F(StoreQueries, a_time_range_reads_only_blocks_that_touch_it) {
  fill(Stream::normal, 4);
  model::Query question = everything();
  question.from_ns = time_of(5'000);
  question.to_ns = time_of(5'010);
  EXPECT_EQ(query(question), (std::vector<int64_t>{5000, 5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008, 5009}));
  EXPECT_LE(answer_.blocks_scanned, 2U);
}

TEST_F(StoreQueries, a_selector_picks_series_across_streams) {
  ASSERT_TRUE(record(Stream::normal, 3));
  ASSERT_TRUE(record(Stream::bulk, 3));
  ASSERT_TRUE(record(Stream::critical, 3));
  EXPECT_EQ(query(everything()).size(), 9U);
  model::Query none = everything();
  none.series.name_glob = "other*";
  EXPECT_TRUE(query(none).empty());
}

TEST_F(StoreQueries, aggregates_come_from_headers_where_they_can) {
  fill(Stream::normal, 2);
  model::Query question = everything();
  question.aggregate = model::Aggregate::count;
  StoreQuery running(*store_, question);
  while (!running.step(1, now_)) {
  }
  const model::QueryAnswer answer = running.take();
  EXPECT_EQ(answer.series.at(0).points.at(0).count, static_cast<uint64_t>(made_[1]));
  EXPECT_EQ(answer.readings_scanned, 0U);
}

TEST_F(StoreQueries, a_better_anchor_corrects_earlier_times_of_its_boot) {
  ASSERT_TRUE(record(Stream::normal, 3));
  model::Anchor better = anchor_;
  better.utc_ns += 3'600'000'000'000;
  better.quality = model::TimeQuality::synced;
  store_->set_anchor(better, now_);
  model::Query question = everything();
  question.from_ns = time_of(3600);
  EXPECT_EQ(query(question).size(), 3U);
  EXPECT_EQ(answer_.series.at(0).points.at(0).time_ns, time_of(3600));
  EXPECT_EQ(answer_.series.at(0).time_quality, model::TimeQuality::synced);
}

TEST_F(StoreQueries, times_of_producers_are_not_corrected) {
  model::ReadingBatch batch;
  batch.add_i64(ids_[1], {time_of(5), model::TimeSource::producer}, 1);
  store_->append(Stream::normal, std::move(batch), Durability::synced, 1, now_);
  store_->commit_due(now_);
  anchor_.utc_ns += 3'600'000'000'000;
  anchor_.quality = model::TimeQuality::synced;
  store_->set_anchor(anchor_, now_);
  EXPECT_EQ(query(everything()).size(), 1U);
  EXPECT_EQ(answer_.series.at(0).points.at(0).time_ns, time_of(5));
}

TEST_F(StoreQueries, gaps_that_touch_the_question_are_in_the_answer) {
  ASSERT_TRUE(record(Stream::normal, 3));
  store_->declare_overrun(Stream::normal, 4, now_);
  ASSERT_TRUE(record(Stream::normal, 3));
  (void)query(everything());
  ASSERT_EQ(answer_.gaps.size(), 1U);
  EXPECT_EQ(answer_.gaps[0].second.count, 4U);
}

TEST_F(StoreQueries, segments_may_go_between_two_slices) {
  fill(Stream::normal, 4);
  const SeqRange all{1, store_->next(Stream::normal) - 1};
  close();
  options_.history_bytes = 0;
  open();
  StoreQuery running(*store_, everything());
  ASSERT_FALSE(running.step(2, now_));
  store_->add_acknowledged(Stream::normal, all, now_);
  ASSERT_EQ(files("seg-normal").size(), 1U);
  while (!running.step(1, now_)) {
  }
  EXPECT_EQ(running.take().blocks_unreadable, 0U);
}

TEST_F(StoreQueries, renumbering_between_two_slices_starts_it_again) {
  fill(Stream::normal, 2);
  StoreQuery running(*store_, everything());
  ASSERT_FALSE(running.step(2, now_));
  ASSERT_TRUE(store_->rebase(Stream::normal, 1001, 90'000, now_).has_value());
  while (!running.step(1, now_)) {
  }
  EXPECT_EQ(running.take().series.at(0).points.size(), static_cast<size_t>(made_[1]));
}

TEST_F(StoreQueries, a_damaged_segment_is_quarantined_and_the_rest_answered) {
  fill(Stream::normal, 3);
  reopen();
  scramble(files("seg-normal").at(1), 8'192);
  const auto values = query(everything());
  EXPECT_EQ(values.size(), status(Stream::normal).held_readings);
  EXPECT_GT(answer_.blocks_unreadable, 0U);
  EXPECT_FALSE(answer_.gaps.empty());
}

}  // namespace
}  // namespace tideline::agent
