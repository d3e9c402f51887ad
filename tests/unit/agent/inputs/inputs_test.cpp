#include <gtest/gtest.h>

#include <algorithm>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "agent/inputs/inputs.hpp"
#include "support/temp_dir.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

class InputsTest : public ::testing::Test {
 protected:
  /// Turns of the loop until `is_done`; false after ten seconds, which only a failure takes.
  template <class Predicate>
  bool run_until(Predicate is_done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      loop.run_once();
    }
    return true;
  }
  void begin(InputConfig config, const std::string& root = "") {
    config.name = "in";
    config.interval = milliseconds(10);
    inputs = std::make_unique<Inputs>(std::vector<InputConfig>{config}, rules, sink, clock, loop, log, root);
    inputs->start();
  }
  static InputConfig program(std::vector<std::string> command) {
    InputConfig config;
    config.type = InputType::exec;
    config.command = std::move(command);
    return config;
  }
  InputStatus status() const { return inputs->status().at(0); }

  uv::Loop loop;
  KeepingSink sink;
  KeepingLog log;
  StillClock clock;
  SeriesRules rules;
  test::TempDir directory;
  std::unique_ptr<Inputs> inputs;
};

TEST_F(InputsTest, a_file_is_sampled_on_the_worker_and_arrives_on_the_loop) {
  std::ofstream(directory.file("level")) << "21.5\n";
  InputConfig config;
  config.type = InputType::file;
  config.path = directory.file("level");
  config.series = "tank.level";
  begin(config);
  ASSERT_TRUE(run_until([&] { return sink.size() >= 2; }));
  EXPECT_EQ(sink.lines().front(), "tank.level=21.5@agent");
  EXPECT_EQ(status().failures, 0u);
}

TEST_F(InputsTest, a_file_that_comes_back_is_read_again) {
  InputConfig config;
  config.type = InputType::file;
  config.path = directory.file("level");
  begin(config);
  ASSERT_TRUE(run_until([&] { return status().failures >= 2; }));
  const std::string warning = "warning input 'in': " + config.path + ": open: No such file or directory";
  EXPECT_EQ(std::count(log.lines.begin(), log.lines.end(), warning), 1);  // not once per sample
  std::ofstream(directory.file("new")) << "1\n";
  std::filesystem::rename(directory.file("new"), directory.file("level"));
  ASSERT_TRUE(run_until([&] { return sink.size() > 0; }));
  EXPECT_EQ(log.lines.back(), "info input 'in': in is back");
}

TEST_F(InputsTest, a_board_without_any_sensor_says_so_and_everything_else_runs) {
  std::filesystem::create_directories(directory.file("proc"));
  std::ofstream(directory.file("proc/loadavg")) << "0.5 0.4 0.3 1/100 1234\n";
  std::vector<InputConfig> configs = default_inputs();
  configs.front().collect = {"load"};
  for (const InputType type : {InputType::iio, InputType::w1, InputType::power, InputType::gpio, InputType::serial}) {
    InputConfig& config = configs.emplace_back();
    config.name = input_type_name(type);
    config.type = type;
    config.line = "GPIO17";
    config.device = directory.file("dev/ttyUSB0");
  }
  for (InputConfig& config : configs) config.interval = milliseconds(20);
  inputs = std::make_unique<Inputs>(configs, rules, sink, clock, loop, log, directory.path());
  inputs->start();
  ASSERT_TRUE(run_until([&] {
    const std::vector<InputStatus> all = inputs->status();
    return sink.size() > 0 && std::all_of(all.begin() + 1, all.end(), [](const InputStatus& one) { return one.failures >= 2; });
  }));
  inputs->stop();
  Lines said = log.lines;
  std::erase_if(said, [](const std::string& line) { return line.ends_with("samples are skipped"); });  // a busy machine
  std::sort(said.begin(), said.end());
  EXPECT_EQ(said, (Lines{"info input 'hwmon': no sensor in /sys/class/hwmon; the agent goes on looking",
                         "info input 'thermal': no thermal zone in /sys/class/thermal; the agent goes on looking",
                         "warning input 'gpio': line GPIO17: no GPIO chip in /dev: not found",
                         "warning input 'iio': no device in /sys/bus/iio/devices: not found",
                         "warning input 'power': no supply in /sys/class/power_supply: not found",
                         "warning input 'serial': " + directory.file("dev/ttyUSB0") + ": open: No such file or directory",
                         "warning input 'w1': no thermometer in /sys/bus/w1/devices: not found"}));
}

TEST_F(InputsTest, nothing_arrives_after_stop) {
  InputConfig config;
  config.type = InputType::thermal;
  begin(config, std::string(TIDELINE_TEST_DATA) + "/golden/sysfs/board");
  ASSERT_TRUE(run_until([&] { return sink.size() > 0; }));
  inputs->stop();
  const size_t before = sink.size();
  for (int i = 0; i < 50; ++i) loop.run_once();
  EXPECT_EQ(sink.size(), before);
}

TEST_F(InputsTest, a_program_prints_lines_json_or_a_bare_number) {
  InputConfig config = program({"/bin/sh", "-c", "echo 'm,a=1 v=2i'; echo '{\"j\":3}'; printf ' 4.5 '"});
  config.labels = {{"site", "n"}};
  begin(config);
  ASSERT_TRUE(run_until([&] { return sink.size() >= 3; }));
  const Lines lines = sink.lines();
  EXPECT_EQ(Lines(lines.begin(), lines.begin() + 3), (Lines{"m{a=1,site=n}=2i@agent", "j{site=n}=3@agent", "in{site=n}=4.5@agent"}));
}

TEST_F(InputsTest, a_program_gets_no_shell_no_environment_and_an_empty_input) {
  begin(program({"/bin/sh", "-c", "cat; printf '{\"n\":\"%s\",\"home\":\"%s\"}' \"$1\" \"$HOME\"", "sh", "$(id); *"}));
  ASSERT_TRUE(run_until([&] { return sink.size() >= 2; }));
  EXPECT_EQ(sink.lines()[0], "n='$(id); *'@agent");
  EXPECT_EQ(sink.lines()[1], "home=''@agent");
}

TEST_F(InputsTest, a_failing_program_is_told_once_with_what_it_said) {
  begin(program({"/bin/sh", "-c", "echo no sensor >&2; exit 3"}));
  ASSERT_TRUE(run_until([&] { return status().failures >= 3; }));
  EXPECT_EQ(log.lines, (Lines{"warning input 'in': ended with exit code 3 (no sensor)"}));
  EXPECT_EQ(status().last_error, "ended with exit code 3 (no sensor)");
}

TEST_F(InputsTest, a_program_that_does_not_exist_is_told_once) {
  begin(program({"/nonexistent/program"}));
  ASSERT_TRUE(run_until([&] { return status().failures >= 2; }));
  EXPECT_EQ(log.lines, (Lines{"warning input 'in': cannot start /nonexistent/program: not found"}));
}

TEST_F(InputsTest, a_program_beyond_its_time_is_killed_with_its_children) {
  InputConfig config = program({"/bin/sh", "-c", "echo 1; sleep 1000 & sleep 1000"});
  config.timeout = milliseconds(100);
  begin(config);
  ASSERT_TRUE(run_until([&] { return status().failures >= 1; }));
  EXPECT_EQ(status().last_error, "took longer than 100ms");
  EXPECT_GE(sink.size(), 1u);
}

TEST_F(InputsTest, a_program_that_prints_too_much_is_killed) {
  begin(program({"/bin/sh", "-c", "while :; do echo m v=1; done"}));
  ASSERT_TRUE(run_until([&] { return status().failures >= 1; }));
  EXPECT_EQ(status().last_error, "printed more than 256 KiB");
}

TEST_F(InputsTest, a_program_that_keeps_running_is_read_and_started_again_when_it_ends) {
  InputConfig config = program({"/bin/sh", "-c", "echo 1; echo 2; exit 0"});
  config.keep_running = true;
  begin(config);
  ASSERT_TRUE(run_until([&] { return sink.size() >= 4; }));
  EXPECT_EQ(log.lines, (Lines{"warning input 'in': ended with exit code 0"}));
}

TEST_F(InputsTest, a_full_sink_makes_a_program_wait_and_loses_nothing) {
  sink.room = 10;
  InputConfig config = program({"/bin/sh", "-c", "i=0; while [ $i -lt 500 ]; do echo m v=$i; i=$((i+1)); done; sleep 1000"});
  config.keep_running = true;
  begin(config);
  ASSERT_TRUE(run_until([&] {
    if (!sink.has_room()) sink.room += 50;
    inputs->on_room();
    return sink.size() >= 500;
  }));
  EXPECT_EQ(sink.lines().back(), "m=499@agent");
  EXPECT_EQ(sink.lost, 0u);
}

TEST_F(InputsTest, output_of_a_program_is_scaled_and_filtered) {
  InputConfig config = program({"/bin/sh", "-c", "echo 10; echo 10.2; echo 12; echo t v=5i"});
  config.keep_running = true;
  config.scale = 2;
  config.report.deadband = 1;
  begin(config);
  ASSERT_TRUE(run_until([&] { return sink.size() >= 3; }));
  const Lines lines = sink.lines();
  EXPECT_EQ(Lines(lines.begin(), lines.begin() + 3), (Lines{"in=20@agent", "in=24@agent", "t=10@agent"}));
}

TEST_F(InputsTest, a_wrong_line_is_told_once_a_run_and_the_others_are_kept) {
  InputConfig config = program({"/bin/sh", "-c", "echo broken; echo m v=1; echo broken; sleep 1000"});
  config.keep_running = true;
  begin(config);
  ASSERT_TRUE(run_until([&] { return status().failures >= 2; }));
  EXPECT_EQ(sink.lines(), (Lines{"m=1@agent"}));
  EXPECT_EQ(log.lines, (Lines{"warning input 'in': output: line has no field"}));
}

}  // namespace
}  // namespace tideline::agent
