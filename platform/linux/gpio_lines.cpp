// GPIO character devices, second version of their interface (linux/gpio.h, Linux 5.10 and later).
#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "clock.hpp"
#include "gpio.hpp"
#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

constexpr uint32_t kernel_queue = 256;   // edges
constexpr size_t edges_at_once = 1024;   // of one call: whoever floods us waits for the next turn

Error to_error(int number, const char* context) {
  switch (number) {
    case ENOENT: case ENODEV: case ENXIO: return {ErrorCode::not_found, number, context};
    case EACCES: case EPERM: return {ErrorCode::denied, number, context};
    case EBUSY: return {ErrorCode::busy, number, "in use by another program or driver"};
    case ENOTTY: case ENOSYS: return {ErrorCode::unsupported, number, "not a GPIO chip, or a kernel before 5.10"};
    case EINVAL: case EOPNOTSUPP: return {ErrorCode::unsupported, number, "this line cannot be an input with that bias, debounce or edge"};
    default: return {ErrorCode::io, number, context};
  }
}

/// One call to the driver: nothing else in this file talks to it but open() and read().
template <class Request>
bool call(int descriptor, unsigned long number, Request& request) {
  int result = 0;
  do {
    result = ::ioctl(descriptor, number, &request);
  } while (result < 0 && errno == EINTR);
  return result >= 0;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

int64_t nanos_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

class Line final : public GpioLine {
 public:
  Line(Descriptor descriptor, bool has_edges) : descriptor_(std::move(descriptor)), has_edges_(has_edges) {}

  Result<bool> is_active() override {
    gpio_v2_line_values values{};
    values.mask = 1;
    if (!call(descriptor_.number(), GPIO_V2_LINE_GET_VALUES_IOCTL, values)) return to_error(errno, "read the line");
    return (values.bits & 1) != 0;
  }

  Status take_edges(std::vector<GpioEdge>& out) override {
    if (!has_edges_) return {};
    gpio_v2_line_event events[16];
    for (size_t taken = 0; taken < edges_at_once;) {
      const ssize_t got = ::read(descriptor_.number(), events, sizeof events);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return {};
      if (got < 0) return to_error(errno, "read edges");
      if (got == 0) return Error{ErrorCode::not_found, ENODEV, "read edges"};
      // The kernel's times do not count suspend, ours do. A line that wakes the machine is a little early then.
      const int64_t suspended = now().nanos - nanos_of(CLOCK_MONOTONIC);
      const size_t count = static_cast<size_t>(got) / sizeof events[0];
      for (size_t i = 0; i < count; ++i) {
        out.push_back({Instant{static_cast<int64_t>(events[i].timestamp_ns) + suspended}, events[i].id == GPIO_V2_LINE_EVENT_RISING_EDGE, events[i].line_seqno});
      }
      taken += count;
    }
    return {};
  }

  bool has_edges() const override { return has_edges_; }
  int descriptor() const override { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
  bool has_edges_;
};

gpio_v2_line_request make_request(const GpioSettings& settings, uint32_t offset, bool with_edges) {
  gpio_v2_line_request request{};
  request.offsets[0] = offset;
  request.num_lines = 1;
  request.event_buffer_size = kernel_queue;
  std::strncpy(request.consumer, "tideline", sizeof request.consumer - 1);
  uint64_t flags = GPIO_V2_LINE_FLAG_INPUT;
  if (settings.active_low) flags |= GPIO_V2_LINE_FLAG_ACTIVE_LOW;
  if (with_edges) flags |= GPIO_V2_LINE_FLAG_EDGE_RISING | (settings.rising_only ? 0ull : uint64_t{GPIO_V2_LINE_FLAG_EDGE_FALLING});
  switch (settings.bias) {
    case GpioBias::as_is: break;
    case GpioBias::disabled: flags |= GPIO_V2_LINE_FLAG_BIAS_DISABLED; break;
    case GpioBias::pull_up: flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_UP; break;
    case GpioBias::pull_down: flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN; break;
  }
  request.config.flags = flags;
  if (settings.debounce.nanos > 0 && with_edges) {
    request.config.num_attrs = 1;
    request.config.attrs[0].mask = 1;
    request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    request.config.attrs[0].attr.debounce_period_us = static_cast<uint32_t>(settings.debounce.nanos / 1000);
  }
  return request;
}

class Chips final : public Gpio {
 public:
  explicit Chips(const std::string& root) : directory_(root + "/dev/") {}

  Result<std::unique_ptr<GpioLine>> open(const GpioSettings& settings) override {
    if (settings.chip.empty()) return open_on_any(settings);
    std::string path = settings.chip;
    if (!path.starts_with('/')) path = path.starts_with("gpiochip") ? directory_ + path : chip_labelled(path);
    if (path.empty()) return Error{ErrorCode::not_found, 0, "no GPIO chip has this label"};
    ASSIGN_OR_RETURN(const Descriptor chip, open_chip(path));
    ASSIGN_OR_RETURN(const uint32_t offset, find_line(chip.number(), settings.line));
    return request_line(chip.number(), settings, offset);
  }

 private:
  static Result<Descriptor> open_chip(const std::string& path) {
    Descriptor chip(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (chip.number() < 0) return to_error(errno, "open the GPIO chip");
    return chip;
  }

  /// A line's name need not be unique; the first chip wins, as with gpiofind.
  Result<std::unique_ptr<GpioLine>> open_on_any(const GpioSettings& settings) {
    Error problem{ErrorCode::not_found, 0, "no GPIO chip in /dev"};
    for (const std::string& name : chip_names()) {
      const Result<Descriptor> chip = open_chip(directory_ + name);
      const Result<uint32_t> offset = chip ? find_line(chip->number(), settings.line) : Result<uint32_t>(chip.error());
      if (offset) return request_line(chip->number(), settings, *offset);
      problem = offset.error();
    }
    return problem;
  }

  std::vector<std::string> chip_names() const {
    std::vector<std::string> names = list_names(directory_);
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("gpiochip"); });
    return names;
  }

  std::string chip_labelled(const std::string& label) const {
    for (const std::string& name : chip_names()) {
      const Result<Descriptor> chip = open_chip(directory_ + name);
      gpiochip_info info{};
      if (chip && call(chip->number(), GPIO_GET_CHIPINFO_IOCTL, info) && label == info.label) return directory_ + name;
    }
    return "";
  }

  static Result<uint32_t> find_line(int chip, const std::string& line) {
    gpiochip_info info{};
    if (!call(chip, GPIO_GET_CHIPINFO_IOCTL, info)) return to_error(errno, "ask the GPIO chip");
    uint32_t offset = 0;
    const char* const end = line.data() + line.size();
    if (const auto [stop, error] = std::from_chars(line.data(), end, offset); error == std::errc{} && stop == end) {
      if (offset < info.lines) return offset;
      return Error{ErrorCode::not_found, 0, "the GPIO chip has fewer lines"};
    }
    for (offset = 0; offset < info.lines; ++offset) {
      gpio_v2_line_info found{};
      found.offset = offset;
      if (!call(chip, GPIO_V2_GET_LINEINFO_IOCTL, found)) return to_error(errno, "ask the GPIO chip for its lines");
      if (line == found.name) return offset;
    }
    return Error{ErrorCode::not_found, 0, "no GPIO line of this name"};
  }

  static Result<std::unique_ptr<GpioLine>> request_line(int chip, const GpioSettings& settings, uint32_t offset) {
    for (const bool with_edges : {true, false}) {
      gpio_v2_line_request request = make_request(settings, offset, with_edges);
      if (call(chip, GPIO_V2_GET_LINE_IOCTL, request)) {
        Descriptor line(request.fd);
        const int flags = ::fcntl(line.number(), F_GETFL);
        (void)::fcntl(line.number(), F_SETFL, flags | O_NONBLOCK);
        return std::unique_ptr<GpioLine>(std::make_unique<Line>(std::move(line), with_edges));
      }
      const bool has_no_interrupt = errno == ENXIO || errno == ENODEV || errno == EOPNOTSUPP;
      if (!with_edges || !has_no_interrupt) return to_error(errno, "ask for the line");
    }
    return Error{ErrorCode::unsupported, 0, "ask for the line"};
  }

  std::string directory_;
};

}  // namespace

std::unique_ptr<Gpio> make_gpio(const std::string& root) { return std::make_unique<Chips>(root); }

}  // namespace tideline::platform
