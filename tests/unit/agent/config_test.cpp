#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "agent/config.hpp"
#include "agent/link_cost.hpp"
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
  EXPECT_EQ(config.hub.metered, Metered::yes);
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
  EXPECT_EQ(only_problem("[input.x]\ninterval = '1s'"), "agent.toml:1: [input.x] type: must be given: host, hwmon, thermal, iio, w1, power, gpio, serial, file or exec");
  EXPECT_EQ(only_problem("[input.x]\ntype = 'i2c'"), "agent.toml:2: [input.x] type: expected host, hwmon, thermal, iio, w1, power, gpio, serial, file or exec, found \"i2c\"");
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

TEST(AgentConfig, lines_of_a_board_are_read) {
  const ConfigResult result = parse_config(R"([input.door]
type = "gpio"
line = "GPIO17"
active_low = true
bias = "pull-up"
debounce = "20ms"
[input.meter]
type = "gpio"
chip = "gpiochip1"
line = "4"
count = true
[input.scale]
type = "serial"
device = "/dev/ttyUSB0"
baud = 115200
frame = "7E1"
patterns = ["ST,GS,{value} kg"]
[input.w1]
[input.power]
)", "agent.toml");
  ASSERT_TRUE(result.is_sound()) << result.problems.front();
  EXPECT_EQ(input_called(result.config, "door").bias, platform::GpioBias::pull_up);
  EXPECT_EQ(input_called(result.config, "door").debounce, milliseconds(20));
  EXPECT_TRUE(input_called(result.config, "meter").count);
  EXPECT_EQ(input_called(result.config, "scale").baud, 115200);
  EXPECT_EQ(input_called(result.config, "scale").patterns.size(), 1u);
  EXPECT_EQ(input_called(result.config, "w1").type, InputType::w1);
  EXPECT_EQ(input_called(result.config, "power").type, InputType::power);
}

TEST(AgentConfig, mistakes_in_lines_of_a_board_name_the_key) {
  EXPECT_EQ(only_problem("[input.x]\ntype = 'gpio'"), "agent.toml:1: [input.x] line: a gpio input needs its line, such as \"GPIO17\" or, with chip, \"17\"");
  EXPECT_EQ(only_problem("[input.x]\ntype = 'gpio'\nline = '17'"), "agent.toml:1: [input.x] chip: a line given by number needs its chip, such as \"gpiochip0\"");
  EXPECT_EQ(only_problem("[input.gpio]\nline = 'A'\nbias = 'up'"), "agent.toml:3: [input.gpio] bias: expected as-is, disabled, pull-up or pull-down, found \"up\"");
  EXPECT_EQ(only_problem("[input.gpio]\nline = 'A'\ndebounce = '61s'"), "agent.toml:3: [input.gpio] debounce: \"61s\" is out of range: it must be from 0s to 1m");
  EXPECT_EQ(only_problem("[input.gpio]\nline = 'A'\ndebounce = '10ns'"), "agent.toml:3: [input.gpio] debounce: whole microseconds");
  EXPECT_EQ(only_problem("[input.x]\ntype = 'serial'"), "agent.toml:1: [input.x] device: a serial input needs its port, such as \"/dev/ttyUSB0\"");
  EXPECT_EQ(only_problem("[input.serial]\ndevice = '/d'\nbaud = 9601"), "agent.toml:3: [input.serial] baud: 9601 is no usual rate, such as 9600 or 115200");
  EXPECT_EQ(only_problem("[input.serial]\ndevice = '/d'\nbaud = 299"), "agent.toml:3: [input.serial] baud: 299 is out of range: it must be from 300 to 3000000");
  EXPECT_EQ(only_problem("[input.serial]\ndevice = '/d'\nframe = '9N1'"), "agent.toml:3: [input.serial] frame: '9N1' is not 7 or 8, then N, E or O, then 1 or 2, such as 8N1");
  EXPECT_EQ(only_problem("[input.serial]\ndevice = '/d'\npatterns = ['{a}{b}']"), "agent.toml:3: [input.serial] patterns: '{a}{b}': two fields with nothing between them");
}

TEST(AgentConfig, a_link_is_metered_by_its_interface_unless_it_is_told) {
  EXPECT_EQ(parse_config("", "t").config.hub.metered, Metered::automatic);
  EXPECT_EQ(parse_config("[hub]\nmetered = 'auto'\nmetered_interfaces = ['lte*']", "t").config.hub.metered_interfaces, (std::vector<std::string>{"lte*"}));
  EXPECT_EQ(parse_config("[hub]\nmetered = false", "t").config.hub.metered, Metered::no);
  EXPECT_EQ(only_problem("[hub]\nmetered = 'maybe'"), "agent.toml:2: [hub] metered: expected auto, true or false, found \"maybe\"");
  EXPECT_EQ(only_problem("[hub]\nmetered = 1"), "agent.toml:2: [hub] metered: expected auto, true or false, found 1");
  EXPECT_EQ(only_problem("[hub]\nmetered_interfaces = ['']"), "agent.toml:2: [hub] metered_interfaces: a glob must have 1 to 256 bytes");
}

TEST(LinkCost, the_rate_is_that_of_the_interface) {
  LinkCost cost{Metered::automatic, {"wwan*", "ppp*"}, 1000, 10};
  EXPECT_EQ(cost.rate_on("eth0"), 1000u);
  EXPECT_EQ(cost.rate_on(""), 1000u);
  EXPECT_EQ(cost.rate_on("wwan0"), 10u);
  EXPECT_TRUE(cost.is_metered("ppp1"));
  cost.metered_rate = 0;
  EXPECT_EQ(cost.rate_on("wwan0"), 1000u);
  cost.metered = Metered::no;
  EXPECT_FALSE(cost.is_metered("wwan0"));
  cost.metered = Metered::yes;
  EXPECT_TRUE(cost.is_metered("eth0"));
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

TEST(AgentConfig, what_context_may_hold_is_read_in_the_order_of_the_file) {
  const ConfigResult result = parse_config(R"(
[context.entry."pump/*/setpoint"]
type = "number"
minimum = 0
maximum = 10
rule = "hub_wins"
[context.entry.mode]
enum = ["eco", 3, true]
)", "agent.toml");
  ASSERT_TRUE(result.is_sound()) << result.problems.front();
  const auto& list = result.config.context.declarations.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_TRUE(result.config.context.enabled);
  EXPECT_EQ(list[0].pattern, "pump/*/setpoint");
  EXPECT_EQ(list[0].rule, context::Rule::hub_wins);
  EXPECT_EQ(list[0].maximum, 10.0);
  EXPECT_EQ(list[1].allowed, (std::vector<std::string>{"\"eco\"", "3", "true"}));
}

TEST(AgentConfig, mistakes_in_context_name_the_key) {
  EXPECT_NE(only_problem("[context.entry.mode]\nrule = \"mine\"").find("last_writer, device_wins, hub_wins or keep_both"), std::string::npos);
  EXPECT_NE(only_problem("[context.entry.mode]\nminimum = 5\nmaximum = 4").find("must not be less than minimum"), std::string::npos);
  EXPECT_NE(only_problem("[context]\nenable = true").find("enabled"), std::string::npos);
  std::string many;
  for (int i = 0; i < 65; ++i) many += "[context.entry.e" + std::to_string(i) + "]\n";
  EXPECT_NE(only_problem(many).find("more than 64"), std::string::npos);
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
