#include "clock.hpp"

#include <gtest/gtest.h>

namespace tideline::platform {
namespace {

constexpr Instant mono{1'000};
constexpr UtcNanos wall{1'700'000'000'000'000'000};
constexpr UtcNanos before{wall.nanos - 1};

TEST(Anchor, a_disciplined_clock_is_believed_with_its_error_whatever_the_floor) {
  for (const UtcNanos floor : {UtcNanos{}, before, UtcNanos{wall.nanos + 1}}) {
    const model::Anchor anchor = make_anchor({true, milliseconds(12)}, mono, wall, floor);
    EXPECT_EQ(anchor.quality, model::TimeQuality::synced);
    EXPECT_EQ(anchor.utc_ns, wall.nanos);
    EXPECT_EQ(anchor.mono_ns, mono.nanos);
    EXPECT_EQ(anchor.error_ns, milliseconds(12).nanos);
  }
}

TEST(Anchor, a_free_clock_is_a_battery_clock_while_it_is_later_than_the_floor) {
  const model::Anchor anchor = make_anchor({}, mono, wall, before);
  EXPECT_EQ(anchor.quality, model::TimeQuality::rtc);
  EXPECT_EQ(anchor.utc_ns, wall.nanos);
  EXPECT_EQ(anchor.error_ns, 0);  // unknown
}

TEST(Anchor, a_clock_that_starts_in_1970_gives_the_floor) {
  const model::Anchor anchor = make_anchor({}, mono, UtcNanos{seconds(30).nanos}, before);
  EXPECT_EQ(anchor.quality, model::TimeQuality::floor);
  EXPECT_EQ(anchor.utc_ns, before.nanos);
  EXPECT_EQ(make_anchor({}, mono, UtcNanos{}, {}).quality, model::TimeQuality::none);
}

TEST(Anchor, of_this_machine_belongs_to_this_boot_and_fits_its_clocks) {
  const model::Anchor anchor = take_anchor({});
  EXPECT_EQ(anchor.boot_id, boot_id());
  EXPECT_NEAR(Duration{now().nanos - anchor.mono_ns}.seconds(), 0, 5);
  EXPECT_NEAR(Duration{wall_clock().nanos - anchor.utc_ns}.seconds(), 0, 5);
  EXPECT_GE(anchor.quality, model::TimeQuality::rtc);
  if (anchor.quality == model::TimeQuality::synced) {
    EXPECT_GT(anchor.error_ns, 0);
    EXPECT_LT(anchor.error_ns, seconds(17).nanos);  // at 16 s the kernel calls the clock unsynchronised
  }
}

}  // namespace
}  // namespace tideline::platform
