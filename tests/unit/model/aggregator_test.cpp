#include "model/aggregator.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <random>

#include "base/limits.hpp"

namespace tideline::model {
namespace {

constexpr int64_t second = 1'000'000'000;

class AggregatorTest : public ::testing::Test {
 protected:
  static Series named(std::string name) {
    Series series;
    series.name = std::move(name);
    return series;
  }
  void ask(Aggregate aggregate, int64_t step_seconds = 0) {
    query_.aggregate = aggregate;
    query_.step = seconds(step_seconds);
    aggregator_.emplace(query_);
    handle_ = aggregator_->open_series("", named("a"));
  }
  void feed_f64(std::vector<int64_t> times, std::vector<double> values) {
    std::vector<uint64_t> bits;
    for (const double value : values) bits.push_back(std::bit_cast<uint64_t>(value));
    aggregator_->add_values(handle_, ValueType::f64, TimeQuality::synced, times, bits);
  }
  void feed_i64(std::vector<int64_t> times, std::vector<int64_t> values) {
    std::vector<uint64_t> bits;
    for (const int64_t value : values) bits.push_back(static_cast<uint64_t>(value));
    aggregator_->add_values(handle_, ValueType::i64, TimeQuality::synced, times, bits);
  }
  void feed_text(std::vector<int64_t> times, std::vector<std::string_view> texts) {
    aggregator_->add_texts(handle_, TimeQuality::synced, times, texts);
  }
  std::vector<Point> points() {
    aggregator_->finish(answer_);
    return answer_.series.empty() ? std::vector<Point>{} : answer_.series[0].points;
  }
  Point only() {
    const auto all = points();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Point{} : all[0];
  }
  static double real(const Point& point) { return std::bit_cast<double>(point.bits); }
  static int64_t integer(const Point& point) { return static_cast<int64_t>(point.bits); }

  Query query_;
  std::optional<Aggregator> aggregator_;
  Aggregator::Handle handle_ = 0;
  QueryAnswer answer_;
};

TEST_F(AggregatorTest, RawPointsAreReturnedAscendingWhateverTheOrderOfFeeding) {
  ask(Aggregate::none);
  feed_f64({30, 40}, {3, 4});
  feed_f64({10, 20}, {1, 2});
  const auto all = points();
  ASSERT_EQ(all.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(all[i].time_ns, static_cast<int64_t>(i + 1) * 10);
}

TEST_F(AggregatorTest, RangeIncludesFromAndExcludesTo) {
  query_.from_ns = 10;
  query_.to_ns = 20;
  ask(Aggregate::none);
  feed_i64({9, 10, 19, 20}, {1, 2, 3, 4});
  const auto all = points();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].time_ns, 10);
  EXPECT_EQ(all[1].time_ns, 19);
}

TEST_F(AggregatorTest, BucketsStartAtMultiplesOfStepAlsoBefore1970) {
  ask(Aggregate::count, 10);
  feed_i64({-1 * second, -10 * second, -11 * second, 0, 9 * second, 10 * second}, {1, 1, 1, 1, 1, 1});
  const auto all = points();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].time_ns, -20 * second);
  EXPECT_EQ(all[1].time_ns, -10 * second);
  EXPECT_EQ(all[1].count, 2u);
  EXPECT_EQ(all[2].time_ns, 0);
  EXPECT_EQ(integer(all[2]), 2);
  EXPECT_EQ(all[3].time_ns, 10 * second);
}

TEST_F(AggregatorTest, TimesAtTheEndsOfTheScaleDoNotOverflow) {
  ask(Aggregate::count, 3600);
  feed_i64({INT64_MIN, INT64_MIN + 1, INT64_MAX - 1}, {1, 1, 1});
  EXPECT_EQ(points().size(), 2u);
}

TEST_F(AggregatorTest, StepZeroIsOneBucketThatStartsAtFromOrAtTheFirstReading) {
  ask(Aggregate::mean);
  feed_f64({50, 60}, {1, 3});
  const Point open = only();
  EXPECT_EQ(open.time_ns, 50);
  EXPECT_EQ(real(open), 2.0);
  answer_ = {};
  query_.from_ns = 7;
  ask(Aggregate::mean);
  feed_f64({50, 60}, {1, 3});
  EXPECT_EQ(only().time_ns, 7);
}

TEST_F(AggregatorTest, NanIsPassedOverByNumbersAndCountedByCount) {
  ask(Aggregate::mean);
  feed_f64({1, 2, 3}, {1, std::nan(""), 3});
  const Point mean = only();
  EXPECT_EQ(real(mean), 2.0);
  EXPECT_EQ(mean.count, 3u);
  answer_ = {};
  ask(Aggregate::max);
  feed_f64({1, 2}, {std::nan(""), std::nan("")});
  EXPECT_TRUE(std::isnan(real(only())));
}

TEST_F(AggregatorTest, IntegerSumStaysExactAndGoesToDoubleInsteadOfWrapping) {
  ask(Aggregate::sum);
  feed_i64({1, 2}, {INT64_MAX - 1, 1});
  Point sum = only();
  EXPECT_EQ(sum.type, ValueType::i64);
  EXPECT_EQ(integer(sum), INT64_MAX);
  answer_ = {};
  ask(Aggregate::sum);
  feed_i64({1, 2, 3}, {INT64_MAX, INT64_MAX, 2});
  sum = only();
  EXPECT_EQ(sum.type, ValueType::f64);
  EXPECT_EQ(real(sum), 0x1p64);
}

TEST_F(AggregatorTest, MeanOfManySmallStepsOnALargeBaseKeepsItsDigits) {
  ask(Aggregate::mean);
  std::vector<int64_t> times;
  std::vector<double> values;
  for (int i = 0; i < 100'000; ++i) {
    times.push_back(i);
    values.push_back(1e9 + 0.1);
  }
  feed_f64(times, values);
  EXPECT_DOUBLE_EQ(real(only()), 1e9 + 0.1);
}

TEST_F(AggregatorTest, InfinityIsAValueNotAnError) {
  ask(Aggregate::sum);
  feed_f64({1, 2}, {INFINITY, 1});
  EXPECT_EQ(real(only()), INFINITY);
}

TEST_F(AggregatorTest, MinAndMaxKeepTheTypeAndCompareIntegersAbove2To53Exactly) {
  ask(Aggregate::max);
  feed_f64({1}, {9007199254740992.0});
  feed_i64({2}, {9007199254740993});
  Point most = only();
  EXPECT_EQ(most.type, ValueType::i64);
  EXPECT_EQ(integer(most), 9007199254740993);
  answer_ = {};
  ask(Aggregate::min);
  feed_i64({2}, {-5});
  feed_f64({1}, {-5.5});
  const Point least = only();
  EXPECT_EQ(least.type, ValueType::f64);
  EXPECT_EQ(real(least), -5.5);
}

TEST_F(AggregatorTest, BooleansCountAsZeroAndOne) {
  ask(Aggregate::mean);
  const std::vector<int64_t> times = {1, 2, 3, 4};
  const std::vector<uint64_t> bits = {1, 0, 1, 1};
  aggregator_->add_values(handle_, ValueType::boolean, TimeQuality::rtc, times, bits);
  EXPECT_EQ(real(only()), 0.75);
}

TEST_F(AggregatorTest, FirstAndLastGoByTimeNotByOrderOfFeeding) {
  ask(Aggregate::last);
  feed_i64({100}, {7});
  feed_i64({50, 60}, {1, 2});
  EXPECT_EQ(integer(only()), 7);
  answer_ = {};
  ask(Aggregate::first);
  feed_i64({100}, {7});
  feed_text({50}, {"early"});
  const Point first = only();
  EXPECT_EQ(first.type, ValueType::text);
  EXPECT_EQ(first.text, "early");
  EXPECT_EQ(first.count, 2u);
}

TEST_F(AggregatorTest, TextsAnswerCountButNotMean) {
  ask(Aggregate::count);
  feed_text({1, 2}, {"a", "b"});
  EXPECT_EQ(integer(only()), 2);
  answer_ = {};
  ask(Aggregate::mean);
  feed_text({1, 2}, {"a", "b"});
  EXPECT_TRUE(points().empty());
}

TEST_F(AggregatorTest, RowsBeyondTheLimitLoseTheOldestAndSaySo) {
  query_.limit = 10;
  ask(Aggregate::none);
  for (int64_t block = 9; block >= 0; --block) {
    for (int64_t i = 0; i < 10; ++i) feed_i64({block * 10 + i}, {block * 10 + i});
  }
  const auto all = points();
  ASSERT_EQ(all.size(), 10u);
  EXPECT_EQ(integer(all[0]), 90);
  EXPECT_EQ(integer(all[9]), 99);
  EXPECT_TRUE(answer_.truncated);
}

TEST_F(AggregatorTest, ExactlyTheLimitIsNotTruncated) {
  query_.limit = 10;
  ask(Aggregate::none);
  for (int64_t i = 0; i < 10; ++i) feed_i64({i}, {i});
  EXPECT_EQ(points().size(), 10u);
  EXPECT_FALSE(answer_.truncated);
}

TEST_F(AggregatorTest, EqualTimesDoNotBreakTheBound) {
  query_.limit = 10;
  ask(Aggregate::none);
  for (int64_t i = 0; i < 1000; ++i) feed_i64({5}, {i});
  EXPECT_EQ(points().size(), 10u);
}

TEST_F(AggregatorTest, WantsSaysWhenOlderBlocksCannotMatter) {
  query_.limit = 10;
  ask(Aggregate::none);
  for (int64_t i = 100; i < 200; ++i) feed_i64({i}, {i});
  EXPECT_FALSE(aggregator_->wants(0, 99));
  EXPECT_TRUE(aggregator_->wants(0, 300));
}

TEST_F(AggregatorTest, ABucketThatStaysIsCompleteEvenIfOthersOfItsTimeWereDropped) {
  query_.limit = 2;
  ask(Aggregate::count, 10);
  const auto other = aggregator_->open_series("", named("b"));
  const std::vector<uint64_t> one = {1};
  for (int64_t i = 0; i < 200; ++i) {
    const std::vector<int64_t> time = {i * second};
    aggregator_->add_values(handle_, ValueType::i64, TimeQuality::synced, time, one);
    aggregator_->add_values(other, ValueType::i64, TimeQuality::synced, time, one);
  }
  aggregator_->finish(answer_);
  ASSERT_EQ(answer_.series.size(), 2u);
  for (const auto& series : answer_.series) {
    ASSERT_EQ(series.points.size(), 1u);
    EXPECT_EQ(series.points[0].count, 10u);
    EXPECT_EQ(series.points[0].time_ns, 190 * second);
  }
}

TEST_F(AggregatorTest, TextOfOneAnswerIsBounded) {
  query_.limit = limits::query_rows;
  ask(Aggregate::none);
  const std::string text(limits::text_value_bytes, 'x');
  for (int64_t i = 0; i < 10'000; ++i) feed_text({i}, {text});
  const auto all = points();
  EXPECT_EQ(all.size(), limits::query_text_bytes / limits::text_value_bytes);
  EXPECT_EQ(all.back().time_ns, 9'999);
  EXPECT_TRUE(answer_.truncated);
}

TEST_F(AggregatorTest, SeriesBeyondTheBoundAreLeftOutAndTheAnswerSaysSo) {
  ask(Aggregate::none);
  for (size_t i = 1; i < limits::query_series; ++i) ASSERT_NE(aggregator_->open_series("", named("s" + std::to_string(i))), Aggregator::no_series);
  EXPECT_EQ(aggregator_->open_series("", named("more")), Aggregator::no_series);
  EXPECT_EQ(aggregator_->open_series("", named("a")), handle_);
  feed_i64({1}, {1});
  points();
  EXPECT_TRUE(answer_.truncated);
}

TEST_F(AggregatorTest, SummaryAnswersExtremesOnlyWhenTheColumnLiesInOneBucket) {
  ask(Aggregate::max, 10);
  const Aggregator::Summary inside{ValueType::i64, 5, 1 * second, 9 * second, 3, 8};
  const Aggregator::Summary across{ValueType::i64, 5, 1 * second, 10 * second, 3, 99};
  EXPECT_TRUE(aggregator_->add_summary(handle_, TimeQuality::synced, inside));
  EXPECT_FALSE(aggregator_->add_summary(handle_, TimeQuality::synced, across));
  const Point most = only();
  EXPECT_EQ(integer(most), 8);
  EXPECT_EQ(most.count, 5u);
}

TEST_F(AggregatorTest, QualityIsTheWorstOfTheReadingsSeen) {
  ask(Aggregate::none);
  feed_i64({1}, {1});
  const std::vector<int64_t> times = {2};
  const std::vector<uint64_t> bits = {1};
  aggregator_->add_values(handle_, ValueType::i64, TimeQuality::rtc, times, bits);
  points();
  EXPECT_EQ(answer_.series[0].time_quality, TimeQuality::rtc);
}

// Model test: any order, any mix of buckets, against a plain recomputation from the sorted readings.
TEST_F(AggregatorTest, AgreesWithRecomputationForRandomFeeds) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round) {
    query_ = {};
    query_.limit = 1 + static_cast<uint32_t>(random() % 20);
    answer_ = {};
    ask(Aggregate::sum, 1 + static_cast<int64_t>(random() % 5));
    std::map<int64_t, int64_t> expected;
    for (int i = 0; i < 300; ++i) {
      const auto time = static_cast<int64_t>(random() % 200) - 100;
      const int64_t at = time * second / 4;
      const int64_t step = query_.step.nanos;
      const int64_t start = at - ((at % step) + step) % step;
      expected[start] += i;
      feed_i64({at}, {i});
    }
    const auto all = points();
    ASSERT_EQ(all.size(), std::min<size_t>(query_.limit, expected.size()));
    for (const Point& point : all) EXPECT_EQ(integer(point), expected[point.time_ns]);
  }
}

}  // namespace
}  // namespace tideline::model
