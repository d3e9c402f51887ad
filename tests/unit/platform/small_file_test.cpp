#include "small_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace tideline::platform {
namespace {

class SmallFile : public testing::Test {
 protected:
  SmallFile() {
    std::string pattern = testing::TempDir() + "small_file_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/file";
  }
  ~SmallFile() override { std::filesystem::remove_all(directory_); }
  unsigned permissions() const {
    struct stat found {};
    return ::stat(path_.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
  }
  std::string directory_;
  std::string path_;
};

TEST_F(SmallFile, what_was_written_is_read_back) {
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(write_small_file(path_, content, FileMode::shared));
  EXPECT_EQ(read_small_file(path_, 4).value(), content);
  ASSERT_TRUE(write_small_file(path_, "", FileMode::shared));
  EXPECT_EQ(read_small_file(path_, 4).value(), "");
}

TEST_F(SmallFile, a_secret_is_readable_by_its_owner_alone_even_where_a_wider_file_was_left) {
  ASSERT_TRUE(write_small_file(path_ + ".new", "left by a crash", FileMode::shared));
  ASSERT_TRUE(write_small_file(path_, "key", FileMode::secret));
  EXPECT_EQ(permissions(), 0600u);
}

TEST_F(SmallFile, a_file_longer_than_allowed_is_not_read) {
  ASSERT_TRUE(write_small_file(path_, "12345", FileMode::shared));
  EXPECT_EQ(read_small_file(path_, 4).error().code, ErrorCode::limit);
}

TEST_F(SmallFile, a_missing_file_is_told_apart) {
  EXPECT_EQ(read_small_file(path_, 4).error().code, ErrorCode::not_found);
  EXPECT_FALSE(file_exists(path_));
}

TEST_F(SmallFile, a_failed_write_leaves_nothing_behind) {
  EXPECT_FALSE(write_small_file(directory_ + "/none/file", "x", FileMode::shared));
  ASSERT_TRUE(make_directory(path_));
  EXPECT_FALSE(write_small_file(path_, "x", FileMode::shared)) << "a directory is in the way";
  EXPECT_FALSE(file_exists(path_ + ".new"));
}

TEST_F(SmallFile, a_directory_is_made_once_for_its_owner) {
  ASSERT_TRUE(make_directory(path_));
  EXPECT_EQ(permissions(), 0700u);
  EXPECT_EQ(make_directory(path_).error().code, ErrorCode::exists);
}

}  // namespace
}  // namespace tideline::platform
