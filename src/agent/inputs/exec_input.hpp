// A program whose output is readings: run once per interval, or kept running. Its lines are Influx line protocol, JSON, a bare
// number, or fit a pattern. Started from an argument list, without a shell, in a process group that is killed as a whole.
//
// Owned by Inputs. Thread: loop. Bounds: the timeout, limits::exec_output_bytes for one run, limits::exec_error_bytes of its
// standard error for the log. While the sink has no room its pipe is not read.
#pragma once

#include <memory>
#include <string>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/line_intake.hpp"
#include "agent/inputs/loop_input.hpp"
#include "base/log.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/process.hpp"

namespace tideline::agent {

class ExecInput final : public LoopInput, private uv::Process::Listener, private uv::Stream::Listener, private uv::Timer::Listener, private LineIntake::Listener {
 public:
  /// The references outlive it.
  ExecInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log);
  ~ExecInput() override;

  /// It is due: starts the program unless it runs.
  void run() override;
  void stop() override;
  void on_room() override;
  const InputStatus& status() const override { return status_; }

 private:
  void on_exit(uv::Process& process, int64_t exit_code, int signal) override;
  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream& stream) override;
  void on_failed(uv::Stream& stream, Error error) override;
  void on_timer(uv::Timer& timer) override;
  void on_bad_line(const char* reason) override;

  void finish_if_ended();
  void finish(const std::string& failure);

  InputConfig config_;
  uv::Loop& loop_;
  Log& log_;
  InputStatus status_;
  LineIntake intake_;
  std::unique_ptr<uv::Process> process_;
  uv::Timer timer_;
  std::string errors_;             // start of its standard error
  std::string failure_;            // of this run, so far
  size_t output_bytes_ = 0;
  bool has_exited_ = false;
  bool has_ended_ = false;         // output
  bool is_failing_ = false;
};

}  // namespace tideline::agent
