#include <numeric>

#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

class StoreRebase : public StoreTest {
 protected:
  void expect_moved(Seq from, Seq next, int64_t made) {
    const Held held = fetch_all(Stream::normal);
    std::vector<int64_t> all(static_cast<size_t>(made));
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(held.values, all);
    ASSERT_EQ(held.gaps.size(), 1U);
    EXPECT_EQ(held.gaps[0].range, (SeqRange{from, next - 1}));
    EXPECT_EQ(held.gaps[0].reason, GapReason::rollback);
    EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
    EXPECT_EQ(store_->next(Stream::normal), next + static_cast<Seq>(made) - from + 1);
  }
};

TEST_F(StoreRebase, readings_from_a_number_on_move) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(record(Stream::normal, 10));
  const uint32_t incarnation = store_->status().incarnation;
  ASSERT_TRUE(store_->rebase(Stream::normal, 21, 100, now_).has_value());
  EXPECT_EQ(store_->status().incarnation, incarnation + 1);
  expect_moved(21, 100, 40);
  EXPECT_TRUE(record(Stream::normal, 5));
}

TEST_F(StoreRebase, a_block_is_split_when_the_number_lies_inside) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(record(Stream::normal, 10));
  ASSERT_TRUE(store_->rebase(Stream::normal, 25, 30, now_).has_value());
  expect_moved(25, 30, 40);
}

TEST_F(StoreRebase, it_is_durable) {
  fill(Stream::normal, 3);
  ASSERT_TRUE(store_->rebase(Stream::normal, 2001, 50'000, now_).has_value());
  crash();
  open();
  expect_moved(2001, 50'000, made_[1]);
}

TEST_F(StoreRebase, runs_gaps_and_acknowledgements_move_along) {
  ASSERT_TRUE(record(Stream::normal, 10));
  reopen();
  store_->declare_overrun(Stream::normal, 5, now_);
  ASSERT_TRUE(record(Stream::normal, 10));
  store_->add_acknowledged(Stream::normal, {1, 20}, now_);
  ASSERT_TRUE(store_->rebase(Stream::normal, 11, 111, now_).has_value());
  EXPECT_EQ(std::as_const(*store_).state().runs.back().first[1], 111U);
  ASSERT_EQ(gaps(Stream::normal).size(), 2U);
  EXPECT_EQ(gaps(Stream::normal)[1].range, (SeqRange{111, 115}));
  EXPECT_EQ(status(Stream::normal).acknowledged.cursor(), 10U);
  expect_accounted(Stream::normal);
}

TEST_F(StoreRebase, an_empty_store_just_moves_on) {
  ASSERT_TRUE(store_->rebase(Stream::normal, 1, 500, now_).has_value());
  EXPECT_EQ(store_->next(Stream::normal), 500U);
  reopen();
  EXPECT_EQ(store_->next(Stream::normal), 500U);
}

TEST_F(StoreRebase, nothing_to_move_still_raises_the_incarnation) {
  ASSERT_TRUE(record(Stream::normal, 3));
  const uint32_t incarnation = store_->status().incarnation;
  ASSERT_TRUE(store_->rebase(Stream::normal, 4, 4, now_).has_value());
  EXPECT_EQ(store_->status().incarnation, incarnation + 1);
  EXPECT_TRUE(gaps(Stream::normal).empty());
}

}  // namespace
}  // namespace tideline::agent
