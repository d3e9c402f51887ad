#include "hub/fleet/intake.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

class IntakeTest : public ::testing::Test, protected IntakeActions {
 protected:
  void apply(std::vector<IntakeBatch>&& batches) override {
    events_ += "apply" + std::to_string(batches.size()) + " ";
    applied_ = batches.size();
  }
  void load_state(SessionId session, DeviceKey, const std::string&) override { events_ += "load" + std::to_string(session) + " "; }
  void deliver(SessionId session, Result<std::vector<BlockVerdict>> verdicts) override {
    events_ += (verdicts ? "stored" : "failed") + std::to_string(session) + " ";
  }
  static IntakeBatch batch_of(size_t bytes) {
    IntakeBatch batch;
    model::StoredBlock block;
    block.bytes.resize(bytes);
    batch.blocks.push_back(std::move(block));
    return batch;
  }
  void succeed() { intake_.on_applied(std::vector<std::vector<BlockVerdict>>(applied_)); }
  std::string take_events() {
    std::string events;
    events.swap(events_);
    return events;
  }

  Intake intake_{*this};
  std::string events_;
  size_t applied_ = 0;
};

TEST_F(IntakeTest, WhatCameInOneTurnIsOneTransaction) {
  ASSERT_TRUE(intake_.put(1, batch_of(10)));
  ASSERT_TRUE(intake_.put(2, batch_of(10)));
  EXPECT_EQ(take_events(), "");
  intake_.flush();
  EXPECT_EQ(take_events(), "apply2 ");
  succeed();
  EXPECT_EQ(take_events(), "stored1 stored2 ");
  EXPECT_EQ(intake_.pending_bytes(), 0u);
}

TEST_F(IntakeTest, WhileOneIsUnderWayTheNextFills) {
  ASSERT_TRUE(intake_.put(1, batch_of(10)));
  intake_.flush();
  for (SessionId session = 2; session < 5; ++session) {
    ASSERT_TRUE(intake_.put(session, batch_of(10)));
    intake_.flush();
  }
  EXPECT_EQ(take_events(), "apply1 ");
  succeed();
  EXPECT_EQ(take_events(), "stored1 apply3 ");
}

TEST_F(IntakeTest, AFailedTransactionIsToldToEachSession) {
  ASSERT_TRUE(intake_.put(1, batch_of(10)));
  ASSERT_TRUE(intake_.put(2, batch_of(10)));
  intake_.flush();
  take_events();
  intake_.on_applied(Error{ErrorCode::io, 0, "commit"});
  EXPECT_EQ(take_events(), "failed1 failed2 ");
  ASSERT_TRUE(intake_.put(3, batch_of(10)));
  intake_.flush();
  EXPECT_EQ(take_events(), "apply1 ");
}

TEST_F(IntakeTest, StateIsLoadedAfterWhatWasPutBefore) {
  intake_.load_state(1, 5, "e");
  EXPECT_EQ(take_events(), "load1 ");
  ASSERT_TRUE(intake_.put(1, batch_of(10)));
  intake_.load_state(2, 5, "e");
  EXPECT_EQ(take_events(), "");
  intake_.flush();
  EXPECT_EQ(take_events(), "apply1 load2 ");
  ASSERT_TRUE(intake_.put(3, batch_of(10)));
  intake_.load_state(4, 5, "e");
  intake_.flush();
  succeed();
  EXPECT_EQ(take_events(), "stored1 apply1 load4 ");
}

TEST_F(IntakeTest, BytesAreBoundedWithWhatIsBeingApplied) {
  const size_t overhead = size_bytes(batch_of(0));
  const size_t half = limits::intake_queue_bytes / 2;
  ASSERT_TRUE(intake_.put(1, batch_of(half - overhead)));
  EXPECT_TRUE(intake_.has_room());
  intake_.flush();
  ASSERT_TRUE(intake_.put(2, batch_of(half - overhead)));
  EXPECT_FALSE(intake_.has_room());
  EXPECT_EQ(intake_.pending_bytes(), limits::intake_queue_bytes);
  EXPECT_EQ(intake_.put(3, batch_of(0)).error().code, ErrorCode::full);
  succeed();
  EXPECT_TRUE(intake_.has_room());
  EXPECT_TRUE(intake_.put(3, batch_of(0)));
}

}  // namespace
}  // namespace tideline::hub
