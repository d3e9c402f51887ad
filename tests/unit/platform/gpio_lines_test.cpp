// The calls to the GPIO driver, seen from the other side: ioctl(2) of this program is ours below, and answers for the numbers of the
// GPIO interface as a chip of Linux 6.1 does. All others go to the kernel.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/gpio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "clock.hpp"
#include "gpio.hpp"
#include "support/temp_dir.hpp"

namespace {

constexpr unsigned gpio_magic = 0xb4;

struct Chip {
  bool is_there = false;   ///< else the numbers go to the kernel too
  int line_error = 0;      ///< of the request for a line
  int edge_error = 0;      ///< of one that asks for edges
  bool is_active = false;
  gpio_v2_line_request request{};  ///< as it came
  int requests = 0;
  int events = -1;         ///< where the kernel writes edges
};
Chip chip;

int refuse(int error) {
  errno = error;
  return -1;
}

int answer(unsigned long number, void* argument) {
  if (number == GPIO_GET_CHIPINFO_IOCTL) {
    auto& info = *static_cast<gpiochip_info*>(argument);
    std::strcpy(info.name, "gpiochip0");
    std::strcpy(info.label, "pinctrl-bcm2711");
    info.lines = 4;
    return 0;
  }
  if (number == GPIO_V2_GET_LINEINFO_IOCTL) {
    auto& info = *static_cast<gpio_v2_line_info*>(argument);
    static constexpr const char* names[] = {"ID_SDA", "", "GPIO17", "GPIO18"};
    if (info.offset >= 4) return refuse(EINVAL);
    std::strcpy(info.name, names[info.offset]);
    return 0;
  }
  if (number == GPIO_V2_GET_LINE_IOCTL) {
    auto& request = *static_cast<gpio_v2_line_request*>(argument);
    chip.request = request;
    ++chip.requests;
    if (chip.line_error != 0) return refuse(chip.line_error);
    const bool asks_for_edges = (request.config.flags & (GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING)) != 0;
    if (asks_for_edges && chip.edge_error != 0) return refuse(chip.edge_error);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
    request.fd = ends[0];
    chip.events = ends[1];
    return 0;
  }
  if (number == GPIO_V2_LINE_GET_VALUES_IOCTL) {
    auto& values = *static_cast<gpio_v2_line_values*>(argument);
    values.bits = values.mask & (chip.is_active ? 1 : 0);
    return 0;
  }
  return refuse(EINVAL);
}

}  // namespace

extern "C" int ioctl(int descriptor, unsigned long number, ...) noexcept {
  va_list arguments;
  va_start(arguments, number);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (chip.is_there && ((number >> 8) & 0xff) == gpio_magic) return answer(number, argument);
  return static_cast<int>(::syscall(SYS_ioctl, descriptor, number, argument));
}

namespace tideline::platform {
namespace {

class GpioLinesTest : public ::testing::Test {
 protected:
  GpioLinesTest() {
    chip = {};
    chip.is_there = true;
    std::filesystem::create_directories(root.file("dev"));
    std::ofstream(root.file("dev/gpiochip0")) << "";
    gpio = make_gpio(root.path());
  }
  ~GpioLinesTest() override {
    if (chip.events >= 0) ::close(chip.events);
    chip = {};
  }
  Result<std::unique_ptr<GpioLine>> open(GpioSettings settings) { return gpio->open(settings); }
  std::string problem(GpioSettings settings) {
    const auto opened = open(std::move(settings));
    return opened ? "" : opened.error().context;
  }
  static void put_edge(uint32_t id, uint64_t time_ns, uint32_t number) {
    gpio_v2_line_event event{};
    event.timestamp_ns = time_ns;
    event.id = id;
    event.line_seqno = number;
    ASSERT_EQ(::write(chip.events, &event, sizeof event), static_cast<ssize_t>(sizeof event));
  }
  test::TempDir root;
  std::unique_ptr<Gpio> gpio;
};

TEST_F(GpioLinesTest, a_line_is_found_by_number_or_name_on_a_chip_by_name_path_or_label) {
  for (const std::string& name : {std::string("gpiochip0"), root.file("dev/gpiochip0"), std::string("pinctrl-bcm2711")}) {
    ASSERT_TRUE(open({.chip = name, .line = "2"})) << name;
    EXPECT_EQ(chip.request.offsets[0], 2u);
    ::close(chip.events);
  }
  ASSERT_TRUE(open({.chip = "gpiochip0", .line = "GPIO18"}));
  EXPECT_EQ(chip.request.offsets[0], 3u);
  ::close(chip.events);
  ASSERT_TRUE(open({.chip = "", .line = "GPIO17"}));
  EXPECT_EQ(chip.request.offsets[0], 2u);
}

TEST_F(GpioLinesTest, the_request_says_what_was_configured_and_nothing_else) {
  ASSERT_TRUE(open({.chip = "gpiochip0", .line = "2"}));
  EXPECT_EQ(chip.request.num_lines, 1u);
  EXPECT_STREQ(chip.request.consumer, "tideline");
  EXPECT_EQ(chip.request.config.flags, GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING);
  EXPECT_EQ(chip.request.config.num_attrs, 0u);
  for (const uint32_t padding : chip.request.padding) EXPECT_EQ(padding, 0u);  // the kernel refuses others
  for (const uint32_t padding : chip.request.config.padding) EXPECT_EQ(padding, 0u);
  ::close(chip.events);

  ASSERT_TRUE(open({.chip = "gpiochip0", .line = "2", .active_low = true, .rising_only = true, .bias = GpioBias::pull_up, .debounce = milliseconds(20)}));
  EXPECT_EQ(chip.request.config.flags,
            GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_ACTIVE_LOW | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
  ASSERT_EQ(chip.request.config.num_attrs, 1u);
  EXPECT_EQ(chip.request.config.attrs[0].mask, 1u);
  EXPECT_EQ(chip.request.config.attrs[0].attr.id, static_cast<uint32_t>(GPIO_V2_LINE_ATTR_ID_DEBOUNCE));
  EXPECT_EQ(chip.request.config.attrs[0].attr.debounce_period_us, 20'000u);
}

TEST_F(GpioLinesTest, edges_come_with_the_kernels_time_and_number_and_reading_never_waits) {
  auto line = open({.chip = "gpiochip0", .line = "2"});
  ASSERT_TRUE(line);
  std::vector<GpioEdge> edges;
  EXPECT_TRUE((*line)->take_edges(edges));
  EXPECT_TRUE(edges.empty());
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const auto monotonic = static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
  put_edge(GPIO_V2_LINE_EVENT_RISING_EDGE, monotonic - 2'000'000'000, 1);
  for (uint32_t i = 0; i < 40; ++i) put_edge(GPIO_V2_LINE_EVENT_FALLING_EDGE, monotonic, 2 + i);
  ASSERT_TRUE((*line)->take_edges(edges));
  ASSERT_EQ(edges.size(), 41u);
  EXPECT_TRUE(edges[0].is_active);
  EXPECT_FALSE(edges[1].is_active);
  EXPECT_EQ(edges[40].number, 41u);
  EXPECT_NEAR((now() - edges[0].at).seconds(), 2.0, 0.5);
}

TEST_F(GpioLinesTest, the_state_is_read) {
  auto line = open({.chip = "gpiochip0", .line = "2"});
  ASSERT_TRUE(line);
  EXPECT_FALSE(*(*line)->is_active());
  chip.is_active = true;
  EXPECT_TRUE(*(*line)->is_active());
}

TEST_F(GpioLinesTest, a_line_without_interrupt_is_opened_without_edges) {
  chip.edge_error = ENXIO;
  auto line = open({.chip = "gpiochip0", .line = "2", .debounce = milliseconds(5)});
  ASSERT_TRUE(line);
  EXPECT_FALSE((*line)->has_edges());
  EXPECT_EQ(chip.requests, 2);
  EXPECT_EQ(chip.request.config.flags, uint64_t{GPIO_V2_LINE_FLAG_INPUT});
  std::vector<GpioEdge> edges;
  EXPECT_TRUE((*line)->take_edges(edges));
}

TEST_F(GpioLinesTest, what_is_refused_says_why) {
  EXPECT_EQ(problem({.chip = "gpiochip0", .line = "4"}), "the GPIO chip has fewer lines");
  EXPECT_EQ(problem({.chip = "gpiochip0", .line = "GPIO99"}), "no GPIO line of this name");
  EXPECT_EQ(problem({.chip = "", .line = "GPIO99"}), "no GPIO line of this name");
  EXPECT_EQ(problem({.chip = "gpiochip7", .line = "1"}), "open the GPIO chip");
  EXPECT_EQ(problem({.chip = "pinctrl-other", .line = "1"}), "no GPIO chip has this label");
  chip.line_error = EBUSY;
  EXPECT_EQ(problem({.chip = "gpiochip0", .line = "2"}), "in use by another program or driver");
  EXPECT_EQ(chip.requests, 1);
  chip.line_error = EINVAL;
  EXPECT_EQ(problem({.chip = "gpiochip0", .line = "2", .bias = GpioBias::pull_up}), "this line cannot be an input with that bias, debounce or edge");
}

TEST_F(GpioLinesTest, a_file_that_is_no_chip_is_refused_by_the_kernel_itself) {
  chip.is_there = false;  // a real ioctl(2) on a plain file
  const auto opened = open({.chip = "gpiochip0", .line = "2"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_TRUE(opened.error().native == ENOTTY || opened.error().native == ENOSYS);  // the second by qemu-user
  EXPECT_STREQ(opened.error().context, "not a GPIO chip, or a kernel before 5.10");
}

TEST_F(GpioLinesTest, a_board_without_chips_says_so) {
  std::filesystem::remove(root.file("dev/gpiochip0"));
  EXPECT_EQ(problem({.chip = "", .line = "GPIO17"}), "no GPIO chip in /dev");
}

}  // namespace
}  // namespace tideline::platform
