#include "privileges.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/temp_dir.hpp"

namespace tideline::platform {
namespace {

constexpr uid_t somebody = 65534;

/// Runs `act` in a process of its own, for it cannot be undone; true when `act` was.
template <class Function>
bool holds_in_child(Function act) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(act() ? 0 : 1);
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Privileges : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can act for others";
  }
  test::TempDir directory_;
};

TEST_F(Privileges, root_becomes_the_owner_of_the_directory_and_stays_so) {
  ASSERT_EQ(::chown(directory_.path().c_str(), somebody, somebody), 0);
  EXPECT_TRUE(holds_in_child([&] {
    return become_owner_of(directory_.path()).has_value() && ::getuid() == somebody && ::getegid() == somebody && ::setuid(0) != 0;
  }));
}

TEST_F(Privileges, a_directory_of_root_or_none_changes_nothing) {
  EXPECT_TRUE(holds_in_child([&] { return become_owner_of(directory_.path()).has_value() && ::geteuid() == 0; }));
  EXPECT_TRUE(holds_in_child([&] { return become_owner_of(directory_.file("none")).has_value() && ::geteuid() == 0; }));
}

TEST_F(Privileges, files_are_given_to_the_owner_of_the_directory) {
  std::ofstream(directory_.file("a")) << "x";
  ASSERT_EQ(::chown(directory_.path().c_str(), somebody, somebody), 0);
  ASSERT_TRUE(give_files_to_owner(directory_.path()).has_value());
  struct stat info {};
  ASSERT_EQ(::stat(directory_.file("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, somebody);
}

}  // namespace
}  // namespace tideline::platform
