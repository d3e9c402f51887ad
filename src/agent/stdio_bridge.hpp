// `tideline mcp` beside a daemon: bytes from standard input to agent.sock and back, as they are.
//
// Owned by the command. Thread: the caller's, which runs the loop. Bounds: one side is not read while the other has
// limits::send_queue_bytes unsent. The end of standard input closes the way in; what the daemon still says is passed on, at most for
// limits::close_deadline.
#pragma once

#include <memory>

#include "wrap/uv/loop.hpp"
#include "wrap/uv/standard_io.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::agent {

class StdioBridge final : public uv::Stream::Listener, private uv::StandardInput::Listener, private uv::StandardOutput::Listener, private uv::Timer::Listener {
 public:
  enum class End : unsigned char { application_left, daemon_left, stdio_failed };

  explicit StdioBridge(uv::Loop& loop) : loop_(loop), deadline_(loop, *this) {}
  ~StdioBridge() override;

  /// `stream` is connected and has this bridge as listener. Returns when either side left.
  End run(std::unique_ptr<uv::Stream> stream);

 private:
  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream&) override { daemon_left(); }
  void on_failed(uv::Stream&, Error) override { daemon_left(); }
  void on_drained(uv::Stream&) override;
  void on_input(Bytes bytes) override;
  void on_input_end() override;
  void on_input_failed(Error) override { on_input_end(); }
  void on_output_drained() override;
  void on_output_failed(Error) override { leave(End::application_left); }
  void on_timer(uv::Timer&) override { leave(end_); }
  void daemon_left();
  void leave(End end);

  uv::Loop& loop_;
  uv::Timer deadline_;
  std::unique_ptr<uv::Stream> stream_;
  std::unique_ptr<uv::StandardInput> input_;
  std::unique_ptr<uv::StandardOutput> output_;
  End end_ = End::daemon_left;
  bool input_ended_ = false;
  bool daemon_ended_ = false;
};

}  // namespace tideline::agent
