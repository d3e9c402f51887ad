#include "hub/fleet/quiet_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tideline::hub {
namespace {

class Lines : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view text) override { all.emplace_back(text); }
  std::vector<std::string> all;
};

TEST(QuietLog, lines_beyond_the_bound_are_counted_and_told_when_the_window_ends) {
  Lines lines;
  QuietLog log(lines, 2, seconds(10));
  log.on_tick(Instant{} + seconds(1));
  for (int i = 0; i < 5; ++i) log.write(LogLevel::info, "session", "hello");
  EXPECT_EQ(lines.all.size(), 2u);
  log.on_tick(Instant{} + seconds(10));
  EXPECT_EQ(lines.all.size(), 2u) << "the window is not over";
  log.on_tick(Instant{} + seconds(11));
  ASSERT_EQ(lines.all.size(), 3u);
  EXPECT_EQ(lines.all.back(), "3 more lines about devices were left out");
  log.write(LogLevel::info, "session", "again");
  EXPECT_EQ(lines.all.back(), "again");
}

TEST(QuietLog, errors_always_pass) {
  Lines lines;
  QuietLog log(lines, 1, seconds(10));
  for (int i = 0; i < 3; ++i) log.write(LogLevel::error, "hub", "store failed");
  EXPECT_EQ(lines.all.size(), 3u);
}

}  // namespace
}  // namespace tideline::hub
