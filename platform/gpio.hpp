// Input lines of GPIO chips: their state, and edges with the time at which the kernel saw them. One implementation per operating
// system (platform/linux) and one for tests (platform/sim).
//
// Thread: one at a time; nothing here waits. Nothing durable. Bounds: edges that nobody takes are dropped by the kernel, and their
// numbers show how many.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace tideline::platform {

enum class GpioBias : uint8_t { as_is, disabled, pull_up, pull_down };

struct GpioSettings {
  std::string chip;       ///< "gpiochip0", "/dev/gpiochip0" or the chip's label; "" for whichever chip has a line of that name
  std::string line;       ///< its name or its number on the chip
  bool active_low = false;
  bool rising_only = false;  ///< no edges from active to inactive
  GpioBias bias = GpioBias::as_is;
  Duration debounce{};    ///< 0: none
};

struct GpioEdge {
  Instant at;             ///< on the clock of platform::now()
  bool is_active = false; ///< after it
  uint32_t number = 0;    ///< counts the line's edges since it was opened, from 1; wraps
};

class GpioLine {
 public:
  virtual ~GpioLine() = default;
  virtual Result<bool> is_active() = 0;
  /// False: the hardware cannot tell edges, only is_active() is of use.
  virtual bool has_edges() const = 0;
  /// Appends the edges that wait, oldest first, and returns at once.
  virtual Status take_edges(std::vector<GpioEdge>& out) = 0;
  /// Readable while edges wait.
  virtual int descriptor() const = 0;
};

class Gpio {
 public:
  virtual ~Gpio() = default;
  /// Errors: not_found (chip, line), denied, busy (another program has it), unsupported (no GPIO chip, or it cannot do what is
  /// asked), invalid, io.
  virtual Result<std::unique_ptr<GpioLine>> open(const GpioSettings& settings) = 0;
};

/// `root` stands before /dev; "" for the running machine.
std::unique_ptr<Gpio> make_gpio(const std::string& root);

}  // namespace tideline::platform
