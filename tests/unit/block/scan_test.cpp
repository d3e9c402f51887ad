// A scan hands out exactly the readings of the range, and decodes no column that the header rules out.
#include "block/scan.hpp"

#include "block/renumber.hpp"
#include "support/block_check.hpp"
#include "support/block_seal.hpp"
#include "support/signals.hpp"

namespace tideline::block {
namespace {

using model::ReadingBatch;
using model::TimeSource;
using support::encode_or_fail;

struct Found {
  model::SeriesId series = 0;
  int64_t time_ns = 0;
  std::string value;
  bool operator==(const Found&) const = default;
};

class Collector final : public ScanSink {
 public:
  bool wants(const Column& column) override { return only.empty() || std::count(only.begin(), only.end(), column.series) > 0; }
  void on_values(const Column& column, std::span<const int64_t> times, std::span<const uint64_t> values) override {
    for (size_t i = 0; i < times.size(); ++i) found.push_back({column.series, times[i], std::to_string(values[i])});
  }
  void on_texts(const Column& column, std::span<const int64_t> times, std::span<const std::string_view> texts) override {
    for (size_t i = 0; i < times.size(); ++i) found.push_back({column.series, times[i], std::string(texts[i])});
  }
  std::vector<model::SeriesId> only;
  std::vector<Found> found;
};

class Scan : public testing::Test {
 protected:
  void add(model::SeriesId series, int64_t time_ns, int64_t value, TimeSource source = TimeSource::agent) {
    batch_.add_i64(series, {time_ns, source}, value);
  }
  Result<uint32_t> scan_for(const ScanRange& range) {
    bytes_ = encode_or_fail(batch_, {});
    return scan_bytes(range);
  }
  Result<uint32_t> scan_bytes(const ScanRange& range) {
    const auto view = BlockView::open(bytes_);
    EXPECT_TRUE(view);
    sink_.found.clear();
    return scan(*view, range, scratch_, sink_);
  }
  ReadingBatch batch_;
  ByteBuffer bytes_;
  Collector sink_;
  ScanScratch scratch_;
};

TEST_F(Scan, IsHalfOpen) {
  for (int64_t time = 10; time <= 50; time += 10) add(1, time, time);
  ASSERT_TRUE(scan_for({20, 40, 0}));
  EXPECT_EQ(sink_.found, (std::vector<Found>{{1, 20, "20"}, {1, 30, "30"}}));
}

TEST_F(Scan, KeepsTheOrderOfProductionWhenTimesGoBack) {
  for (const int64_t time : {30, 10, 50, 20}) add(1, time, time);
  ASSERT_TRUE(scan_for({10, 50, 0}));
  EXPECT_EQ(sink_.found, (std::vector<Found>{{1, 30, "30"}, {1, 10, "10"}, {1, 20, "20"}}));
}

TEST_F(Scan, CorrectsAgentTimesOnly) {
  add(1, 100, 1);
  add(2, 100, 2, TimeSource::producer);
  ASSERT_TRUE(scan_for({0, 1000, 50}));
  EXPECT_EQ(sink_.found, (std::vector<Found>{{1, 150, "1"}, {2, 100, "2"}}));
  ASSERT_TRUE(scan_for({120, 1000, 50}));
  EXPECT_EQ(sink_.found, (std::vector<Found>{{1, 150, "1"}}));
}

TEST_F(Scan, CorrectionStopsAtTheEndsOfTime) {
  add(1, INT64_MAX - 1, 1);
  add(1, INT64_MIN, 2);
  ASSERT_TRUE(scan_for({INT64_MIN, INT64_MAX, -10}));
  EXPECT_EQ(sink_.found, (std::vector<Found>{{1, INT64_MAX - 11, "1"}, {1, INT64_MIN, "2"}}));
}

TEST_F(Scan, HandsOutTexts) {
  batch_.add_text(1, {10, TimeSource::agent}, "early");
  batch_.add_text(1, {20, TimeSource::agent}, "late");
  ASSERT_TRUE(scan_for({15, 25, 0}));
  EXPECT_EQ(sink_.found, (std::vector<Found>{{1, 20, "late"}}));
}

TEST_F(Scan, OfAnEmptyRangeFindsNothing) {
  add(1, 10, 1);
  const auto decoded = scan_for({10, 10, 0});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, 0u);
  EXPECT_TRUE(sink_.found.empty());
}

TEST_F(Scan, DecodesOnlyWhatIsWantedAndInRange) {
  for (int64_t i = 0; i < 100; ++i) {
    add(1, i, i * i % 7);
    add(2, i, i * i % 5);
    add(3, 1000 + i, i);
  }
  sink_.only = {2, 3};
  const auto decoded = scan_for({0, 500, 0});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, 100u);
  EXPECT_EQ(sink_.found.size(), 100u);
}

TEST_F(Scan, FindsTheSameAsAFilterOverEverything) {
  batch_ = support::make_job_mix(60);
  const int64_t from = support::signal_start_ns + 20'000 * support::millisecond_ns;
  const int64_t to = from + 17'500 * support::millisecond_ns;
  ASSERT_TRUE(scan_for({from, to, 0}));
  std::vector<Found> expected;
  for (const support::FlatReading& each : support::canonical(batch_.readings(), batch_.text())) {
    if (each.time_ns >= from && each.time_ns < to) expected.push_back({each.series, each.time_ns, std::to_string(each.bits)});
  }
  EXPECT_EQ(sink_.found, expected);
}

TEST_F(Scan, ReportsADamagedColumn) {
  for (int64_t i = 0; i < 100; ++i) add(1, i * i, i * i % 7);
  bytes_ = encode_or_fail(batch_, {});
  bytes_[prologue_bytes + support::header_size(bytes_) + 2] = 0x7f;  // the width of the first frame
  support::reseal(bytes_);
  const auto decoded = scan_bytes({});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
}

TEST(Renumber, GivesTheBytesThatEncodingWouldHaveGiven) {
  const ReadingBatch batch = support::make_job_mix(30);
  BlockMeta meta = support::realistic_meta(batch);
  for (const uint64_t run_id : {uint64_t{0}, uint64_t{200}, uint64_t{70'000}, UINT64_MAX}) {
    const ByteBuffer before = encode_or_fail(batch, meta);
    meta.first_seq = run_id + 5 == 4 ? 12345 : run_id + 5;
    meta.run_id = run_id;
    ByteBuffer after;
    ASSERT_TRUE(renumber(before, meta.first_seq, run_id, after));
    EXPECT_EQ(after, encode_or_fail(batch, meta));
  }
}

TEST(Renumber, OfTheLargestBlockStillFits) {
  BlockMeta meta;
  meta.run_id = 0;  // one byte that becomes nine
  Encoder encoder;
  ByteBuffer block;
  ByteBuffer largest;
  for (size_t length = 3900; length <= 4096; ++length) {
    ReadingBatch batch;
    for (int i = 0; i < 15; ++i) batch.add_text(1, {0, TimeSource::agent}, std::string(length, static_cast<char>('a' + i)));
    if (encoder.encode(meta, batch.readings(), batch.text(), block)) largest = block;
  }
  ByteBuffer after;
  EXPECT_TRUE(renumber(largest, 7, UINT64_MAX, after));
}

TEST(Renumber, RefusesNumbersThatEndAndDamagedBlocks) {
  ByteBuffer block = encode_or_fail(support::make_signal(support::Signal::counter, 10, 1), {});
  ByteBuffer out;
  EXPECT_EQ(renumber(block, 0, 1, out).error().code, ErrorCode::invalid);
  EXPECT_EQ(renumber(block, UINT64_MAX - 8, 1, out).error().code, ErrorCode::invalid);
  EXPECT_TRUE(renumber(block, UINT64_MAX - 9, 1, out));
  block.back() ^= 1;
  EXPECT_EQ(renumber(block, 1, 1, out).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace tideline::block
