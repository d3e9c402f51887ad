// The inputs of the golden blocks. Integers and Random only: no function of libm, whose last bits differ between machines.
#pragma once

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "block/encoder.hpp"
#include "model/reading.hpp"

namespace tideline::support {

struct GoldenBlock {
  std::string name;
  block::BlockMeta meta;
  model::ReadingBatch batch;
};

namespace golden {

inline constexpr int64_t start_ns = 1'700'000'000'250'000'000;
inline constexpr int64_t second_ns = 1'000'000'000;

inline block::BlockMeta meta() {
  block::BlockMeta meta;
  meta.stream = model::Stream::bulk;
  meta.first_seq = 0x0123456789abcdef;
  meta.run_id = 0xfedcba9876543210;
  meta.boot_id = 0xd1b54a32d192ed03;
  meta.mono_first_ns = 86'400 * second_ns;
  meta.mono_last_ns = 90'000 * second_ns;
  meta.utc_offset_ns = start_ns - meta.mono_first_ns;
  meta.time_quality = model::TimeQuality::rtc;
  return meta;
}

/// The example of FORMAT.md section 8.
inline GoldenBlock example() {
  GoldenBlock made{"example", {}, {}};
  made.meta.first_seq = 1000;
  made.meta.run_id = 7;
  made.meta.boot_id = 9;
  made.meta.utc_offset_ns = 1'699'999'995'000'000'000;
  made.meta.mono_first_ns = 5'250'000'000;
  made.meta.mono_last_ns = 8'250'000'100;
  made.meta.time_quality = model::TimeQuality::synced;
  constexpr int64_t after_ms[] = {0, 1000, 2001, 3000};
  constexpr double values[] = {21.4, 21.4, 21.5, 21.3};
  for (size_t i = 0; i < 4; ++i) made.batch.add_f64(2, {start_ns + after_ms[i] * 1'000'000, model::TimeSource::agent}, values[i]);
  return made;
}

/// Every coding, transform and form, interleaved as a device would.
inline GoldenBlock codings() {
  GoldenBlock made{"codings", meta(), {}};
  Random random(20251121);
  int64_t tenths = 215;
  int64_t count = 0;
  int64_t ramp = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const int64_t jittered = start_ns + i * second_ns + static_cast<int64_t>(random.below(7)) * 1'000'000;
    const model::ReadingBatch::Stamp agent{jittered, model::TimeSource::agent};
    const model::ReadingBatch::Stamp regular{start_ns + i * second_ns, model::TimeSource::agent};
    const model::ReadingBatch::Stamp producer{static_cast<int64_t>(random.next() >> 3), model::TimeSource::producer};
    tenths += static_cast<int64_t>(random.below(3)) - 1;
    count += static_cast<int64_t>(random.below(12)) + (i == 77 ? 1'000'000 : 0);
    ramp += i;
    made.batch.add_f64(0, agent, static_cast<double>(tenths) / 10);
    made.batch.add_f64(1, agent, static_cast<double>(1000 + random.below(60)) * 3.3 / 4096);
    made.batch.add_f64(2, regular, std::bit_cast<double>(0x3ff0000000000000 | random.next() >> 12));
    made.batch.add_f64(3, regular, i % 50 == 9 ? -0.0 : static_cast<double>(random.below(100)) / 100);
    made.batch.add_f64(4, regular, i % 50 == 8 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(random.below(1u << 16)) * 0.0000763);
    made.batch.add_i64(5, agent, count);
    made.batch.add_i64(6, regular, ramp * ramp);
    made.batch.add_i64(7, regular, static_cast<int64_t>(random.below(500)) * 4096);
    made.batch.add_boolean(8, regular, i % 60 < 20);
    made.batch.add_boolean(9, producer, random.below(2) == 0);
    made.batch.add_text(10, regular, i / 40 % 2 == 0 ? "running" : "stopped");
    made.batch.add_f64(11, regular, 21.5);
    if (i % 20 == 0) made.batch.add_text(12, agent, "event " + std::to_string(random.next()) + " \xc3\xa4");
  }
  return made;
}

inline GoldenBlock extremes() {
  GoldenBlock made{"extremes", meta(), {}};
  made.meta.first_seq = UINT64_MAX - 100;
  made.meta.boot_id = 0;
  made.meta.run_id = UINT64_MAX;
  made.meta.utc_offset_ns = INT64_MIN;
  made.meta.mono_first_ns = INT64_MAX;
  made.meta.mono_last_ns = INT64_MIN;
  made.meta.time_quality = model::TimeQuality::none;
  constexpr int64_t times[] = {INT64_MAX, INT64_MIN, 0, -1, INT64_MIN};
  constexpr uint64_t doubles[] = {0x7ff8dead'beef0001, 0x8000000000000000, 0x7ff0000000000000, 0xffefffffffffffff, 1};
  constexpr int64_t integers[] = {INT64_MIN, INT64_MAX, INT64_MIN, 0, -1};
  for (size_t i = 0; i < 5; ++i) {
    const model::ReadingBatch::Stamp stamp{times[i], model::TimeSource::producer};
    made.batch.add_f64(UINT32_MAX, stamp, std::bit_cast<double>(doubles[i]));
    made.batch.add_i64(UINT32_MAX, stamp, integers[i]);
    made.batch.add_text(UINT32_MAX, stamp, i == 0 ? "" : std::string_view("a\0b", 3));
    made.batch.add_boolean(0, {times[4 - i], model::TimeSource::agent}, i == 4);
  }
  return made;
}

}  // namespace golden

inline std::vector<GoldenBlock> golden_blocks() { return {golden::example(), golden::codings(), golden::extremes()}; }

}  // namespace tideline::support
