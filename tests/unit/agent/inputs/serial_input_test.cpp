#include "agent/inputs/serial_input.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "support/temp_dir.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

/// A USB adapter as the kernel shows it: a device under a stable name, which goes away and comes back as another one.
class Adapter {
 public:
  explicit Adapter(std::string link) : link_(std::move(link)) {}
  ~Adapter() { pull_out(); }
  void plug_in() {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(master_, 0);
    ASSERT_EQ(::grantpt(master_), 0);
    ASSERT_EQ(::unlockpt(master_), 0);
    std::filesystem::create_symlink(::ptsname(master_), link_);
  }
  void pull_out() {
    if (master_ >= 0) ::close(master_);
    master_ = -1;
    std::filesystem::remove(link_);
  }
  void send(std::string_view text) { ASSERT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size())); }

 private:
  std::string link_;
  int master_ = -1;
};

class SerialInputTest : public ::testing::Test {
 protected:
  void begin(InputConfig config = {}) {
    config.name = "scale";
    config.type = InputType::serial;
    config.device = directory.file("ttyUSB");
    config.baud = 115200;
    input = std::make_unique<SerialInput>(config, rules, sink, clock, loop, log);
    input->run();
  }
  template <class Predicate>
  bool run_until(Predicate is_done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      loop.run_once();
    }
    return true;
  }

  uv::Loop loop;
  KeepingSink sink;
  KeepingLog log;
  StillClock clock;
  SeriesRules rules;
  test::TempDir directory;
  Adapter adapter{directory.file("ttyUSB")};
  std::unique_ptr<SerialInput> input;
};

TEST_F(SerialInputTest, lines_are_readings_whatever_ends_them_and_the_first_part_is_not_used) {
  adapter.plug_in();
  begin();
  adapter.send("1.5\n21.5\r\nm v=2\r{\"j\":3}\r\n\n+4.25 \n");
  ASSERT_TRUE(run_until([&] { return sink.size() >= 4; }));
  EXPECT_EQ(sink.lines(), (Lines{"scale=21.5@agent", "m=2@agent", "j=3@agent", "scale=4.25@agent"}));
  EXPECT_EQ(input->status().failures, 0u);
  EXPECT_GT(input->status().last_success, Instant{});
}

TEST_F(SerialInputTest, patterns_give_their_fields) {
  adapter.plug_in();
  InputConfig config;
  config.patterns = {"ST,GS,{value} kg", "T={temperature}C {state:text}", "#{}"};
  config.labels = {{"site", "n"}};
  config.unit = "";
  begin(config);
  adapter.send("\nST,GS,+  12.5 kg\nST,GS,-  3.25 kg\nST,GS,+-1 kg\n# any comment\nT=21.25C all is well\n");
  ASSERT_TRUE(run_until([&] { return sink.size() >= 4; }));
  EXPECT_EQ(sink.lines(), (Lines{"scale{site=n}=12.5@agent", "scale{site=n}=-3.25@agent", "scale.temperature{site=n}=21.25@agent", "scale.state{site=n}='all is well'@agent"}));
  EXPECT_EQ(input->status().failures, 1u);  // "+-1"
}

TEST_F(SerialInputTest, a_line_that_fits_no_pattern_is_told_once_and_the_next_is_taken) {
  adapter.plug_in();
  InputConfig config;
  config.patterns = {"W {value}"};
  begin(config);
  adapter.send("\nnoise\nW x\nnoise\nW 3\n");
  ASSERT_TRUE(run_until([&] { return sink.size() >= 1; }));
  EXPECT_EQ(sink.lines(), (Lines{"scale=3@agent"}));
  EXPECT_EQ(input->status().failures, 3u);
  ASSERT_FALSE(log.lines.empty());
  EXPECT_EQ(log.lines.front(), "warning input 'scale': line refused: line fits none of the patterns");
}

TEST_F(SerialInputTest, an_adapter_that_goes_away_is_told_once_and_read_again_when_it_is_back) {
  begin();
  const std::string device = directory.file("ttyUSB");
  EXPECT_EQ(log.lines, (Lines{"warning input 'scale': " + device + ": open: No such file or directory"}));
  input->run();
  EXPECT_EQ(log.lines.size(), 1u);
  adapter.plug_in();
  input->run();
  adapter.send("\n1\n");
  ASSERT_TRUE(run_until([&] { return sink.size() >= 1; }));
  EXPECT_EQ(log.lines.back(), "info input 'scale' is back");
  adapter.send("2");  // a part of a line that never ends
  adapter.pull_out();
  ASSERT_TRUE(run_until([&] { return !input->status().last_error.empty(); }));
  EXPECT_TRUE(input->status().last_error.starts_with(device + ": the line hung up: ")) << input->status().last_error;
  adapter.plug_in();
  input->run();
  adapter.send("9\n3\n");
  ASSERT_TRUE(run_until([&] { return sink.size() >= 2; }));
  EXPECT_EQ(sink.lines(), (Lines{"scale=1@agent", "scale=3@agent"}));
}

TEST_F(SerialInputTest, a_full_sink_leaves_the_lines_in_the_port) {
  adapter.plug_in();
  begin();
  adapter.send("\n1\n");
  ASSERT_TRUE(run_until([&] { return sink.size() >= 1; }));
  sink.room = 1;
  adapter.send("2\n3\n4\n");
  for (int i = 0; i < 10; ++i) loop.run_once();
  adapter.send("5\n");
  for (int i = 0; i < 10; ++i) loop.run_once();
  EXPECT_EQ(sink.size(), 1u);
  sink.room = 100;
  input->on_room();
  ASSERT_TRUE(run_until([&] { return sink.size() >= 5; }));
  EXPECT_EQ(sink.lines().back(), "scale=5@agent");
  EXPECT_EQ(sink.lost, 0u);
}

TEST_F(SerialInputTest, what_is_no_serial_line_says_so) {
  std::filesystem::create_symlink("/dev/null", directory.file("ttyUSB"));
  begin();
  EXPECT_EQ(input->status().last_error, directory.file("ttyUSB") + ": not a serial line: Inappropriate ioctl for device");
}

}  // namespace
}  // namespace tideline::agent
