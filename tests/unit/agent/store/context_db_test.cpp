// The context on the disk: what was acknowledged is there after a crash, damage keeps what can be read, the history has its bounds.

#include <cerrno>

#include "context/limits.hpp"
#include "disk_faults.hpp"
#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

using context::Register;
using context::Side;

class ContextDbTest : public StoreTest {
 protected:
  void TearDown() override { test::disarm_disk_faults(); }
  static Register reg(const std::string& path, context::Stamp stamp, const std::string& value, Side side = Side::device) {
    return {path, side, {stamp, 0, value.empty(), 0, "tester", value}};
  }
  Status put(std::vector<Register> registers, std::vector<std::string> forgotten = {}) {
    const ContextPut one{std::move(registers), std::move(forgotten), 1};
    return store_->put_context({&one, 1}, now_);
  }
  /// As the next start finds it.
  std::map<std::string, std::string> held() {
    std::map<std::string, std::string> values;
    image_ = store_->take_context();
    for (const Register& one : image_.registers) values[one.path + (one.side == Side::hub ? "@hub" : "")] = one.write.value;
    return values;
  }
  std::vector<std::string> history(const std::string& path) {
    std::vector<std::string> values;
    const auto writes = store_->context_history(path);
    EXPECT_TRUE(writes.has_value());
    if (writes) {
      for (const Register& one : *writes) values.push_back(one.write.value);
    }
    return values;
  }
  ContextImage image_;
};

TEST_F(ContextDbTest, what_was_acknowledged_is_there_after_a_crash) {
  Register full = reg("mode", 1000, "\"eco\"");
  full.write.seen = 77;
  full.write.expires_ms = 1'800'000'000'000;
  ASSERT_TRUE(put({full, reg("mode", 1001, "\"full\"", Side::hub), reg("gone", 1002, "")}));
  crash();
  open();
  ASSERT_EQ(held().size(), 3U);
  EXPECT_EQ(image_.newest, 1002U);
  for (const Register& one : image_.registers) {
    if (one.path == "mode" && one.side == Side::device) {
      EXPECT_EQ(one, full);
    }
    EXPECT_EQ(one.write.is_deleted, one.path == "gone");
  }
  EXPECT_TRUE(store_->take_context().registers.empty()) << "given out twice";
}

TEST_F(ContextDbTest, a_device_without_context_has_no_file_for_it) {
  reopen();
  EXPECT_TRUE(files("context.db").empty());
  EXPECT_TRUE(history("mode").empty());
}

TEST_F(ContextDbTest, an_older_register_changes_nothing) {
  ASSERT_TRUE(put({reg("mode", 20, "2")}));
  ASSERT_TRUE(put({reg("mode", 10, "1")}));
  reopen();
  EXPECT_EQ(held()["mode"], "2");
}

TEST_F(ContextDbTest, what_is_forgotten_is_gone_and_its_stamp_is_not) {
  ASSERT_TRUE(put({reg("a", 10, "1"), reg("b", 30, "")}));
  ASSERT_TRUE(put({reg("b", 40, "2")}, {"b"})) << "forgotten and written anew in one put";
  ASSERT_TRUE(put({}, {"b"}));
  reopen();
  EXPECT_EQ(held(), (std::map<std::string, std::string>{{"a", "1"}}));
  EXPECT_EQ(image_.newest, 40U);
  EXPECT_TRUE(history("b").empty());
}

TEST_F(ContextDbTest, the_history_is_newest_first_and_bounded_in_number) {
  for (context::Stamp stamp = 1; stamp <= context::limits::history + 5; ++stamp) ASSERT_TRUE(put({reg("mode", stamp, std::to_string(stamp))}));
  const std::vector<std::string> values = history("mode");
  ASSERT_EQ(values.size(), context::limits::history);
  EXPECT_EQ(values.front(), std::to_string(context::limits::history + 5));
  EXPECT_EQ(values.back(), "6");
}

TEST_F(ContextDbTest, the_history_is_bounded_in_bytes_and_keeps_the_newest) {
  const std::string value = "\"" + std::string(context::limits::value_bytes - 2, 'x') + "\"";
  for (context::Stamp stamp = 1; stamp <= 8; ++stamp) ASSERT_TRUE(put({reg("big", stamp, value)}));
  EXPECT_EQ(history("big").size(), 1 + context::limits::history_bytes / context::limits::value_bytes);
}

TEST_F(ContextDbTest, all_histories_together_are_bounded) {
  const std::string value = "\"" + std::string(60'000, 'x') + "\"";
  context::Stamp stamp = 1;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(put({reg("p" + std::to_string(i), ++stamp, value)}));
  }
  uint64_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    const auto values = history("p" + std::to_string(i));
    ASSERT_FALSE(values.empty()) << "the one in force stays";
    bytes += (values.size() - 1) * value.size();
  }
  EXPECT_LE(bytes, ContextDb::history_total_bytes);
  EXPECT_GT(bytes, ContextDb::history_total_bytes / 2);
}

TEST_F(ContextDbTest, a_scrambled_file_is_set_aside_and_a_new_one_begun) {
  ASSERT_TRUE(put({reg("mode", 10, "1")}));
  close();
  scramble("context.db");
  open();
  EXPECT_TRUE(held().empty());
  EXPECT_EQ(files("bad-context.db").size(), 1U);
  ASSERT_TRUE(put({reg("mode", 20, "2")}));
  reopen();
  EXPECT_EQ(held()["mode"], "2");
}

TEST_F(ContextDbTest, a_flipped_bit_costs_its_register_and_no_other) {
  std::vector<Register> many;
  for (context::Stamp i = 1; i <= 50; ++i) many.push_back(reg("p" + std::to_string(i), i, "\"value-" + std::to_string(i) + "\""));
  ASSERT_TRUE(put(many));
  close();
  const std::string path = directory_.file("context.db");
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const size_t at = bytes.find("value-25");
  ASSERT_NE(at, bytes.npos);
  for (size_t each = at; each != bytes.npos; each = bytes.find("value-25", each)) bytes[each] = 'w';  // a copy may be left in a page that was split
  std::ofstream(path, std::ios::binary) << bytes;
  open();
  EXPECT_EQ(held().size(), 49U);
  reopen();
  EXPECT_EQ(held().size(), 49U) << "kept in the new file";
}

TEST_F(ContextDbTest, any_single_failing_write_or_sync_loses_no_acknowledged_register) {
  std::string kept = "0";
  context::Stamp stamp = 1;
  ASSERT_TRUE(put({reg("k", stamp, kept)}));
  for (int after = 0; after < 40; ++after) {
    test::arm_disk_fault(after % 2 == 0 ? test::DiskCall::write : test::DiskCall::sync, "context.db", EIO, after / 2 % 7);
    for (int i = 0; i < 4; ++i) {
      ++stamp;
      if (put({reg("k", stamp, std::to_string(stamp))})) kept = std::to_string(stamp);
    }
    test::disarm_disk_faults();
    crash();
    open();
    // One that failed may be kept all the same: then it is newer.
    const std::string found = held()["k"];
    ASSERT_GE(std::stoul(found), std::stoul(kept)) << "fault " << after;
    ++stamp;
    ASSERT_TRUE(put({reg("k", stamp, std::to_string(stamp))}));
    kept = std::to_string(stamp);
  }
  EXPECT_TRUE(files("bad-context").empty());
}

TEST_F(ContextDbTest, a_full_disk_gives_the_reserve_and_changes_nothing_else) {
  pass(seconds(1));
  ASSERT_TRUE(put({reg("a", 1, "1")}));
  ASSERT_TRUE(std::filesystem::exists(directory_.file("ballast")));
  test::arm_disk_fault(test::DiskCall::write, "context.db", ENOSPC, 0);
  EXPECT_EQ(put({reg("a", 2, "2")}).error().code, ErrorCode::full);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("ballast")));
  test::disarm_disk_faults();
  EXPECT_EQ(history("a"), std::vector<std::string>{"1"});
  EXPECT_TRUE(put({reg("a", 3, "3")}));
}

}  // namespace
}  // namespace tideline::agent
