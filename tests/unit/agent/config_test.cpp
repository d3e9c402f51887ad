#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "agent/config.hpp"
#include "support/temp_dir.hpp"
#include "wrap/toml/document.hpp"

namespace tideline::agent {
namespace {

std::string only_problem(std::string_view text) {
  const ConfigResult result = parse_config(text, "agent.toml");
  return result.problems.size() == 1 ? result.problems.front() : "there are " + std::to_string(result.problems.size());
}

const InputConfig& input_called(const Config& config, std::string_view name) {
  const auto found = std::find_if(config.inputs.begin(), config.inputs.end(), [&](const InputConfig& input) { return input.name == name; });
  EXPECT_NE(found, config.inputs.end()) << name;
  return *found;
}

TEST(AgentConfig, nothing_at_all_samples_this_host_without_a_hub) {
  const ConfigResult result = parse_config("", "agent.toml");
  ASSERT_TRUE(result.is_sound());
  EXPECT_EQ(result.config.hub.address, "");
  ASSERT_EQ(result.config.inputs.size(), 3u);
  EXPECT_EQ(result.config.inputs[0].type, InputType::host);
  EXPECT_TRUE(result.config.inputs[1].optional);
}

TEST(AgentConfig, a_whole_file_is_read) {
  const ConfigResult result = parse_config(R"(
[device]
id = "pump-07"
labels = { site = "north" }
[hub]
address = "hub.example:8443"
metered = true
[store]
size = "64 MiB"
history = "8 MiB"
[ingest]
[log]
level = "debug"
[input.host]
interval = "5s"
[input.thermal]
enabled = false
[input.vcgen]
type = "exec"
command = ["/usr/bin/vcgencmd", "measure_volts"]
class = "critical"
deadband = 0.01
[series."temp*"]
class = "bulk"
min_interval = "1m"
)", "agent.toml");
  ASSERT_TRUE(result.is_sound()) << result.problems.front();
  const Config& config = result.config;
  EXPECT_EQ(config.device.labels.front().second, "north");
  EXPECT_TRUE(config.hub.metered);
  EXPECT_EQ(config.store.size, 64u * 1024 * 1024);
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.inputs.size(), 4u);
  EXPECT_EQ(input_called(config, "host").interval, seconds(5));
  EXPECT_FALSE(input_called(config, "host").optional);
  EXPECT_FALSE(input_called(config, "thermal").enabled);
  EXPECT_EQ(input_called(config, "vcgen").stream, model::Stream::critical);
  EXPECT_EQ(input_called(config, "vcgen").report.deadband, 0.01);
  ASSERT_EQ(config.series.size(), 1u);
  EXPECT_EQ(config.series[0].stream, model::Stream::bulk);
  EXPECT_EQ(config.series[0].min_interval, minutes(1));
}

TEST(AgentConfig, a_problem_is_one_line_that_says_where_what_and_how) {
  EXPECT_EQ(only_problem("[input.host]\nintervall = '5s'"), "agent.toml:2: unknown key 'intervall' in [input.host]; did you mean 'interval'?");
  EXPECT_EQ(only_problem("[stroe]\n"), "agent.toml:1: unknown section [stroe]; did you mean 'store'?");
  EXPECT_EQ(only_problem("[input.host]\ninterval = '1ms'"), "agent.toml:2: [input.host] interval: \"1ms\" is out of range: it must be from 10ms to 7d");
  EXPECT_EQ(only_problem("[input.x]\ninterval = '1s'"), "agent.toml:1: [input.x] type: must be given: host, hwmon, thermal, iio, file or exec");
  EXPECT_EQ(only_problem("[input.x]\ntype = 'i2c'"), "agent.toml:2: [input.x] type: expected host, hwmon, thermal, iio, file or exec, found \"i2c\"");
  EXPECT_EQ(only_problem("[input.x]\ntype = 'file'"), "agent.toml:1: [input.x] path: a file input needs the path of its file");
  EXPECT_EQ(only_problem("[hub]\naddress = 'hub'"), "agent.toml:2: [hub] address: expected \"host:port\", found \"hub\"");
  EXPECT_EQ(only_problem("[hub]\naddress = 'hub:0'"), "agent.toml:2: [hub] address: expected \"host:port\", found \"hub:0\"");
  EXPECT_EQ(only_problem("[device]\nid = 'a b'"), "agent.toml:2: [device] id: 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit");
  EXPECT_NE(only_problem("[device]\nid = 'PUMP'"), "");  // the hub would refuse it
  EXPECT_EQ(only_problem("[input.\"a\\nb\"]\ntype = 'hwmon'"), "agent.toml:1: [input.a?b]: series name is not printable UTF-8");
  EXPECT_EQ(only_problem("[input.\"\"]\ntype = 'hwmon'"), "agent.toml:1: [input.]: series name is empty");
  EXPECT_EQ(only_problem("hub = 3"), "agent.toml:1: 'hub' must be a section, [hub], but is 3");
  EXPECT_EQ(only_problem("[store]\nsize = '64 MiB'\nhistory = '65 MiB'"), "agent.toml:3: [store] history: must not be more than size");
  EXPECT_EQ(only_problem("[input.host]\ncollect = ['cpu', 'gpu']"), "agent.toml:2: [input.host] collect: 'gpu' is none of cpu, memory, load, disk, network");
  EXPECT_EQ(only_problem("a = ]"), parse_config("a = ]", "agent.toml").problems.front());
  EXPECT_TRUE(only_problem("a = ]").starts_with("agent.toml:1: "));
}

TEST(AgentConfig, addresses_of_every_family_are_taken) {
  for (const char* address : {"10.0.0.1:8443", "hub:1", "[::1]:8443", "h.example:65535"}) {
    EXPECT_TRUE(parse_config("[hub]\naddress = '" + std::string(address) + "'", "t").is_sound()) << address;
  }
  for (const char* address : {"::1:8443", ":8443", "hub:", "hub:x", "hub:65536"}) {
    EXPECT_FALSE(parse_config("[hub]\naddress = '" + std::string(address) + "'", "t").is_sound()) << address;
  }
}

TEST(AgentConfig, inputs_and_rules_end_at_their_bounds) {
  std::string inputs;
  for (size_t i = 0; i + 3 < limits::inputs; ++i) inputs += "[input.i" + std::to_string(i) + "]\ntype='hwmon'\n";
  EXPECT_TRUE(parse_config(inputs, "t").is_sound());
  EXPECT_FALSE(parse_config(inputs + "[input.more]\ntype='hwmon'\n", "t").is_sound());
  std::string rules;
  for (size_t i = 0; i < limits::series_rules; ++i) rules += "[series.s" + std::to_string(i) + "]\n";
  EXPECT_TRUE(parse_config(rules, "t").is_sound());
  EXPECT_FALSE(parse_config(rules + "[series.more]\n", "t").is_sound());
}

TEST(AgentConfig, a_missing_file_is_the_default_unless_it_was_named) {
  test::TempDir directory;
  const std::string path = directory.path() + "/agent.toml";
  EXPECT_TRUE(load_config(path, ConfigFile::optional).is_sound());
  const ConfigResult named = load_config(path, ConfigFile::required);
  ASSERT_EQ(named.problems.size(), 1u);
  EXPECT_EQ(named.problems.front(), path + ": cannot be read: No such file or directory");
  EXPECT_FALSE(load_config(directory.path(), ConfigFile::optional).is_sound());
  std::ofstream(path) << "[log]\nlevel = 'warning'\n";
  EXPECT_EQ(load_config(path, ConfigFile::required).config.log.level, LogLevel::warning);
}

TEST(AgentConfig, the_printed_documentation_is_a_sound_file_of_defaults) {
  std::string text = config_help();
  const size_t name = text.find("[input.NAME]");
  ASSERT_NE(name, text.npos);
  text.replace(name, 12, "[input.host]");
  const ConfigResult result = parse_config(text, "help");
  EXPECT_TRUE(result.is_sound()) << result.problems.front() << "\n" << text;
  EXPECT_EQ(result.config.store.size, StoreConfig{}.size);
  EXPECT_EQ(result.config.inputs.size(), 3u);
}

constexpr std::string_view pump = R"([action.pump]
description = "Sets the speed of the pump."
command = ["/usr/bin/pump", "{speed}", "--zone={zone}"]
confirm = true
[action.pump.arguments.speed]
type = "integer"
minimum = 0
maximum = 100
default = 50
[action.pump.arguments.zone]
values = ["a", "b"]
required = false
)";

TEST(AgentConfig, an_action_is_read_with_its_arguments) {
  const ConfigResult result = parse_config(pump, "agent.toml");
  ASSERT_TRUE(result.is_sound()) << result.problems.front();
  ASSERT_EQ(result.config.actions.size(), 1u);
  const ActionConfig& action = result.config.actions[0];
  EXPECT_TRUE(action.confirm);
  ASSERT_EQ(action.arguments.size(), 2u);
  EXPECT_EQ(action.arguments[0].fallback, "50");
  EXPECT_TRUE(action.arguments[0].has_fallback);
  EXPECT_EQ(action.arguments[1].values, (std::vector<std::string>{"a", "b"}));
}

TEST(AgentConfig, mistakes_in_actions_are_named) {
  const auto with = [](std::string_view from, std::string_view to) {
    std::string text(pump);
    return only_problem(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_NE(with("default = 50", "default = \"x\"").find("agent.toml:9: [action.pump.arguments.speed] default: expected a value of type integer"), std::string::npos);
  EXPECT_NE(with("default = 50", "default = 101").find("not between"), std::string::npos);
  EXPECT_NE(with("{speed}", "{sped}").find("{sped} is no argument"), std::string::npos);
  EXPECT_NE(with("confirm = true", "confirms = true").find("confirms"), std::string::npos);
  EXPECT_NE(with("description = \"Sets the speed of the pump.\"", "").find("description"), std::string::npos);
  EXPECT_NE(only_problem("[action.\"a b\"]\ndescription = \"d\"\ncommand = [\"x\"]\n").find("name"), std::string::npos);
}

TEST(AgentConfig, a_child_is_named_after_its_section_unless_told_otherwise) {
  const ConfigResult result = parse_config("[child.files]\ncommand = [\"x\"]\nera = \"legacy\"\nenv = { KEY = \"v\" }\n[child.raw]\ncommand = [\"y\"]\nprefix = \"\"\n", "agent.toml");
  ASSERT_TRUE(result.is_sound()) << result.problems.front();
  ASSERT_EQ(result.config.children.size(), 2u);
  EXPECT_EQ(result.config.children[0].prefix, "files");
  EXPECT_EQ(result.config.children[0].era, mcp::EraChoice::legacy);
  EXPECT_EQ(result.config.children[1].prefix, "");
  EXPECT_NE(only_problem("[child.x]\n").find("[child.x] command"), std::string::npos);
  EXPECT_NE(only_problem("[child.\"a.b\"]\ncommand = [\"x\"]\n").find("name"), std::string::npos);
}

}  // namespace
}  // namespace tideline::agent
