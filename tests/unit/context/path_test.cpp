#include "context/path.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tideline::context {
namespace {

TEST(ContextPath, letters_digits_dot_dash_and_underscore_between_slashes_are_a_path) {
  for (const char* path : {"mode", "pump/7/setpoint", "a.b-c_D", "...", "desired", "-"}) EXPECT_STREQ(path_problem(path), "") << path;
}

TEST(ContextPath, what_is_wrong_is_said) {
  EXPECT_STREQ(path_problem(""), "a path is needed, such as pump/7/setpoint");
  for (const char* path : {"/a", "a/", "a//b", "/"}) EXPECT_STREQ(path_problem(path), "a path has no / at its ends and no two together") << path;
  for (const char* path : {".", "a/../b", "a/."}) EXPECT_STREQ(path_problem(path), "a path has no segments . and ..") << path;
  for (const char* path : {"a b", "ä", "a*", "a\n", "a:b"}) EXPECT_STREQ(path_problem(path), "a path consists of A-Z a-z 0-9 . _ - and / between segments") << path;
  EXPECT_FALSE(is_path(std::string_view("a\0b", 3)));
}

TEST(ContextPath, it_has_at_most_256_bytes_and_16_segments) {
  EXPECT_TRUE(is_path(std::string(256, 'a')));
  EXPECT_STREQ(path_problem(std::string(257, 'a')), "a path has at most 256 bytes");
  std::string path = "s";
  for (int i = 1; i < 16; ++i) path += "/s";
  EXPECT_TRUE(is_path(path));
  EXPECT_STREQ(path_problem(path + "/s"), "a path has at most 16 segments");
}

TEST(ContextPath, under_a_prefix_is_decided_by_whole_segments) {
  EXPECT_TRUE(is_under("pump/7", "pump"));
  EXPECT_TRUE(is_under("pump/7", "pump/"));
  EXPECT_TRUE(is_under("pump", "pump"));
  EXPECT_TRUE(is_under("pump", ""));
  EXPECT_FALSE(is_under("pumps/7", "pump"));
  EXPECT_FALSE(is_under("pump", "pump/7"));
}

TEST(ContextPath, desired_is_the_hubs_and_reported_the_devices) {
  EXPECT_EQ(only_writer("desired/mode"), Side::hub);
  EXPECT_EQ(only_writer("desired"), Side::hub);
  EXPECT_EQ(only_writer("reported/mode"), Side::device);
  EXPECT_EQ(only_writer("desiredness"), std::nullopt);
  EXPECT_EQ(only_writer("mode"), std::nullopt);
}

}  // namespace
}  // namespace tideline::context
