#include "agent/config_overlay.hpp"

#include <gtest/gtest.h>

namespace tideline::agent {
namespace {

ConfigResult lay(std::string_view file, std::string_view overlay) { return parse_config(file, "agent.toml", overlay); }

std::string problem_of(std::string_view file, std::string_view overlay) {
  const ConfigResult result = lay(file, overlay);
  return result.problems.empty() ? "none" : result.problems.front();
}

TEST(ConfigOverlay, keys_replace_those_of_the_file_and_the_others_stay) {
  const ConfigResult result = lay("[hub]\naddress = \"a:1\"\nkeepalive = \"20s\"\n", R"({"hub":{"keepalive":"40s"},"device":{"labels":{"site":"north"}}})");
  ASSERT_TRUE(result.is_sound()) << result.problems.front();
  EXPECT_EQ(result.config.hub.address, "a:1");
  EXPECT_EQ(result.config.hub.keepalive, seconds(40));
  EXPECT_EQ(result.config.device.labels.size(), 1u);
}

TEST(ConfigOverlay, null_takes_the_files_value_away) {
  const ConfigResult result = lay("[hub]\naddress = \"a:1\"\nrate = \"1 MiB\"\n", R"({"hub":{"rate":null,"metered_rate":null}})");
  ASSERT_TRUE(result.is_sound());
  EXPECT_EQ(result.config.hub.rate, 0u);
  EXPECT_NE(problem_of("", R"({"input":{"cpu":{"include":[null]}}})"), "none");
}

TEST(ConfigOverlay, it_is_checked_like_the_file) {
  EXPECT_NE(problem_of("", R"({"hub":{"keepalive":"1ms"}})").find("[hub] keepalive"), std::string::npos);
  EXPECT_NE(problem_of("", R"({"hub":{"colour":"red"}})").find("colour"), std::string::npos);
  EXPECT_NE(problem_of("", R"({"hub":{"keepalive":5}})").find("keepalive"), std::string::npos);
  EXPECT_NE(problem_of("", R"([1])").find("JSON object"), std::string::npos);
  EXPECT_NE(problem_of("", R"({"hub":7})").find("hub"), std::string::npos);
}

TEST(ConfigOverlay, what_belongs_to_the_device_alone_is_refused) {
  for (const char* overlay : {R"({"store":{"size":"32 MiB"}})", R"({"remote":{"commands":true}})", R"({"device":{"id":"other"}})"}) {
    EXPECT_NE(problem_of("", overlay).find("on the device alone"), std::string::npos) << overlay;
  }
}

TEST(ConfigOverlay, programs_are_run_only_where_the_file_allows_it) {
  const char* const overlays[] = {R"({"action":{"x":{"description":"d","command":["/bin/true"]}}})", R"({"child":{"x":{"command":["/bin/true"]}}})",
                                  R"({"input":{"x":{"type":"exec","command":["/bin/true"]}}})", R"({"input":{"exec":{"command":["/bin/true"]}}})"};
  for (const char* overlay : overlays) {
    EXPECT_NE(problem_of("", overlay).find("commands = true"), std::string::npos) << overlay;
    EXPECT_EQ(problem_of("[remote]\ncommands = true\n", overlay), "none") << overlay;
  }
  const char* own = "[input.x]\ntype = \"exec\"\ncommand = [\"/bin/true\"]\n";
  EXPECT_NE(problem_of(own, R"({"input":{"x":{"command":["/bin/false"]}}})"), "none");
}

TEST(ConfigOverlay, a_file_that_does_not_want_it_is_left_alone) {
  const ConfigResult result = lay("[remote]\nconfig = false\n", R"({"hub":{"keepalive":"40s"}})");
  ASSERT_TRUE(result.is_sound());
  EXPECT_EQ(result.config.hub.keepalive, limits::ping_interval);
}

}  // namespace
}  // namespace tideline::agent
