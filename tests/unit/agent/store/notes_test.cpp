// Notes: what was acknowledged is there after a crash, the bounds hold, and lost notes are told by the incarnation.

#include <cerrno>

#include "disk_faults.hpp"
#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

class NotesTest : public StoreTest {
 protected:
  void TearDown() override { test::disarm_disk_faults(); }
  Status put(const std::string& key, std::string text) {
    const std::vector<NoteChange> changes{{key, std::move(text), 1}};
    return store_->put_notes(changes, now_).at(0);
  }
  std::string get(const std::string& key) {
    const auto text = store_->get_note(key, now_);
    return text ? *text : error_name(text.error().code);
  }
  uint32_t incarnation() const { return store_->status().incarnation; }
};

TEST_F(NotesTest, a_note_is_there_after_a_crash) {
  ASSERT_TRUE(put("call/1", "begun"));
  ASSERT_TRUE(put("call/1", "done"));
  ASSERT_TRUE(put("call/2", std::string(limits::note_bytes, 'x')));
  crash();
  open();
  EXPECT_EQ(get("call/1"), "done");
  EXPECT_EQ(get("call/2"), std::string(limits::note_bytes, 'x'));
  EXPECT_EQ(store_->note_keys().size(), 2U);
}

TEST_F(NotesTest, an_empty_text_deletes) {
  ASSERT_TRUE(put("a", "1"));
  ASSERT_TRUE(put("a", ""));
  ASSERT_TRUE(put("never was", ""));
  EXPECT_EQ(get("a"), "not found");
  crash();
  open();
  EXPECT_TRUE(store_->note_keys().empty());
}

TEST_F(NotesTest, any_bytes_come_back) {
  const std::string text("\0\xff\n{}", 5);
  ASSERT_TRUE(put("k", text));
  reopen();
  EXPECT_EQ(get("k"), text);
}

TEST_F(NotesTest, the_bound_on_their_number_is_inclusive_and_loses_nothing) {
  std::vector<NoteChange> changes;
  for (size_t i = 0; i <= limits::notes; ++i) changes.push_back({"n" + std::to_string(i), "t", i});
  const std::vector<Status> statuses = store_->put_notes(changes, now_);
  for (size_t i = 0; i < limits::notes; ++i) EXPECT_TRUE(statuses[i].has_value()) << i;
  EXPECT_EQ(statuses[limits::notes].error().code, ErrorCode::full);
  EXPECT_TRUE(put("n0", "replacing one is no new one"));
  ASSERT_TRUE(put("n1", ""));
  EXPECT_TRUE(put("new", "t"));
  reopen();
  EXPECT_EQ(store_->note_keys().size(), limits::notes);
}

TEST_F(NotesTest, the_bound_on_their_bytes_is_inclusive_and_loses_nothing) {
  const size_t count = limits::notes_bytes / limits::note_bytes;
  for (size_t i = 0; i < count; ++i) ASSERT_TRUE(put({char('a' + i % 26), char('a' + i / 26)}, std::string(limits::note_bytes - 2, 'x')));
  EXPECT_EQ(put("z", "t").error().code, ErrorCode::full);
  EXPECT_TRUE(put("aa", "t"));
  EXPECT_TRUE(put("z", "t"));
  EXPECT_EQ(get("ba").size(), limits::note_bytes - 2);
}

TEST_F(NotesTest, a_full_disk_gives_the_reserve_for_them) {
  pass(seconds(1));
  ASSERT_TRUE(put("a", "1"));
  ASSERT_TRUE(std::filesystem::exists(directory_.file("ballast")));
  test::arm_disk_fault(test::DiskCall::write, "notes.db", ENOSPC, 0);
  EXPECT_EQ(put("a", "2").error().code, ErrorCode::full);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("ballast")));
  test::disarm_disk_faults();
  EXPECT_EQ(get("a"), "1");
  EXPECT_TRUE(put("a", "2"));
}

TEST_F(NotesTest, any_single_failing_write_or_sync_loses_no_acknowledged_note) {
  std::string kept;
  for (int after = 0; after < 40; ++after) {
    test::arm_disk_fault(after % 2 == 0 ? test::DiskCall::write : test::DiskCall::sync, "notes.db", EIO, after / 2 % 7);
    for (int i = 0; i < 4; ++i) {
      const std::string text = std::to_string(after) + "." + std::to_string(i);
      const bool was_kept = put("k", text).has_value();
      if (was_kept) kept = text;
    }
    test::disarm_disk_faults();
    if (after % 5 == 0) {
      crash();
      open();
    }
    // One that failed may be kept all the same: then it is newer than what was acknowledged.
    const std::string found = get("k");
    ASSERT_GE(found.size() == kept.size() ? found : "~" + found, kept) << "fault " << after;
    ASSERT_TRUE(put("k", kept));
  }
  EXPECT_TRUE(files("bad-notes").empty());
}

TEST_F(NotesTest, a_damaged_file_is_set_aside_and_raises_the_incarnation) {
  ASSERT_TRUE(put("a", "1"));
  const uint32_t before = incarnation();
  close();
  scramble("notes.db");
  open();
  EXPECT_GT(incarnation(), before);
  EXPECT_TRUE(store_->note_keys().empty());
  EXPECT_EQ(files("bad-notes.db").size(), 1U);
  EXPECT_TRUE(put("b", "2"));
  reopen();
  EXPECT_EQ(get("b"), "2");
}

TEST_F(NotesTest, a_missing_file_raises_the_incarnation_only_if_there_was_one) {
  const uint32_t before = incarnation();
  reopen();
  EXPECT_EQ(incarnation(), before);
  ASSERT_TRUE(put("a", "1"));
  close();
  remove("notes.db");
  open();
  EXPECT_GT(incarnation(), before);
}

TEST_F(NotesTest, a_text_that_changed_on_the_disk_is_not_handed_out) {
  ASSERT_TRUE(put("a", std::string(250'000, 'x')));
  const uint32_t before = incarnation();
  reopen();
  scramble("notes.db", 20'000);  // more than SQLite keeps of the file
  EXPECT_EQ(get("a"), error_name(ErrorCode::corrupt));
  EXPECT_TRUE(store_->take_notes_loss());
  EXPECT_GT(incarnation(), before);
  EXPECT_TRUE(put("a", "again"));
  EXPECT_EQ(get("a"), "again");
}

TEST_F(NotesTest, damage_of_state_does_not_reach_them) {
  ASSERT_TRUE(put("a", "1"));
  close();
  scramble("state.db");
  open();
  EXPECT_EQ(get("a"), "1");
}

TEST_F(NotesTest, a_crash_while_the_file_was_made_is_no_loss) {
  close();
  std::ofstream(directory_.file("notes.db")).close();
  open();
  EXPECT_EQ(incarnation(), 0U);
  EXPECT_TRUE(put("a", "1"));
  EXPECT_EQ(get("a"), "1");
}

}  // namespace
}  // namespace tideline::agent
