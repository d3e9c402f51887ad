#include "agent/gateway/latest_readings.hpp"

#include <gtest/gtest.h>

#include "unit/agent/gateway/fake_services.hpp"

namespace tideline::test {
namespace {

using agent::LatestReadings;
using model::Stream;
using model::TimeSource;

class LatestReadingsTest : public testing::Test {
 public:
  void take(model::SeriesId series, int64_t second, double value, TimeSource source = TimeSource::agent) {
    model::ReadingBatch batch;
    batch.add_f64(series, {utc(second).nanos, source}, value);
    latest.take(Stream::normal, batch, now);
  }
  double value(model::SeriesId series) {
    const auto* one = latest.find(series, now);
    return one != nullptr ? std::bit_cast<double>(one->point.bits) : -1;
  }
  int64_t second(model::SeriesId series) { return (latest.find(series, now)->point.time_ns - utc(0).nanos) / 1'000'000'000; }

  agent::Moment now{utc(1000), model::TimeQuality::rtc, 0, utc(900)};
  LatestReadings latest;
};

TEST_F(LatestReadingsTest, TheNewestByTimeIsKept) {
  take(3, 10, 1);
  take(3, 20, 2);
  take(3, 15, 3);  // late data
  EXPECT_EQ(value(3), 2);
  EXPECT_EQ(latest.find(0, now), nullptr);
  EXPECT_EQ(latest.find(9, now), nullptr);
}

TEST_F(LatestReadingsTest, StoredReadingsFillOnlyWhatIsUnknownOrOlder) {
  take(0, 20, 2);
  model::Point old;
  old.time_ns = utc(10).nanos;
  latest.add_stored(0, old, model::TimeQuality::synced);
  EXPECT_EQ(value(0), 2);
  latest.add_stored(1, old, model::TimeQuality::synced);
  EXPECT_EQ(second(1), 10);
}

TEST_F(LatestReadingsTest, OwnStampsMoveWithTheClockAndOthersStay) {
  take(0, 10, 1);
  take(1, 10, 1, TimeSource::producer);
  now.offset_ns += 3600 * int64_t{1'000'000'000};
  now.quality = model::TimeQuality::synced;
  EXPECT_EQ(second(0), 3610);
  EXPECT_EQ(latest.find(0, now)->quality, model::TimeQuality::synced);
  EXPECT_EQ(second(1), 10);
}

TEST_F(LatestReadingsTest, FreshSeriesAreToldOnce) {
  take(0, 10, 1);
  take(0, 11, 1);
  take(2, 10, 1);
  EXPECT_EQ(latest.take_fresh(Stream::normal), (std::vector<model::SeriesId>{0, 2}));
  EXPECT_TRUE(latest.take_fresh(Stream::normal).empty());
  EXPECT_TRUE(latest.take_fresh(Stream::bulk).empty());
  take(0, 12, 1);
  EXPECT_EQ(latest.take_fresh(Stream::normal), std::vector<model::SeriesId>{0});
}

TEST_F(LatestReadingsTest, LongTextsAreCutBetweenCharacters) {
  model::ReadingBatch batch;
  std::string text(limits::latest_text_bytes - 1, 'a');
  batch.add_text(0, {utc(1).nanos, TimeSource::agent}, text + "b");
  batch.add_text(1, {utc(1).nanos, TimeSource::agent}, text + "\xc3\xa9");
  latest.take(Stream::normal, batch, now);
  EXPECT_FALSE(latest.find(0, now)->is_cut);
  EXPECT_TRUE(latest.find(1, now)->is_cut);
  EXPECT_EQ(latest.find(1, now)->point.text, text);
}

}  // namespace
}  // namespace tideline::test
