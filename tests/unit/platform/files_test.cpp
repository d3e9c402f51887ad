#include "files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.hpp"

namespace tideline::platform {
namespace {

class Files : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const { std::ofstream(directory_.file(name)) << text; }
  test::TempDir directory_;
};

TEST_F(Files, a_lock_has_one_holder_who_is_named) {
  {
    const auto first = FileLock::take(directory_.file("lock"));
    ASSERT_TRUE(first.has_value());
    const auto second = FileLock::take(directory_.file("lock"));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::busy);
    EXPECT_GT(second.error().native, 1);
  }
  EXPECT_TRUE(FileLock::take(directory_.file("lock")).has_value());
}

TEST_F(Files, listing_has_regular_files_by_name) {
  write("b", "12");
  write("a", "1");
  std::filesystem::create_directory(directory_.file("sub"));
  const auto entries = list_files(directory_.path());
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].size_bytes, 2U);
}

TEST_F(Files, a_preallocated_file_has_its_size) {
  ASSERT_TRUE(preallocate_file(directory_.file("p"), 100'000).has_value());
  EXPECT_EQ(*file_size(directory_.file("p")), 100'000U);
}

TEST_F(Files, an_impossible_reservation_leaves_nothing_behind) {
  EXPECT_FALSE(preallocate_file(directory_.file("p"), uint64_t{1} << 62).has_value());
  EXPECT_EQ(file_size(directory_.file("p")).error().code, ErrorCode::not_found);
}

TEST_F(Files, a_rename_replaces_and_a_removal_may_repeat) {
  write("a", "new");
  write("b", "old!");
  ASSERT_TRUE(rename_file(directory_.file("a"), directory_.file("b")).has_value());
  EXPECT_EQ(*file_size(directory_.file("b")), 3U);
  EXPECT_TRUE(remove_file(directory_.file("b")).has_value());
  EXPECT_TRUE(remove_file(directory_.file("b")).has_value());
  EXPECT_EQ(rename_file(directory_.file("b"), directory_.file("c")).error().code, ErrorCode::not_found);
}

TEST_F(Files, space_is_known_and_a_directory_can_be_synced) {
  const auto space = disk_space(directory_.path());
  ASSERT_TRUE(space.has_value());
  EXPECT_GT(space->free_bytes, 0U);
  EXPECT_GT(space->free_inodes, 0U);
  EXPECT_TRUE(sync_directory(directory_.path()).has_value());
  EXPECT_FALSE(sync_directory(directory_.file("none")).has_value());
}

}  // namespace
}  // namespace tideline::platform
