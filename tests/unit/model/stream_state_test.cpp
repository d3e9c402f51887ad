#include "model/stream_state.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace tideline::model {
namespace {

TEST(SeqRanges, JoinsNeighboursAndOverlaps) {
  SeqRanges held;
  EXPECT_TRUE(held.add({1, 5}, 8));
  EXPECT_TRUE(held.add({11, 15}, 8));
  EXPECT_TRUE(held.add({6, 10}, 8));
  ASSERT_EQ(held.ranges().size(), 1u);
  EXPECT_EQ(held.ranges()[0], (SeqRange{1, 15}));
  EXPECT_EQ(held.cursor(), 15u);
}

TEST(SeqRanges, CursorIsZeroWhileTheFirstIsMissing) {
  SeqRanges held;
  EXPECT_TRUE(held.add({2, 5}, 8));
  EXPECT_EQ(held.cursor(), 0u);
  EXPECT_EQ(held.first_missing(1, 9), (SeqRange{1, 1}));
  EXPECT_EQ(held.first_missing(2, 9), (SeqRange{6, 9}));
  EXPECT_TRUE(held.first_missing(2, 5).is_empty());
}

TEST(SeqRanges, RefusesOneRangeTooManyAndStaysAsItWas) {
  SeqRanges held;
  EXPECT_TRUE(held.add({10, 11}, 2));
  EXPECT_TRUE(held.add({20, 21}, 2));
  const SeqRanges before = held;
  EXPECT_FALSE(held.add({30, 31}, 2));
  EXPECT_EQ(held, before);
  EXPECT_TRUE(held.add({12, 19}, 2)) << "joining needs no room";
  EXPECT_EQ(held.ranges().size(), 1u);
}

TEST(SeqRanges, TheHighestNumberDoesNotWrap) {
  SeqRanges held;
  EXPECT_TRUE(held.add({UINT64_MAX - 1, UINT64_MAX}, 8));
  EXPECT_TRUE(held.add({1, 2}, 8));
  EXPECT_EQ(held.ranges().size(), 2u);
  EXPECT_EQ(held.cursor(), 2u);
  EXPECT_TRUE(held.first_missing(UINT64_MAX - 1, UINT64_MAX).is_empty());
}

TEST(SeqRanges, AgreesWithASetOfNumbers) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    SeqRanges held;
    std::set<Seq> numbers;
    for (int i = 0; i < 30; ++i) {
      const Seq first = 1 + random() % 60;
      const Seq last = first + random() % 6;
      ASSERT_TRUE(held.add({first, last}, 100));
      for (Seq seq = first; seq <= last; ++seq) numbers.insert(seq);
    }
    for (Seq seq = 1; seq < 70; ++seq) ASSERT_EQ(held.contains(seq), numbers.count(seq) == 1) << seq;
    for (size_t i = 1; i < held.ranges().size(); ++i) ASSERT_GT(held.ranges()[i].first, held.ranges()[i - 1].last + 1);
  }
}

}  // namespace
}  // namespace tideline::model
