// A child server's process: lines both ways, its standard error in our log, a stop that asks first.
//
// Owned by Children. Thread: loop. Destroying it kills the whole group. Bounds: limits::mcp_line_bytes for a line, limits::child_read_bytes
// read in a second, limits::child_log_lines in a window. What is written waits in memory: the supervisor asks queued_bytes().
#pragma once

#include <memory>
#include <string>

#include "agent/gateway/child_config.hpp"
#include "agent/gateway/child_port.hpp"
#include "base/log.hpp"
#include "mcp/line_buffer.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/process.hpp"

namespace tideline::agent {

/// Puts what a child says on standard error into the log, a bounded number of lines in each window. Pure but for the log.
class ChildLog {
 public:
  ChildLog(std::string name, Log& log) : name_(std::move(name)), log_(log) {}
  void take(std::string_view bytes, Instant now);
  /// The child ended: what is left is a line.
  void end(Instant now);

 private:
  void write(std::string_view line, Instant now);
  std::string name_;
  Log& log_;
  std::string line_;         // unfinished, its beginning
  uint32_t lines_ = 0;       // in this window
  uint64_t left_out_ = 0;
  Instant window_until_{};
};

class ChildProcess final : public ChildPort, private uv::Process::Listener, private uv::Stream::Listener, private uv::Timer::Listener {
 public:
  ChildProcess(const ChildConfig& config, uv::Loop& loop, Log& log);
  ~ChildProcess() override;

  Status start(ChildPort::Listener& listener) override;
  void send(std::string line) override;
  size_t queued_bytes() const override;
  void stop() override;
  int pid() const override { return process_ != nullptr ? process_->pid() : 0; }
  void wake_at(Instant at) override;

 private:
  void on_exit(uv::Process& process, int64_t exit_code, int signal) override;
  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream& stream) override;
  void on_failed(uv::Stream& stream, Error error) override;
  void on_timer(uv::Timer& timer) override;
  void set_held(bool is_held);
  void finish_if_ended();

  const ChildConfig& config_;
  uv::Loop& loop_;
  ChildPort::Listener* listener_ = nullptr;
  ChildLog child_log_;
  std::unique_ptr<uv::Process> process_;
  mcp::LineBuffer lines_;
  uv::Timer alarm_;
  uv::Timer stopping_;      // next step of a stop, and the end of the drain after the exit
  uv::Timer window_;        // of child_read_bytes
  int stop_step_ = 0;       // signals sent
  bool is_stopping_ = false;
  size_t read_bytes_ = 0;   // in this window
  bool is_held_ = false;    // enough was read in this window
  std::string how_;
  bool has_exited_ = false;
  bool has_output_ended_ = false;
};

}  // namespace tideline::agent
