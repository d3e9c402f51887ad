// One GPIO line: its state as a series of booleans, each edge a reading with the time at which the kernel saw it, or its pulses
// counted. A chip that went away (a USB or I2C expander) is tried again each interval.
//
// Owned by Inputs. Thread: loop. Bounds: the kernel's queue of edges. What it dropped is known by number: it becomes a gap, or is
// counted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/loop_input.hpp"
#include "agent/inputs/report_filter.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/inputs/sink.hpp"
#include "agent/inputs/stamp_clock.hpp"
#include "base/log.hpp"
#include "gpio.hpp"
#include "wrap/uv/fd_poll.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class GpioInput final : public LoopInput, private uv::FdPoll::Listener {
 public:
  /// The references outlive it.
  GpioInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, platform::Gpio& gpio, uv::Loop& loop, Log& log);

  /// Opens the line, or looks at it: an edge that was missed shows.
  void run() override;
  void stop() override;
  const InputStatus& status() const override { return report_; }

 private:
  void on_ready(uv::FdPoll& poll) override;
  void on_poll_failed(uv::FdPoll& poll, Error error) override;
  Status open();
  Status look();
  Status take_edges();
  Status resolve();
  void report_state(bool is_active, Instant at);
  void report_count(Instant at);
  UtcNanos stamp_of(Instant at);
  bool may_add();
  void fail(const Error& error);

  InputConfig config_;
  const SeriesRules& rules_;
  Sink& sink_;
  StampClock& clock_;
  platform::Gpio& gpio_;
  uv::Loop& loop_;
  Log& log_;
  InputStatus report_;
  SeriesHandle handle_;
  ReportFilter filter_;
  std::unique_ptr<platform::GpioLine> line_;
  std::unique_ptr<uv::FdPoll> poll_;     // of line_, when it has edges
  std::vector<platform::GpioEdge> edges_;
  uint32_t last_number_ = 0;             // of the newest edge since the line was opened
  int64_t pulses_ = 0;                   // since the agent started
  bool is_resolved_ = false;
  bool is_left_out_ = false;
  bool is_failing_ = false;
};

}  // namespace tideline::agent
