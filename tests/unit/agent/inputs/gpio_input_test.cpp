#include "agent/inputs/gpio_input.hpp"

#include <gtest/gtest.h>

#include "clock.hpp"
#include "sim/scripted_gpio.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

class GpioInputTest : public ::testing::Test {
 protected:
  void begin(InputConfig config = {}) {
    config.name = "door";
    config.type = InputType::gpio;
    config.chip = "gpiochip0";
    config.line = "17";
    input = std::make_unique<GpioInput>(config, rules, sink, clock, gpio, loop, log);
    input->run();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) loop.run_once();
  }
  /// Seconds before the clock's time at which the reading was made, rounded.
  int64_t age(size_t index) const {
    return (clock.now.nanos - sink.batches[1].readings().at(index).time_ns + 500'000'000) / 1'000'000'000;
  }

  uv::Loop loop;
  KeepingSink sink;
  KeepingLog log;
  StillClock clock;
  SeriesRules rules;
  platform::ScriptedGpio gpio;
  std::unique_ptr<GpioInput> input;
};

TEST_F(GpioInputTest, the_state_is_told_at_the_start_and_at_each_edge) {
  begin();
  EXPECT_EQ(sink.lines(), (Lines{"gpio.door=false@agent"}));
  EXPECT_EQ(sink.series("gpio.door").kind, model::Kind::state);
  gpio.edge(true, platform::now());
  gpio.edge(false, platform::now());
  turn();
  EXPECT_EQ(sink.lines(), (Lines{"gpio.door=false@agent", "gpio.door=true@agent", "gpio.door=false@agent"}));
  input->run();
  EXPECT_EQ(sink.size(), 3u);  // nothing new
  EXPECT_TRUE(log.lines.empty());
}

TEST_F(GpioInputTest, an_edge_has_the_time_at_which_the_kernel_saw_it) {
  begin();
  gpio.edge(true, platform::now() - seconds(90));
  gpio.edge(false, platform::now() - seconds(30));
  turn();
  ASSERT_EQ(sink.size(), 3u);
  EXPECT_EQ(age(1), 90);
  EXPECT_EQ(age(2), 30);
}

TEST_F(GpioInputTest, an_edge_that_waits_is_told_before_the_state_that_is_read) {
  begin();
  gpio.edge(true, platform::now() - seconds(5));
  input->run();
  ASSERT_EQ(sink.size(), 2u);
  EXPECT_EQ(age(1), 5);
}

TEST_F(GpioInputTest, edges_the_kernel_dropped_are_a_gap_and_the_state_is_right_again) {
  begin();
  gpio.edge(true, platform::now());
  gpio.lose_edges(6, true);
  gpio.edge(false, platform::now());
  gpio.lose_edges(1, true);
  turn();
  EXPECT_EQ(sink.lost, 6u);
  input->run();  // the last one was lost: only a look shows it
  EXPECT_EQ(sink.lines(), (Lines{"gpio.door=false@agent", "gpio.door=true@agent", "gpio.door=false@agent", "gpio.door=true@agent"}));
}

TEST_F(GpioInputTest, without_room_an_edge_is_declared_lost) {
  begin();
  sink.room = 1;
  gpio.edge(true, platform::now());
  turn();
  EXPECT_EQ(sink.size(), 1u);
  EXPECT_EQ(sink.lost, 1u);
}

TEST_F(GpioInputTest, pulses_are_counted_with_those_the_kernel_dropped) {
  InputConfig config;
  config.count = true;
  begin(config);
  EXPECT_TRUE(gpio.settings().rising_only);
  for (int i = 0; i < 4; ++i) {
    gpio.edge(true, platform::now());
    gpio.edge(false, platform::now());
  }
  gpio.lose_edges(5, false);
  gpio.edge(true, platform::now());
  turn();
  EXPECT_EQ(sink.size(), 1u);  // a count is told each interval, not each pulse
  input->run();
  EXPECT_EQ(sink.lines(), (Lines{"gpio.door=0i@agent", "gpio.door=10i@agent"}));
  EXPECT_EQ(sink.series("gpio.door").kind, model::Kind::counter);
}

TEST_F(GpioInputTest, a_chip_that_goes_away_is_told_once_and_found_again) {
  begin();
  gpio.pull_out();
  turn();
  input->run();
  input->run();
  EXPECT_EQ(log.lines, (Lines{"warning input 'door': gpiochip0 line 17: read edges: No such device"}));
  EXPECT_EQ(input->status().last_error, "gpiochip0 line 17: open the GPIO chip: No such file or directory");
  gpio.plug_in();
  input->run();
  EXPECT_EQ(log.lines.back(), "info input 'door' is back");
  gpio.edge(true, platform::now());
  turn();
  EXPECT_EQ(sink.lines().back(), "gpio.door=true@agent");
}

TEST_F(GpioInputTest, pulses_go_on_from_where_they_were_when_the_chip_is_back) {
  InputConfig config;
  config.count = true;
  begin(config);
  gpio.edge(true, platform::now());
  turn();
  gpio.pull_out();
  turn();
  gpio.plug_in();
  input->run();
  gpio.edge(true, platform::now());
  input->run();
  EXPECT_EQ(sink.lines().back(), "gpio.door=2i@agent");
}

TEST_F(GpioInputTest, a_line_without_edges_is_looked_at) {
  gpio.have_no_edges();
  begin();
  EXPECT_EQ(log.lines, (Lines{"warning input 'door': this line tells no edges; it is looked at every 10.0s"}));
  gpio.edge(true, platform::now());
  turn();
  EXPECT_EQ(sink.size(), 1u);
  input->run();
  EXPECT_EQ(sink.lines().back(), "gpio.door=true@agent");
}

TEST_F(GpioInputTest, pulses_of_a_line_without_edges_are_refused) {
  gpio.have_no_edges();
  InputConfig config;
  config.count = true;
  begin(config);
  EXPECT_EQ(log.lines, (Lines{"warning input 'door': gpiochip0 line 17: this line tells no edges, so its pulses cannot be counted: not supported"}));
}

TEST_F(GpioInputTest, a_refused_line_says_why) {
  gpio.refuse({ErrorCode::busy, EBUSY, "in use by another program or driver"});
  begin();
  EXPECT_EQ(log.lines, (Lines{"warning input 'door': gpiochip0 line 17: in use by another program or driver: Device or resource busy"}));
}

TEST_F(GpioInputTest, min_interval_holds_back_a_chattering_line) {
  InputConfig config;
  config.report.min_interval = seconds(1);
  begin(config);
  const Instant start = platform::now() + seconds(10);
  for (int i = 0; i < 100; ++i) gpio.edge(i % 2 == 0, start + milliseconds(i));
  turn();
  EXPECT_EQ(sink.size(), 2u);
  EXPECT_EQ(sink.lost, 0u);
}

}  // namespace
}  // namespace tideline::agent
