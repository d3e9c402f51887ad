#include "hub/fleet/slots.hpp"

#include <gtest/gtest.h>

namespace tideline::hub {
namespace {

using Links = std::vector<uint64_t>;

struct SlotsTest : ::testing::Test {
  Slots slots{SlotBounds{2, seconds(5)}};
  Instant now{};
};

TEST_F(SlotsTest, AreGivenAtOnceWhileThereAreSome) {
  EXPECT_TRUE(slots.ask(1, now));
  EXPECT_TRUE(slots.ask(2, now));
  EXPECT_FALSE(slots.ask(3, now));
  EXPECT_EQ(slots.waiting(), 1u);
  EXPECT_EQ(slots.next(now), Links{});
}

TEST_F(SlotsTest, GoToThoseWhoWaitInTheOrderTheyCame) {
  for (const uint64_t link : {1U, 2U, 3U, 4U, 5U}) slots.ask(link, now);
  slots.leave(2);
  EXPECT_EQ(slots.next(now), Links{3});
  slots.leave(1);
  slots.leave(3);
  EXPECT_EQ(slots.next(now), (Links{4, 5}));
  EXPECT_EQ(slots.waiting(), 0u);
}

TEST_F(SlotsTest, ANewDeviceDoesNotOvertakeThoseThatWait) {
  for (const uint64_t link : {1U, 2U, 3U}) slots.ask(link, now);
  slots.leave(1);
  EXPECT_FALSE(slots.ask(4, now)) << "3 was here before";
  EXPECT_EQ(slots.next(now), Links{3});
}

TEST_F(SlotsTest, WhoHoldsOneTooLongLosesItToTheNext) {
  for (const uint64_t link : {1U, 2U, 3U, 4U}) slots.ask(link, now);
  EXPECT_EQ(slots.next(now + seconds(4)), Links{});
  EXPECT_EQ(slots.next(now + seconds(5)), (Links{3, 4}));
  EXPECT_FALSE(slots.has(1));
  slots.leave(1);  // its backlog came later: nothing changes
  EXPECT_FALSE(slots.ask(5, now + seconds(6)));
}

TEST_F(SlotsTest, WhoGoesAwayWhileWaitingIsPassedOver) {
  for (const uint64_t link : {1U, 2U, 3U, 4U}) slots.ask(link, now);
  slots.leave(3);
  slots.leave(1);
  EXPECT_EQ(slots.next(now), Links{4});
  slots.leave(2);
  slots.leave(4);
  EXPECT_TRUE(slots.ask(6, now));
}

/// Whatever happens, no more than the bound are sending and all get their turn within the time that the bounds promise.
TEST_F(SlotsTest, AStormOfThousandsPassesWithinItsBound) {
  Slots storm{SlotBounds{100, seconds(2)}};
  size_t sending = 0;
  for (uint64_t link = 0; link < 10'000; ++link) sending += storm.ask(link, now) ? 1 : 0;
  size_t rounds = 0;
  while (storm.waiting() > 0) {
    now = now + seconds(2);
    const Links turn = storm.next(now);
    ASSERT_LE(turn.size(), 100u);
    sending += turn.size();
    ASSERT_LE(++rounds, 99u);
  }
  EXPECT_EQ(sending, 10'000u);
}

}  // namespace
}  // namespace tideline::hub
