#include "agent/store/gap_list.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace tideline::agent {
namespace {

using model::Gap;
using model::GapReason;
using model::SeqRange;

Gap gap(model::Seq first, model::Seq last, GapReason reason = GapReason::evicted) {
  Gap out;
  out.range = {first, last};
  out.count = out.range.count();
  out.reason = reason;
  return out;
}

TEST(GapList, neighbours_of_one_reason_become_one_record) {
  GapList list;
  list.add(gap(1, 5));
  list.add(gap(11, 15));
  list.add(gap(6, 10));
  ASSERT_EQ(list.all().size(), 1U);
  EXPECT_EQ(list.all()[0].range, (SeqRange{1, 15}));
  EXPECT_EQ(list.all()[0].count, 15U);
  EXPECT_FALSE(list.all()[0].at_least);
}

TEST(GapList, neighbours_of_different_reasons_stay_apart) {
  GapList list;
  list.add(gap(1, 5));
  list.add(gap(6, 10, GapReason::damaged));
  EXPECT_EQ(list.all().size(), 2U);
  EXPECT_TRUE(list.covers({1, 10}));
  EXPECT_FALSE(list.covers({1, 11}));
}

TEST(GapList, nothing_is_declared_twice) {
  GapList list;
  list.add(gap(5, 10, GapReason::refused));
  list.add(gap(1, 20));
  EXPECT_EQ(list.lost(), 20U);
  EXPECT_EQ(list.all().size(), 3U);
  EXPECT_EQ(list.find(7)->reason, GapReason::refused);
  list.add(gap(1, 20));
  EXPECT_EQ(list.lost(), 20U);
}

TEST(GapList, rollback_loses_nothing) {
  GapList list;
  Gap rollback = gap(1, 5, GapReason::rollback);
  rollback.count = 0;
  list.add(rollback);
  list.add(gap(8, 9));
  EXPECT_EQ(list.lost(), 2U);
}

TEST(GapList, look_ups_go_by_number) {
  GapList list;
  list.add(gap(5, 10));
  list.add(gap(20, 30));
  EXPECT_EQ(list.find(4), nullptr);
  EXPECT_EQ(list.find(10)->range.first, 5U);
  EXPECT_EQ(list.next_from(6)->range.first, 20U);
  EXPECT_EQ(list.from(10).size(), 2U);
  EXPECT_EQ(list.from(11).size(), 1U);
  EXPECT_EQ(list.last(), 30U);
}

TEST(GapList, merging_never_crosses_held_readings_and_says_at_least) {
  GapList list;
  list.add(gap(1, 5));
  list.add(gap(7, 9));
  EXPECT_FALSE(list.merge_oldest([](SeqRange) { return true; }));
  EXPECT_TRUE(list.merge_oldest([](SeqRange) { return false; }));
  EXPECT_EQ(list.all()[0].range, (SeqRange{1, 9}));
  EXPECT_EQ(list.all()[0].count, 8U);
  EXPECT_TRUE(list.all()[0].at_least);
}

TEST(GapList, the_limit_is_inclusive) {
  GapList list;
  for (model::Seq i = 0; i < limits::gaps_per_stream; ++i) list.add(gap(i * 2 + 1, i * 2 + 1));
  EXPECT_FALSE(list.is_over_limit());
  list.add(gap(1'000'000, 1'000'000));
  EXPECT_TRUE(list.is_over_limit());
}

TEST(GapList, shifting_splits_a_record_across_the_number) {
  GapList list;
  list.add(gap(1, 10));
  list.shift(6, 100);
  ASSERT_EQ(list.all().size(), 2U);
  EXPECT_EQ(list.all()[0].range, (SeqRange{1, 5}));
  EXPECT_EQ(list.all()[1].range, (SeqRange{106, 110}));
  EXPECT_EQ(list.lost(), 10U);
}

}  // namespace
}  // namespace tideline::agent
