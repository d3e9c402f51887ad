// The agent as an AI application's child: one local session on standard input and output. Standard output holds nothing but the protocol.
//
// Owned by Agent, in `tideline mcp` without a daemon. Thread: loop. Bounds: those of LocalSession.
#pragma once

#include <memory>

#include "agent/local_session.hpp"
#include "wrap/uv/standard_io.hpp"

namespace tideline::agent {

class StdioStream final : private uv::StandardInput::Listener, private uv::StandardOutput::Listener, private LocalSession::Wire {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The application is gone, once.
    virtual void on_stdio_end() = 0;
  };
  StdioStream(Gateway& gateway, Control& control, Listener& listener) : listener_(listener), session_(gateway, control, *this) {}

  /// Errors: as of StandardInput::open().
  Status open(uv::Loop& loop);
  /// The agent is stopping: listens get their last message.
  void stop();
  bool has_unsent() const { return output_->queued_bytes() > 0; }

 private:
  void on_input(Bytes bytes) override;
  void on_input_end() override;
  void on_input_failed(Error) override { on_input_end(); }
  void on_output_drained() override;
  void on_output_failed(Error) override { end(); }
  void send(Bytes bytes) override { output_->write(bytes); }
  size_t queued_bytes() const override { return output_->queued_bytes(); }
  void on_overrun() override { end(); }
  void end();

  Listener& listener_;
  std::unique_ptr<uv::StandardInput> input_;
  std::unique_ptr<uv::StandardOutput> output_;
  LocalSession session_;
  bool has_ended_ = false;
};

}  // namespace tideline::agent
