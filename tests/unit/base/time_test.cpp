#include "base/time.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace tideline {
namespace {

UtcNanos parsed(std::string_view text) {
  UtcNanos out{-1};
  EXPECT_TRUE(parse_utc(text, out)) << text;
  return out;
}

TEST(Time, utc_is_printed_with_as_many_digits_as_it_has) {
  EXPECT_EQ(format_utc({0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc({1'700'000'000'250'000'000}), "2023-11-14T22:13:20.250Z");
  EXPECT_EQ(format_utc({1'700'000'000'000'001'000}), "2023-11-14T22:13:20.000001Z");
  EXPECT_EQ(format_utc({1}), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(format_utc({-1}), "1969-12-31T23:59:59.999999999Z");
}

TEST(Time, utc_reads_back_what_it_prints) {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    const UtcNanos time{static_cast<int64_t>(random.next()) / 2};
    ASSERT_EQ(parsed(format_utc(time)), time) << time.nanos;
  }
}

TEST(Time, utc_takes_dates_offsets_and_epoch_seconds) {
  EXPECT_EQ(parsed("2023-11-14").nanos, 1'699'920'000'000'000'000);
  EXPECT_EQ(parsed("2023-11-14T22:13:20+01:00").nanos, 1'699'996'400'000'000'000);
  EXPECT_EQ(parsed("2023-11-14 22:13:20Z").nanos, 1'700'000'000'000'000'000);
  EXPECT_EQ(parsed("1700000000").nanos, 1'700'000'000'000'000'000);
  EXPECT_EQ(parsed("1700000000.5").nanos, 1'700'000'000'500'000'000);
  EXPECT_EQ(parsed("-0.5").nanos, -500'000'000);
}

TEST(Time, utc_refuses_what_is_not_a_time) {
  for (const char* text : {"", "now", "2023-13-01", "2023-02-30", "2023-11-14T25:00:00Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20+1",
                           "2023-11-14T22:13:20.Z", "1700000000.", "99999999999999", "2999-01-01"}) {
    UtcNanos out{42};
    EXPECT_FALSE(parse_utc(text, out)) << text;
    EXPECT_EQ(out.nanos, 42) << text;
  }
}

TEST(Time, no_deadline_stays_no_deadline) {
  EXPECT_EQ(never + seconds(10), never);
  EXPECT_EQ(Instant{5} + nanoseconds(2), Instant{7});
}

TEST(Time, durations_need_a_unit) {
  Duration out;
  EXPECT_TRUE(parse_duration("250ms", out));
  EXPECT_EQ(out, milliseconds(250));
  EXPECT_TRUE(parse_duration("1.5h", out));
  EXPECT_EQ(out, minutes(90));
  for (const char* text : {"", "5", "s", "5 s", "-1s", "1e3s", "5x", "300000d"}) EXPECT_FALSE(parse_duration(text, out)) << text;
}

TEST(Time, durations_show_two_units) {
  EXPECT_EQ(format_duration(milliseconds(350)), "350ms");
  EXPECT_EQ(format_duration(milliseconds(12'500)), "12.5s");
  EXPECT_EQ(format_duration(seconds(200)), "3m20s");
  EXPECT_EQ(format_duration(hours(99)), "4d03h");
  EXPECT_EQ(format_duration(nanoseconds(1'499)), "1us");
  EXPECT_EQ(format_duration(nanoseconds(999'999'999)), "1000ms");
  EXPECT_EQ(format_duration(milliseconds(59'960)), "60.0s");
  EXPECT_EQ(format_duration(seconds(3661)), "1h01m");
  EXPECT_EQ(format_duration(seconds(-90)), "-1m30s");
  EXPECT_EQ(format_duration({INT64_MIN}), "-106751d23h");
}

}  // namespace
}  // namespace tideline
