#include "context/version.hpp"

#include <gtest/gtest.h>

namespace tideline::context {
namespace {

constexpr UtcNanos at_ms(int64_t ms) { return {ms * 1'000'000}; }

TEST(ContextVersion, stamps_rise_whatever_the_clock_does) {
  HybridClock clock;
  Stamp last = 0;
  for (const int64_t ms : {int64_t{1'790'000'000'000}, int64_t{1'790'000'000'000}, int64_t{0}, int64_t{-5}, int64_t{1'790'000'000'001}, int64_t{5'680'000'000'000}, int64_t{0}}) {
    const Stamp stamp = clock.next(at_ms(ms));
    EXPECT_GT(stamp, last) << ms;
    last = stamp;
  }
}

TEST(ContextVersion, a_stamp_is_the_time_of_a_right_clock) {
  HybridClock clock;
  EXPECT_EQ(stamp_ms(clock.next(at_ms(1'790'000'000'123))), 1'790'000'000'123);
}

TEST(ContextVersion, what_was_seen_is_behind_every_later_stamp) {
  HybridClock clock;
  Tops tops;
  tops[Side::hub] = stamp_at(1'800'000'000'000) + 7;
  clock.observe(tops);
  EXPECT_EQ(clock.next(at_ms(1'790'000'000'000)), stamp_at(1'800'000'000'000) + 8);
}

TEST(ContextVersion, a_clock_that_was_never_set_counts_from_one) {
  HybridClock clock;
  EXPECT_EQ(clock.next(at_ms(0)), 1u);
  EXPECT_EQ(clock.next(at_ms(0)), 2u);
}

TEST(ContextVersion, a_clock_beyond_2199_is_no_clock_so_that_no_stamp_is_made_that_others_refuse) {
  HybridClock clock;
  (void)clock.next(at_ms(1'790'000'000'000));
  EXPECT_LT(clock.next(at_ms(8'000'000'000'000)), stamp_at(1'790'000'000'001));
  EXPECT_FALSE(clock.is_at_end());
  clock.observe(stamp_end - 2);
  EXPECT_FALSE(clock.is_at_end());
  clock.observe(stamp_end - 1);
  EXPECT_TRUE(clock.is_at_end());
}

TEST(ContextVersion, a_version_is_18_letters_that_read_back) {
  Side side = Side::device;
  Stamp stamp = 0;
  EXPECT_EQ(format_version(Side::hub, 0x193a1f2c4b80000), "0193a1f2c4b80000-h");
  EXPECT_TRUE(parse_version("0193a1f2c4b80000-h", side, stamp));
  EXPECT_EQ(side, Side::hub);
  EXPECT_EQ(stamp, 0x193a1f2c4b80000u);
  EXPECT_EQ(format_version(Side::device, 1), "0000000000000001-d");
}

TEST(ContextVersion, other_texts_are_none) {
  Side side = Side::device;
  Stamp stamp = 5;
  for (const char* text : {"", "0193a1f2c4b80000", "0193a1f2c4b80000-x", "0193a1f2c4b8000-d", "0193a1f2c4b80000-dd", "g193a1f2c4b80000-d", "0000000000000000-d", "ffffffffffffffff-d",
                           "+193a1f2c4b80000-d", " 193a1f2c4b80000-d", "-193a1f2c4b80000-d"}) {
    EXPECT_FALSE(parse_version(text, side, stamp)) << text;
  }
  EXPECT_EQ(stamp, 5u);
}

}  // namespace
}  // namespace tideline::context
