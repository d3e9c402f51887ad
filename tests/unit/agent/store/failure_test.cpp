// A disk that fails while the store is at work (law 5, conventions: after a failed commit a store stays failed until reopened).

#include <cerrno>

#include "store_fixture.hpp"
#include "disk_faults.hpp"

namespace tideline::agent {
namespace {

using test::DiskCall;

class StoreFailure : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(record(Stream::normal, 10)); }
  void TearDown() override { test::disarm_disk_faults(); }
  void recover() {
    test::disarm_disk_faults();
    pass(limits::reopen_interval);
  }
};

TEST_F(StoreFailure, a_failed_sync_is_told_and_nothing_of_it_is_kept) {
  test::arm_disk_fault(DiskCall::sync, "seg-normal", EIO, 0);
  EXPECT_FALSE(record(Stream::normal, 5));
  EXPECT_EQ(results_.at(token_).error().code, ErrorCode::io);
  EXPECT_TRUE(store_->status().failed);
  recover();
  EXPECT_FALSE(store_->status().failed);
  EXPECT_EQ(fetch_all(Stream::normal).readings, 10U);
  EXPECT_EQ(store_->next(Stream::normal), 11U);
}

TEST_F(StoreFailure, a_failed_store_refuses_until_it_is_reopened) {
  test::arm_disk_fault(DiskCall::sync, "seg-normal", EIO, 0);
  EXPECT_FALSE(record(Stream::normal, 5));
  test::disarm_disk_faults();
  EXPECT_FALSE(record(Stream::normal, 5));
  EXPECT_FALSE(record(Stream::critical, 5));
  pass(limits::reopen_interval);
  EXPECT_TRUE(record(Stream::normal, 5));
  EXPECT_TRUE(record(Stream::critical, 5));
}

TEST_F(StoreFailure, it_stays_failed_while_the_disk_is_bad) {
  test::arm_disk_fault(DiskCall::sync, "", EIO, 0);
  EXPECT_FALSE(record(Stream::normal, 5));
  pass(limits::reopen_interval);
  EXPECT_TRUE(store_->status().failed);
  recover();
  EXPECT_TRUE(record(Stream::normal, 5));
}

TEST_F(StoreFailure, grouped_readings_lost_to_it_leave_a_gap) {
  append(Stream::normal, 4, Durability::grouped);
  test::arm_disk_fault(DiskCall::sync, "seg-normal", EIO, 0);
  EXPECT_FALSE(record(Stream::normal, 5));
  recover();
  pass(limits::normal_commit);
  ASSERT_EQ(gaps(Stream::normal).size(), 1U);
  EXPECT_EQ(gaps(Stream::normal)[0].range, (SeqRange{11, 14}));
  expect_accounted(Stream::normal);
}

TEST_F(StoreFailure, what_was_durable_before_can_be_read_meanwhile_and_after) {
  fill(Stream::normal, 2);
  const uint64_t held = status(Stream::normal).held_readings;
  test::arm_disk_fault(DiskCall::write, "seg-normal", EIO, 0);
  EXPECT_FALSE(record(Stream::normal, 5));
  recover();
  crash();
  open();
  EXPECT_EQ(fetch_all(Stream::normal).readings, held);
  expect_accounted(Stream::normal);
}

TEST_F(StoreFailure, a_full_disk_evicts_and_goes_on) {
  fill(Stream::normal, 3);
  test::arm_disk_fault(DiskCall::write, "seg-normal", ENOSPC, 0);
  EXPECT_FALSE(record(Stream::normal, 5));
  EXPECT_EQ(results_.at(token_).error().code, ErrorCode::full);
  EXPECT_FALSE(store_->status().failed);
  EXPECT_TRUE(store_->status().disk_full);
  test::disarm_disk_faults();
  EXPECT_TRUE(record(Stream::normal, 5));
  EXPECT_FALSE(store_->status().disk_full);
  EXPECT_GT(status(Stream::normal).lost_readings, 0U);
  expect_accounted(Stream::normal);
}

TEST_F(StoreFailure, a_disk_that_is_full_now_and_then_is_told_once_a_minute) {
  for (int i = 0; i < 130; ++i) {
    test::arm_disk_fault(DiskCall::write, "seg-normal", ENOSPC, 0);
    EXPECT_FALSE(record(Stream::normal, 5));
    test::disarm_disk_faults();
    EXPECT_TRUE(record(Stream::normal, 5));
    pass(seconds(1));
  }
  EXPECT_EQ(std::count_if(log_.lines.begin(), log_.lines.end(), [](const std::string& line) { return line.starts_with("no space"); }), 3);
}

TEST_F(StoreFailure, state_commits_on_a_full_disk_by_giving_up_the_reserve) {
  pass(seconds(1));
  ASSERT_TRUE(std::filesystem::exists(directory_.file("ballast")));
  test::arm_disk_fault(DiskCall::write, "state.db", ENOSPC, 0);
  store_->declare_overrun(Stream::normal, 5, now_);
  store_->commit_all(now_);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("ballast")));
  test::disarm_disk_faults();
  pass(seconds(1));
  EXPECT_TRUE(std::filesystem::exists(directory_.file("ballast")));
  reopen();
  expect_accounted(Stream::normal);
}

TEST_F(StoreFailure, any_single_failing_write_or_sync_loses_nothing_that_was_acknowledged) {
  uint64_t acknowledged = 10;
  for (int after = 0; after < 60; ++after) {
    test::arm_disk_fault(after % 2 == 0 ? DiskCall::write : DiskCall::sync, directory_.path(), EIO, after / 2);
    for (int i = 0; i < 3; ++i) acknowledged += record(Stream::normal, 1000) ? 1000U : 0U;
    recover();
    if (after % 5 == 0) {
      crash();
      open();
    }
    ASSERT_EQ(fetch_all(Stream::normal).readings, acknowledged) << "fault " << after;
  }
  expect_accounted(Stream::normal);
}

TEST_F(StoreFailure, a_store_that_cannot_write_still_opens_and_answers) {
  close();
  test::arm_disk_fault(DiskCall::write, directory_.path(), ENOSPC, 0);
  open();
  EXPECT_EQ(fetch_all(Stream::normal).readings, 10U);
  EXPECT_FALSE(record(Stream::normal, 5));
}

}  // namespace
}  // namespace tideline::agent
