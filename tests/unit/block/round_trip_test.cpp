// The decoder returns the producer's bits, whatever they are.
#include <bit>
#include <cmath>
#include <limits>

#include "base/limits.hpp"
#include "support/block_check.hpp"
#include "support/signals.hpp"

namespace tideline::block {
namespace {

using model::ReadingBatch;
using model::TimeSource;
using support::expect_round_trip;
using support::Signal;

constexpr int64_t start_ns = support::signal_start_ns;

ReadingBatch::Stamp at(int64_t time_ns) { return {time_ns, TimeSource::agent}; }
ReadingBatch::Stamp second(size_t i) { return at(start_ns + static_cast<int64_t>(i) * 1'000'000'000); }

ReadingBatch doubles(const std::vector<double>& values) {
  ReadingBatch batch;
  for (size_t i = 0; i < values.size(); ++i) batch.add_f64(1, second(i), values[i]);
  return batch;
}
ReadingBatch integers(const std::vector<int64_t>& values) {
  ReadingBatch batch;
  for (size_t i = 0; i < values.size(); ++i) batch.add_i64(1, second(i), values[i]);
  return batch;
}
ReadingBatch at_times(const std::vector<int64_t>& times_ns) {
  ReadingBatch batch;
  for (size_t i = 0; i < times_ns.size(); ++i) batch.add_i64(1, at(times_ns[i]), static_cast<int64_t>(i));
  return batch;
}

class Signals : public testing::TestWithParam<Signal> {};

TEST_P(Signals, OfEveryLengthComeBack) {
  for (const size_t length : {1u, 2u, 3u, 4u, 7u, 8u, 9u, 63u, 64u, 65u, 66u, 127u, 128u, 129u, 1000u}) {
    for (const double jitter_ms : {0.0, 1.5}) expect_round_trip(support::make_signal(GetParam(), length, jitter_ms));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Signals,
                         testing::Values(Signal::walk_tenths, Signal::walk_hundredths, Signal::noise, Signal::counter,
                                         Signal::boolean, Signal::adc12, Signal::constant));

TEST(RoundTrip, OfTheJobMix) { expect_round_trip(support::make_job_mix(62)); }

TEST(RoundTrip, OfTheMostReadings) { expect_round_trip(support::make_signal(Signal::walk_tenths, limits::block_readings, 1.5)); }

TEST(RoundTrip, OfSpecialDoubles) {
  using Limits = std::numeric_limits<double>;
  const double payload = std::bit_cast<double>(uint64_t{0x7ff8dead'beef0001});
  const double signalling = std::bit_cast<double>(uint64_t{0xfff00000'00000001});
  const std::vector<double> special = {0.0,  -0.0,          Limits::infinity(),  -Limits::infinity(), Limits::quiet_NaN(), payload, signalling,
                                       Limits::max(), Limits::lowest(), Limits::denorm_min(), -Limits::denorm_min(), Limits::min(), 1e300, 0.1};
  expect_round_trip(doubles(special));
  for (const double one : special) {
    expect_round_trip(doubles({one}));
    expect_round_trip(doubles({one, one, one}));
    expect_round_trip(doubles({one, 21.5, one}));
    std::vector<double> among(100, 21.5);  // few enough to be patches
    among[0] = among[1] = among[50] = among[99] = one;
    among[7] = 21.4;
    expect_round_trip(doubles(among));
  }
}

TEST(RoundTrip, OfNegativeZerosAmongDecimalsStaysSmall) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(std::round(std::sin(i * 0.05) * 10) / 10);
  ASSERT_TRUE(std::any_of(values.begin(), values.end(), [](double value) { return value == 0 && std::signbit(value); }));
  EXPECT_LT(expect_round_trip(doubles(values)).size(), 1500u);
}

TEST(RoundTrip, OfMissingValuesInAdcReadings) {
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) values.push_back(i % 97 == 5 ? std::nan("") : (1000 + i * 7 % 300) * 3.3 / 4096);
  EXPECT_LT(expect_round_trip(doubles(values)).size(), 1000u);
}

TEST(RoundTrip, OfDecimalsWhoseExponentGrows) {
  expect_round_trip(doubles({1, 2, 3.5, 4.25, 5.125, 6.0625, 1e-9, 7, 1e-12, 8}));
  expect_round_trip(doubles({1e-13, 1, 2, 1e15, 3, 9007199254740993.0, 1125899906842624.0, 1125899906842623.0, -1125899906842624.0}));
}

TEST(RoundTrip, OfIntegerExtremes) {
  expect_round_trip(integers({INT64_MIN, INT64_MAX}));
  expect_round_trip(integers({INT64_MAX, INT64_MIN, 0, -1, 1, INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX}));
  expect_round_trip(integers({INT64_MIN}));
  std::vector<int64_t> wrapping;  // a progression modulo 2^64, which is none in the integers
  for (uint64_t i = 0; i < 10; ++i) wrapping.push_back(static_cast<int64_t>(i * 0x4000'0000'0000'0001));
  expect_round_trip(integers(wrapping));
}

TEST(RoundTrip, OfPowersOfTwoSteps) {
  std::vector<int64_t> pages;
  for (int i = 0; i < 200; ++i) pages.push_back(4096 * (100'000 + i * i % 37));
  EXPECT_LT(expect_round_trip(integers(pages)).size(), 400u);
}

TEST(RoundTrip, OfTimesEqualBackwardAndExtreme) {
  expect_round_trip(at_times({5, 5, 5, 5}));
  expect_round_trip(at_times({50, 40, 30, 20}));
  expect_round_trip(at_times({INT64_MIN, INT64_MAX, 0, INT64_MIN}));
  expect_round_trip(at_times({INT64_MAX}));
  expect_round_trip(at_times({INT64_MIN, INT64_MIN + 1}));
  expect_round_trip(at_times({INT64_MAX - 999'999'999, INT64_MAX}));
  expect_round_trip(at_times({-1, 0, 1, -1'000'000'000, 1'000'000'000}));
  expect_round_trip(at_times({start_ns, start_ns + 1'000, start_ns + 2'000, start_ns + 1'000'000, start_ns - 1'000'000'000}));
}

TEST(RoundTrip, OfClocksWithAPause) {
  ReadingBatch batch;
  for (size_t i = 0; i < 1000; ++i) batch.add_f64(1, at(start_ns + static_cast<int64_t>(i) * 1'000'000'000 + (i > 400 ? 36'000'123'000'000 : 0)), 1);
  EXPECT_LT(expect_round_trip(batch).size(), 200u);
}

TEST(RoundTrip, OfTexts) {
  ReadingBatch batch;
  batch.add_text(1, second(0), "");
  batch.add_text(1, second(1), "idle");
  batch.add_text(1, second(2), std::string_view("a\0b", 3));
  batch.add_text(1, second(3), "\xc3\xa4\xf0\x9f\x8c\x8a");
  batch.add_text(1, second(4), std::string(limits::text_value_bytes, 'x'));
  batch.add_text(1, second(5), "");
  expect_round_trip(batch);
}

TEST(RoundTrip, OfStatesTakesAQuarterByteEach) {
  ReadingBatch batch;
  for (size_t i = 0; i < 1000; ++i) batch.add_text(1, second(i), i / 90 % 3 == 0 ? "running" : i / 90 % 3 == 1 ? "stopped" : "fault");
  EXPECT_LT(expect_round_trip(batch).size(), 250u);
}

TEST(RoundTrip, OfMoreDistinctTextsThanADictionaryHolds) {
  ReadingBatch batch;
  for (size_t i = 0; i < 1000; ++i) batch.add_text(1, second(i), "text number " + std::to_string(i % 300));
  expect_round_trip(batch);
}

TEST(RoundTrip, OfTextsThatRepeatBeyondTheSizeOfABlock) {
  ReadingBatch batch;
  for (size_t i = 0; i < 1000; ++i) batch.add_text(1, second(i), std::string(limits::text_value_bytes, i % 5 == 0 ? 'x' : 'y'));
  expect_round_trip(batch);
}

TEST(RoundTrip, OfMixedTypesAndSourcesOfOneSeries) {
  ReadingBatch batch;
  for (size_t i = 0; i < 100; ++i) {
    const auto source = i % 3 == 0 ? TimeSource::producer : TimeSource::agent;
    const ReadingBatch::Stamp stamp{second(i).time_ns, source};
    if (i % 4 == 0) batch.add_f64(7, stamp, 0.5);
    if (i % 4 == 1) batch.add_i64(7, stamp, 5);
    if (i % 4 == 2) batch.add_boolean(7, stamp, i % 8 == 2);
    if (i % 4 == 3) batch.add_text(7, stamp, "on");
  }
  expect_round_trip(batch);
}

TEST(RoundTrip, OfAsManyColumnsAsABlockHolds) {
  ReadingBatch batch;
  for (uint32_t i = 0; i < 2 * limits::block_columns; ++i) batch.add_i64(UINT32_MAX - i % limits::block_columns * 5, second(i), i);
  expect_round_trip(batch);
}

/// Values of every magnitude with structure and without, from one random word each.
void add_random(ReadingBatch& batch, Random& random, int64_t& time_ns, uint64_t style) {
  static constexpr int64_t steps[] = {1, 999, 1'000, 1'000'000, 250'000'000, 1'000'000'000, 3'600'000'000'000};
  const uint64_t clock = style >> 8 & 7;
  const uint64_t noise = clock == 7 ? random.next() : static_cast<uint64_t>(steps[clock]) * (1 + (random.next() & style >> 12 & 15));
  time_ns = static_cast<int64_t>(static_cast<uint64_t>(time_ns) + noise);
  const auto series = static_cast<model::SeriesId>(random.below(1 + (style >> 4 & 7)));
  const ReadingBatch::Stamp stamp{time_ns, random.below(9) == 0 ? TimeSource::producer : TimeSource::agent};
  const uint64_t shifted = random.next() >> (style >> 20 & 63);
  switch (style & 7) {
    case 0: return batch.add_f64(series, stamp, std::bit_cast<double>(random.next()));
    case 1: return batch.add_f64(series, stamp, static_cast<double>(shifted & 0xffff) / 100);
    case 2: return batch.add_f64(series, stamp, static_cast<double>(shifted & 0xfff) * 0.00080566);
    case 3: return batch.add_i64(series, stamp, static_cast<int64_t>(shifted));
    case 4: return batch.add_i64(series, stamp, static_cast<int64_t>(0 - shifted));
    case 5: return batch.add_boolean(series, stamp, random.below(1 + (style >> 16 & 15)) == 0);
    case 6: return batch.add_text(series, stamp, std::string(static_cast<size_t>(random.below(12)), static_cast<char>('a' + random.below(3))));
    default: return batch.add_f64(series, stamp, static_cast<float>(shifted & 0xffff) / 7.0f);
  }
}

TEST(RoundTrip, OfRandomBatches) {
  constexpr uint64_t seed = 20260;
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int round = 0; round < 3000 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    ReadingBatch batch;
    int64_t time_ns = random.below(4) == 0 ? static_cast<int64_t>(random.next()) : start_ns;
    const auto styles = static_cast<size_t>(1 + random.below(3));
    uint64_t style[3] = {random.next(), random.next(), random.next()};
    const auto length = static_cast<size_t>(1 + random.below(random.below(10) == 0 ? 1200 : 90));
    for (size_t i = 0; i < length; ++i) add_random(batch, random, time_ns, style[static_cast<size_t>(random.below(styles))]);
    expect_round_trip(batch);
  }
}

}  // namespace
}  // namespace tideline::block
