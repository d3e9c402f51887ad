#include "agent/reload.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tideline::agent {
namespace {

class KeptLines final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view text) override { lines.emplace_back(text); }
  bool has(std::string_view part) const {
    for (const std::string& line : lines) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }
  std::vector<std::string> lines;
};

Config config_of(std::string_view text) {
  ConfigResult result = parse_config(text, "agent.toml");
  EXPECT_TRUE(result.is_sound()) << result.problems.front();
  return std::move(result.config);
}

class ReloadTest : public testing::Test {
 protected:
  bool reload(std::string text) {
    text_ = std::move(text);
    return reload_.run("");
  }
  std::string text_;
  Config running_ = config_of("[hub]\naddress = \"a:1\"\n");
  KeptLines log_;
  Reload reload_{[this](std::string_view overlay) { return parse_config(text_, "agent.toml", overlay); }, running_, log_};
};

TEST_F(ReloadTest, inputs_and_rules_are_taken_over) {
  EXPECT_TRUE(reload("[hub]\naddress = \"a:1\"\n[input.x]\ntype = \"file\"\npath = \"/x\"\n[series.\"x\"]\nclass = \"critical\"\n"));
  EXPECT_EQ(running_.inputs.back().name, "x");
  EXPECT_EQ(running_.series.size(), 1u);
  EXPECT_EQ(reload_.note(), "");
}

TEST_F(ReloadTest, a_wrong_file_changes_nothing_and_says_so) {
  const size_t inputs = running_.inputs.size();
  EXPECT_FALSE(reload("[input.x]\ntype = \"file\"\npath = \"/x\"\n[input.y]\ntyp = 1\n"));
  EXPECT_EQ(running_.inputs.size(), inputs);
  EXPECT_NE(reload_.note().find("agent.toml:"), std::string::npos) << reload_.note();
  EXPECT_TRUE(log_.has("stays in force"));
  EXPECT_TRUE(reload("[hub]\naddress = \"a:1\"\n"));
  EXPECT_EQ(reload_.note(), "") << "a good file ends the complaint";
}

TEST_F(ReloadTest, keys_that_need_a_restart_are_named_and_left_as_they_run) {
  EXPECT_TRUE(reload("[hub]\naddress = \"b:2\"\n[store]\nnormal_commit = \"1s\"\n[child.c]\ncommand = [\"/bin/c\"]\n"));
  EXPECT_EQ(running_.hub.address, "a:1");
  EXPECT_TRUE(log_.has("[hub] address, [store] normal_commit, [child.c]"));
  EXPECT_NE(reload_.note().find("[store] normal_commit"), std::string::npos);
}

TEST(KeysForRestart, every_changed_section_of_a_kind_is_found) {
  const char* action = "[action.%s]\ndescription = \"does %s\"\ncommand = [\"/bin/true\", \"{x}\"]\n[action.%s.arguments.x]\nmaximum = %s\ntype = \"integer\"\n";
  const auto text = [&](const char* name, const char* does, const char* most) { return format(action, name, does, name, most); };
  const Config running = config_of(text("a", "a", "1") + text("b", "b", "1") + text("c", "c", "1"));
  const Config fresh = config_of(text("a", "a", "1") + text("b", "b", "2") + text("d", "d", "1"));
  const std::vector<std::string> expected = {"[action.b]", "[action.c]", "[action.d]"};
  EXPECT_EQ(keys_for_restart(running, fresh), expected);
  EXPECT_TRUE(keys_for_restart(running, running).empty());
}

}  // namespace
}  // namespace tideline::agent
