#include "agent/stdio_stream.hpp"

namespace tideline::agent {

Status StdioStream::open(uv::Loop& loop) {
  ASSIGN_OR_RETURN(output_, uv::StandardOutput::open(loop, *this, 1));
  ASSIGN_OR_RETURN(input_, uv::StandardInput::open(loop, *this, 0));
  input_->start_reading();
  return {};
}

void StdioStream::stop() {
  if (has_ended_) return;
  has_ended_ = true;
  input_->stop_reading();
  session_.on_end();
}

void StdioStream::on_input(Bytes bytes) {
  if (!has_ended_ && !session_.on_bytes(bytes)) input_->stop_reading();
}

void StdioStream::on_output_drained() {
  if (!has_ended_ && session_.go_on()) input_->start_reading();
}

void StdioStream::on_input_end() {
  if (has_ended_) return;
  session_.on_end();
  end();
}

/// The session itself stays until the stream is destroyed: this may run inside one of its events.
void StdioStream::end() {
  if (has_ended_) return;
  has_ended_ = true;
  input_->stop_reading();
  listener_.on_stdio_end();
}

}  // namespace tideline::agent
