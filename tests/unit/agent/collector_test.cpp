#include "agent/collector.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "support/fake_outbox.hpp"

namespace tideline::agent {
namespace {

class CollectorTest : public testing::Test, protected Collector::Listener {
 protected:
  void add(model::Stream stream, size_t count) {
    for (size_t i = 0; i < count; ++i) collector_.batch(stream).add_f64(0, {1, model::TimeSource::agent}, 1.0);
  }
  void end_turn() { (void)loop_.run_once(); }
  void on_synced(Collector::Ticket ticket, const Status& status) override { synced_.emplace_back(ticket, status.has_value()); }
  void on_room() override { ++rooms_; }

  uv::Loop loop_;
  test::FakeOutbox outbox_;
  Collector collector_{outbox_, loop_, *this};
  std::vector<std::pair<Collector::Ticket, bool>> synced_;
  int rooms_ = 0;
};

TEST_F(CollectorTest, readings_of_one_turn_are_one_batch_a_class) {
  add(model::Stream::normal, 3);
  add(model::Stream::critical, 1);
  add(model::Stream::normal, 2);
  end_turn();
  ASSERT_EQ(outbox_.taken.size(), 2u);
  EXPECT_EQ(outbox_.taken[0].stream, model::Stream::critical);
  EXPECT_EQ(outbox_.taken[1].readings, 5u);
  EXPECT_EQ(outbox_.taken[1].durability, Durability::grouped);
}

TEST_F(CollectorTest, a_sync_waits_for_every_batch_before_it) {
  add(model::Stream::normal, 1);
  end_turn();  // handed over without haste
  add(model::Stream::critical, 1);
  (void)collector_.sync(7, 0);
  end_turn();
  EXPECT_EQ(outbox_.flushes, 1);
  collector_.on_appended(2, {});
  EXPECT_TRUE(synced_.empty());
  collector_.on_appended(1, {});
  ASSERT_EQ(synced_.size(), 1u);
  EXPECT_EQ(synced_[0], std::make_pair(Collector::Ticket{7}, true));
}

TEST_F(CollectorTest, a_sync_waits_for_its_batch_also_when_another_class_goes_first) {
  add(model::Stream::normal, 1);
  (void)collector_.sync(7, 0);
  add(model::Stream::critical, 1);
  end_turn();
  ASSERT_EQ(outbox_.taken[1].stream, model::Stream::normal);
  collector_.on_appended(1, {});
  EXPECT_TRUE(synced_.empty());
  collector_.on_appended(2, {});
  EXPECT_EQ(synced_.size(), 1u);
}

TEST_F(CollectorTest, a_large_turn_goes_in_pieces_and_a_sync_waits_for_all_before_it) {
  add(model::Stream::normal, 10);
  (void)collector_.sync(1, 0);
  add(model::Stream::normal, 2 * Outbox::batch_readings);
  (void)collector_.sync(2, 0);
  add(model::Stream::normal, 10);
  end_turn();
  ASSERT_EQ(outbox_.taken.size(), 3u);
  EXPECT_EQ(outbox_.taken[0].readings, Outbox::batch_readings);
  EXPECT_EQ(outbox_.taken[0].durability, Durability::synced);
  EXPECT_EQ(outbox_.taken[2].readings, 20u);
  EXPECT_EQ(outbox_.taken[2].durability, Durability::synced);
  EXPECT_EQ(outbox_.flushes, 1);
  collector_.on_appended(1, {});
  EXPECT_EQ(synced_.size(), 1u);
  collector_.on_appended(2, {});
  EXPECT_EQ(synced_.size(), 1u);
  collector_.on_appended(3, {});
  EXPECT_EQ(synced_.size(), 2u);
}

TEST_F(CollectorTest, a_sync_with_nothing_before_it_is_answered_at_once) {
  (void)collector_.sync(1, 0);
  end_turn();
  EXPECT_EQ(synced_.size(), 1u);
}

TEST_F(CollectorTest, a_failure_is_told_to_the_next_sync_and_not_to_later_ones) {
  add(model::Stream::normal, 1);
  end_turn();
  collector_.on_appended(1, Error{ErrorCode::full, 0, "no space"});
  const Collector::Position position = collector_.sync(1, 0);
  end_turn();
  (void)collector_.sync(2, position);
  end_turn();
  ASSERT_EQ(synced_.size(), 2u);
  EXPECT_FALSE(synced_[0].second);
  EXPECT_TRUE(synced_[1].second);
}

TEST_F(CollectorTest, a_producer_that_comes_later_does_not_hear_of_earlier_failures) {
  add(model::Stream::normal, 1);
  end_turn();
  collector_.on_appended(1, Error{ErrorCode::full, 0, "no space"});
  const Collector::Position newcomer = collector_.position();
  add(model::Stream::normal, 1);
  (void)collector_.sync(1, newcomer);
  end_turn();
  collector_.on_appended(2, {});
  ASSERT_EQ(synced_.size(), 1u);
  EXPECT_TRUE(synced_[0].second);
}

TEST_F(CollectorTest, a_full_turn_has_no_room_and_the_next_one_says_so) {
  outbox_.is_full = true;
  add(model::Stream::normal, limits::collector_readings);
  outbox_.is_full = false;
  EXPECT_FALSE(collector_.has_room());
  end_turn();
  EXPECT_TRUE(collector_.has_room());
  EXPECT_EQ(rooms_, 1);
}

TEST_F(CollectorTest, whoever_was_refused_before_anything_was_added_hears_of_room) {
  outbox_.is_full = true;
  EXPECT_FALSE(collector_.has_room());
  end_turn();
  outbox_.is_full = false;
  collector_.on_appended(99, {});
  EXPECT_EQ(rooms_, 1);
}

TEST_F(CollectorTest, a_batch_that_finds_no_room_is_kept_and_goes_later) {
  outbox_.is_full = true;
  add(model::Stream::normal, 4);
  (void)collector_.sync(1, 0);
  end_turn();
  EXPECT_TRUE(outbox_.taken.empty());
  EXPECT_TRUE(synced_.empty());
  outbox_.is_full = false;
  collector_.on_appended(99, {});  // the outbox answered somebody: there may be room
  ASSERT_EQ(outbox_.taken.size(), 1u);
  EXPECT_EQ(outbox_.taken[0].durability, Durability::synced);
}

}  // namespace
}  // namespace tideline::agent
