#include "base/backoff.hpp"

#include <gtest/gtest.h>

namespace tideline {
namespace {

TEST(Backoff, waits_stay_between_base_and_cap) {
  Backoff backoff(seconds(1), seconds(60), 3);
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = backoff.next();
    ASSERT_GE(wait, seconds(1));
    ASSERT_LE(wait, seconds(60));
  }
}

TEST(Backoff, grows_until_reset) {
  Backoff backoff(seconds(1), seconds(600), 4);
  for (int i = 0; i < 50; ++i) (void)backoff.next();
  Duration largest{};
  for (int i = 0; i < 20; ++i) largest = std::max(largest, backoff.next());
  EXPECT_GT(largest, seconds(60));
  backoff.reset();
  EXPECT_LE(backoff.next(), seconds(3));
}

TEST(Backoff, two_devices_do_not_wait_in_step) {
  Backoff one(seconds(1), seconds(60), 1);
  Backoff two(seconds(1), seconds(60), 2);
  int equal = 0;
  for (int i = 0; i < 100; ++i) equal += one.next() == two.next() ? 1 : 0;
  EXPECT_LT(equal, 20);  // the cap is common, the rest is not
}

}  // namespace
}  // namespace tideline
