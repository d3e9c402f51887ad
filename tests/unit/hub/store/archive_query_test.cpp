#include <bit>

#include "archive_fixture.hpp"
#include "base/limits.hpp"

namespace tideline::hub {
namespace {

class ArchiveQueryTest : public ArchiveTest {
 protected:
  /// Three devices at two sites, two series each, 10 blocks of 10 seconds from second 1000 on.
  void fill() {
    for (const auto& [id, site] : {std::pair{"edge-1", "berlin"}, {"edge-2", "berlin"}, {"edge-3", "bern"}}) {
      const DeviceKey key = device(id, {{"site", site}});
      define(key, 2);
      IntakeBatch batch = source_.batch(key);
      for (model::Seq block = 0; block < 10; ++block) {
        batch.blocks.push_back(source_.ramp(1 + block * 10, 10, 1000 + static_cast<int64_t>(block) * 10, static_cast<model::SeriesId>(block % 2)));
      }
      apply(std::move(batch));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Embedded, ArchiveQueryTest, ::testing::Values(sqlite_archive), kind_of);

TEST_P(ArchiveQueryTest, SelectorsChooseDevicesAndSeries) {
  fill();
  EXPECT_EQ(ask().series.size(), 6u);
  model::Query query;
  query.devices = *model::parse_device_selector("{site=berlin}");
  query.series = *model::parse_series_selector("s1");
  const auto answer = ask(query);
  ASSERT_EQ(answer.series.size(), 2u);
  EXPECT_EQ(answer.series[0].device, "edge-1");
  EXPECT_EQ(answer.series[1].device, "edge-2");
  EXPECT_EQ(answer.series[0].series.name, "s1");
  EXPECT_EQ(count_points(answer), 100u);
}

TEST_P(ArchiveQueryTest, ARangeReadsOnlyTheBlocksThatTouchIt) {
  fill();
  model::Query query;
  query.devices = *model::parse_device_selector("edge-1");
  query.from_ns = 1035 * second;
  query.to_ns = 1055 * second;
  const auto answer = ask(query);
  EXPECT_EQ(count_points(answer), 20u);
  EXPECT_EQ(answer.blocks_scanned, 3u);
  EXPECT_FALSE(answer.truncated);
}

TEST_P(ArchiveQueryTest, AggregatesGoOverBlocksAndBuckets) {
  fill();
  model::Query query;
  query.devices = *model::parse_device_selector("edge-1");
  query.series = *model::parse_series_selector("s0");
  query.aggregate = model::Aggregate::count;
  query.step = seconds(20);
  const auto answer = ask(query);
  ASSERT_EQ(answer.series.size(), 1u);
  ASSERT_EQ(answer.series[0].points.size(), 5u);
  for (const auto& point : answer.series[0].points) EXPECT_EQ(point.bits, 10u);
  EXPECT_EQ(answer.readings_scanned, 0u) << "headers were enough";
  query.aggregate = model::Aggregate::sum;
  query.step = {};
  uint64_t expected = 0;
  for (uint64_t block = 0; block < 10; block += 2) {
    for (uint64_t i = 1; i <= 10; ++i) expected += block * 10 + i;
  }
  EXPECT_EQ(ask(query).series.at(0).points.at(0).bits, expected);
}

TEST_P(ArchiveQueryTest, TheNewestRowsAreKeptAndOldBlocksAreNotRead) {
  const DeviceKey key = device();
  define(key);
  IntakeBatch batch = source_.batch(key);
  for (model::Seq block = 0; block < 200; ++block) batch.blocks.push_back(source_.ramp(1 + block * 10, 10, 1000 + static_cast<int64_t>(block) * 10));
  apply(std::move(batch));
  model::Query query;
  query.limit = 15;
  const auto answer = ask(query);
  ASSERT_EQ(count_points(answer), 15u);
  EXPECT_EQ(answer.series[0].points.back().bits, 2000u);
  EXPECT_EQ(answer.series[0].points.front().bits, 1986u);
  EXPECT_TRUE(answer.truncated);
  EXPECT_LT(answer.blocks_scanned, 6u);
}

TEST_P(ArchiveQueryTest, AnAnswerInSmallSlicesIsTheSameAnswer) {
  fill();
  const auto whole = ask();
  const auto running = archive_->start_query({});
  ASSERT_TRUE(running);
  int slices = 1;
  for (;;) {
    const auto is_done = (*running)->advance(1);
    ASSERT_TRUE(is_done);
    if (*is_done) break;
    ++slices;
    apply(device("edge-9"), source_.ramp(1, 1, 1));  // other work in between; refused, its series are not defined
  }
  EXPECT_GT(slices, 30);
  const auto sliced = (*running)->take();
  ASSERT_EQ(sliced.series.size(), whole.series.size());
  EXPECT_EQ(count_points(sliced), count_points(whole));
  EXPECT_EQ(sliced.blocks_scanned, whole.blocks_scanned);
}

TEST_P(ArchiveQueryTest, TextsAndProducerTimesComeBack) {
  const DeviceKey key = device();
  define(key);
  model::ReadingBatch readings;
  readings.add_text(0, {5 * second, model::TimeSource::producer}, "started");
  readings.add_f64(0, {6 * second, model::TimeSource::producer}, 0.1);
  apply(key, source_.block(1, readings));
  const auto answer = ask();
  ASSERT_EQ(count_points(answer), 2u);
  EXPECT_EQ(answer.series[0].points[0].text, "started");
  EXPECT_EQ(std::bit_cast<double>(answer.series[0].points[1].bits), 0.1);
  EXPECT_EQ(answer.series[0].series.unit, "Cel");
}

TEST_P(ArchiveQueryTest, LatestIsTheNewestByTimeNotByArrival) {
  const DeviceKey key = device();
  define(key, 2);
  apply(key, source_.ramp(101, 10, 2000));
  apply(key, source_.ramp(1, 10, 1000));
  reopen();
  apply(key, source_.ramp(11, 10, 1010));
  const auto latest = archive_->latest({}, {});
  ASSERT_TRUE(latest);
  ASSERT_EQ(latest->size(), 1u) << "a series without values is silent";
  EXPECT_EQ((*latest)[0].point.bits, 110u);
  EXPECT_EQ((*latest)[0].point.time_ns, 2009 * second);
  EXPECT_EQ((*latest)[0].device, "edge-1");
  EXPECT_TRUE(archive_->latest(*model::parse_device_selector("edge-2"), {})->empty());
  EXPECT_TRUE(archive_->latest({}, *model::parse_series_selector("s1"))->empty());
}

TEST_P(ArchiveQueryTest, LatestInSlicesIsTheSame) {
  fill();
  const auto whole = archive_->latest(*model::parse_device_selector("{site=berlin}"), {});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 4u);
  std::string after;
  std::vector<LatestValue> values;
  int slices = 1;
  while (!*archive_->latest_some(*model::parse_device_selector("{site=berlin}"), {}, after, 1, values)) ++slices;
  EXPECT_EQ(slices, 2);
  ASSERT_EQ(values.size(), whole->size());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i].device, (*whole)[i].device);
}

TEST_P(ArchiveQueryTest, LatestTextIsTheWholeText) {
  const DeviceKey key = device();
  define(key);
  model::ReadingBatch readings;
  readings.add_text(0, {7 * second}, "seven");
  readings.add_text(0, {5 * second}, "five");
  apply(key, source_.block(1, readings));
  EXPECT_EQ(archive_->latest({}, {})->at(0).point.text, "seven");
}

TEST_P(ArchiveQueryTest, ABetterAnchorMovesAgentTimesAndOnlyThose) {
  const DeviceKey key = device();
  define(key, 2);
  source_.meta.time_quality = model::TimeQuality::none;
  source_.meta.utc_offset_ns = 0;
  apply(key, source_.ramp(1, 10, 100, 0));
  apply(key, source_.ramp(11, 10, 5000, 1, model::TimeSource::producer));
  IntakeBatch batch = source_.batch(key);
  batch.anchors = {{source_.meta.boot_id, 100 * second, 90'100 * second, 0, model::TimeQuality::synced}};
  apply(std::move(batch));
  apply(key, source_.ramp(21, 10, 120, 0));  // comes after the anchor, made before it
  for (int round = 0; round < 2; ++round, reopen()) {
    const auto answer = ask();
    ASSERT_EQ(answer.series.size(), 2u);
    EXPECT_EQ(answer.series[0].points.front().time_ns, 90'100 * second);
    EXPECT_EQ(answer.series[0].points.back().time_ns, 90'129 * second);
    EXPECT_EQ(answer.series[0].time_quality, model::TimeQuality::synced);
    EXPECT_EQ(answer.series[1].points.front().time_ns, 5000 * second);
    model::Query old;
    old.to_ns = 1000 * second;
    EXPECT_EQ(count_points(ask(old)), 0u);
    model::Query now;
    now.from_ns = 90'000 * second;
    EXPECT_EQ(count_points(ask(now)), 20u);
    expect_sound();
  }
}

TEST_P(ArchiveQueryTest, AWorseOrEqualAnchorMovesNothing) {
  const DeviceKey key = device();
  define(key);
  source_.meta.time_quality = model::TimeQuality::hub;
  apply(key, source_.ramp(1, 10, 100));
  IntakeBatch batch = source_.batch(key);
  batch.anchors = {{source_.meta.boot_id, 0, 90'000 * second, 0, model::TimeQuality::hub}, {source_.meta.boot_id + 1, 0, 90'000 * second, 0, model::TimeQuality::synced}};
  apply(std::move(batch));
  EXPECT_EQ(ask().series.at(0).points.front().time_ns, 100 * second);
}

TEST_P(ArchiveQueryTest, LatestFollowsWhenABootMovesBack) {
  const DeviceKey key = device();
  define(key);
  source_.meta.time_quality = model::TimeQuality::floor;
  apply(key, source_.ramp(1, 10, 9'000'000));  // believed to be far in the future
  source_.meta.boot_id += 1;
  source_.meta.time_quality = model::TimeQuality::synced;
  apply(key, source_.ramp(11, 10, 5'000'000));
  EXPECT_EQ(archive_->latest({}, {})->at(0).point.bits, 10u);
  IntakeBatch batch = source_.batch(key);
  batch.anchors = {{source_.meta.boot_id - 1, 0, -8'000'000 * second, 0, model::TimeQuality::hub}};
  apply(std::move(batch));
  const auto latest = archive_->latest({}, {});
  ASSERT_EQ(latest->size(), 1u);
  EXPECT_EQ(latest->at(0).point.bits, 20u);
  EXPECT_EQ(latest->at(0).point.time_ns, 5'000'009 * second);
  apply(key, source_.ramp(21, 1, 4'000'000));
  EXPECT_EQ(archive_->latest({}, {})->at(0).point.bits, 20u) << "older than what is known";
  expect_sound();
}

TEST_P(ArchiveQueryTest, LatestFollowsWhenABootMovesForward) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(1, 10, 5'000));
  source_.meta.boot_id += 1;
  source_.meta.time_quality = model::TimeQuality::none;
  apply(key, source_.ramp(11, 10, 100));
  EXPECT_EQ(archive_->latest({}, {})->at(0).point.bits, 10u);
  IntakeBatch batch = source_.batch(key);
  batch.anchors = {{source_.meta.boot_id, 0, 10'000 * second, 0, model::TimeQuality::synced}};
  apply(std::move(batch));
  EXPECT_EQ(archive_->latest({}, {})->at(0).point.bits, 20u);
}

TEST_P(ArchiveQueryTest, AQuestionUnderWayStartsAgainWhenBlocksMove) {
  const DeviceKey key = device();
  define(key);
  source_.meta.time_quality = model::TimeQuality::none;
  for (model::Seq block = 0; block < 10; ++block) apply(key, source_.ramp(1 + block * 10, 10, 1000 + static_cast<int64_t>(block) * 10));
  const auto running = archive_->start_query({});
  ASSERT_FALSE(*(*running)->advance(5));
  IntakeBatch batch = source_.batch(key);
  batch.anchors = {{source_.meta.boot_id, 0, -1000 * second, 0, model::TimeQuality::synced}};
  apply(std::move(batch));
  while (!*(*running)->advance(5)) {
  }
  const auto answer = (*running)->take();
  EXPECT_EQ(count_points(answer), 100u);
  EXPECT_EQ(answer.series[0].points[0].time_ns, 0);
}

TEST_P(ArchiveQueryTest, TimesAtTheEndsOfTheScaleAreKept) {
  const DeviceKey key = device();
  define(key);
  model::ReadingBatch readings;
  readings.add_i64(0, {INT64_MIN + 1}, 1);
  readings.add_i64(0, {INT64_MAX - 1}, 2);
  ASSERT_TRUE(apply(key, source_.block(1, readings)).accepted);
  EXPECT_EQ(count_points(ask()), 2u);
  expect_sound();
}

TEST_P(ArchiveQueryTest, GroupsJoinDevicesByTheirLabels) {
  const std::pair<const char*, const char*> devices[] = {{"a", "berlin"}, {"b", "berlin"}, {"c", "bern"}};
  for (const auto& [id, site] : devices) {
    const DeviceKey key = device(id, {{"site", site}});
    define(key, 2);
    apply(key, source_.ramp(1, 10, 1000));
  }
  model::Query query;
  query.aggregate = model::Aggregate::count;
  query.group = *model::parse_grouping({"site"});
  const auto by_site = ask(query);
  ASSERT_EQ(by_site.series.size(), 2u);
  EXPECT_EQ(by_site.series[0].series.key(), "*{site=berlin}");
  EXPECT_EQ(by_site.series[0].device, "");
  EXPECT_EQ(by_site.series[0].points.at(0).bits, 20u);
  EXPECT_EQ(by_site.series[1].points.at(0).bits, 10u);
  query.group = *model::parse_grouping({"device", "series"});
  const auto by_device = ask(query);
  ASSERT_EQ(by_device.series.size(), 3u);
  EXPECT_EQ(by_device.series[2].device, "c");
  EXPECT_EQ(by_device.series[2].series.key(), "s0");
  query.group = model::Grouping{};
  query.aggregate = model::Aggregate::mean;
  query.step = seconds(5);
  const auto together = ask(query);
  ASSERT_EQ(together.series.size(), 1u);
  EXPECT_EQ(together.series[0].points.size(), 2u);
  EXPECT_EQ(together.series[0].points[0].count, 15u);
}

}  // namespace
}  // namespace tideline::hub
