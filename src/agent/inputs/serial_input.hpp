// A serial line whose device talks by itself: each line it sends is one or more readings. A line that cannot be opened, or went
// away with its USB adapter, is tried again each interval.
//
// Owned by Inputs. Thread: loop. Bounds: one read of the loop's buffer; while the sink has no room the port is not read, and the
// kernel keeps 4 KiB of it.
#pragma once

#include <memory>
#include <string>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/line_intake.hpp"
#include "agent/inputs/loop_input.hpp"
#include "base/log.hpp"
#include "serial.hpp"
#include "wrap/uv/fd_poll.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class SerialInput final : public LoopInput, private uv::FdPoll::Listener, private LineIntake::Listener {
 public:
  /// The references outlive it.
  SerialInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log);

  void run() override;
  void stop() override;
  void on_room() override;
  const InputStatus& status() const override { return status_; }

 private:
  void on_ready(uv::FdPoll& poll) override;
  void on_poll_failed(uv::FdPoll& poll, Error error) override;
  void on_bad_line(const char* reason) override;
  Status open();
  Status watch();
  void fail(const Error& error);
  void tell(const std::string& problem);

  InputConfig config_;
  uv::Loop& loop_;
  Log& log_;
  InputStatus status_;
  LineIntake intake_;
  std::unique_ptr<platform::SerialPort> port_;
  std::unique_ptr<uv::FdPoll> poll_;  // of port_; none while the sink has no room
  uint64_t readings_told_ = 0;        // when a failure was told last
  bool is_failing_ = false;
};

}  // namespace tideline::agent
