#include "link/token_bucket.hpp"

#include <gtest/gtest.h>

namespace tideline::link {
namespace {

TEST(TokenBucket, without_a_rate_it_is_always_open) {
  TokenBucket bucket(0, 0);
  bucket.spend(1'000'000'000, Instant{});
  EXPECT_TRUE(bucket.is_open(Instant{}));
}

TEST(TokenBucket, a_debt_is_paid_at_the_rate) {
  TokenBucket bucket(1000, 500);
  const Instant now{seconds(100).nanos};
  bucket.spend(1500, now);  // 500 in hand: 1000 in debt
  EXPECT_FALSE(bucket.is_open(now));
  EXPECT_FALSE(bucket.is_open(now + milliseconds(999)));
  const Instant open_at = bucket.open_at(now + milliseconds(999));
  EXPECT_TRUE(bucket.is_open(open_at));
  EXPECT_NEAR((open_at - now).seconds(), 1.0, 0.01);
}

TEST(TokenBucket, a_long_pause_gives_no_more_than_the_burst) {
  TokenBucket bucket(1000, 500);
  Instant now{hours(1000).nanos};
  EXPECT_TRUE(bucket.is_open(now));
  bucket.spend(500, now);
  EXPECT_FALSE(bucket.is_open(now));
}

TEST(TokenBucket, the_rate_holds_over_time_however_often_it_is_asked) {
  TokenBucket bucket(1000, 100);
  Instant now{1};
  uint64_t sent = 0;
  for (int i = 0; i < 100'000; ++i) {
    now = now + nanoseconds(100'000);  // 10 s in all
    if (!bucket.is_open(now)) continue;
    bucket.spend(50, now);
    sent += 50;
  }
  EXPECT_NEAR(static_cast<double>(sent), 10'000, 250);
}

TEST(TokenBucket, another_rate_counts_from_now_and_keeps_the_debt) {
  Instant now{seconds(10).nanos};
  TokenBucket bucket(0, 1000);
  EXPECT_TRUE(bucket.is_open(now));
  bucket.set_rate(100, 500, now);
  bucket.spend(700, now);
  EXPECT_FALSE(bucket.is_open(now));
  bucket.set_rate(10, 500, now);
  EXPECT_FALSE(bucket.is_open(now + seconds(20)));  // 200 of debt, 10 a second
  EXPECT_TRUE(bucket.is_open(now + seconds(21)));
  bucket.spend(10'000, now + seconds(21));
  bucket.set_rate(0, 500, now + seconds(21));
  EXPECT_TRUE(bucket.is_open(now + seconds(21)));
}

TEST(TokenBucket, open_at_is_the_first_moment_that_is_open) {
  for (const uint64_t rate : {1ull, 3ull, 777ull, 123'456'789ull}) {
    TokenBucket bucket(rate, 64);
    const Instant now{seconds(5).nanos};
    bucket.spend(10'000, now);
    const Instant open_at = bucket.open_at(now);
    TokenBucket early = bucket;
    EXPECT_FALSE(early.is_open(open_at - nanoseconds(static_cast<int64_t>(1'000'000'000 / rate) + 1)));
    EXPECT_TRUE(bucket.is_open(open_at));
  }
}

}  // namespace
}  // namespace tideline::link
