#include "agent/stdio_bridge.hpp"

#include "base/limits.hpp"

namespace tideline::agent {

StdioBridge::~StdioBridge() = default;

StdioBridge::End StdioBridge::run(std::unique_ptr<uv::Stream> stream) {
  auto output = uv::StandardOutput::open(loop_, *this, 1);
  auto input = uv::StandardInput::open(loop_, *this, 0);
  if (!output || !input) return End::stdio_failed;
  output_ = std::move(*output);
  input_ = std::move(*input);
  stream_ = std::move(stream);
  stream_->start_reading();
  input_->start_reading();
  loop_.run();
  input_.reset();
  output_.reset();
  stream_.reset();
  return end_;
}

void StdioBridge::on_read(uv::Stream& stream, Bytes bytes) {
  output_->write(bytes);
  if (output_->queued_bytes() >= limits::send_queue_bytes) stream.stop_reading();
}

void StdioBridge::on_output_drained() {
  if (daemon_ended_) return leave(end_);
  stream_->start_reading();
}

void StdioBridge::on_input(Bytes bytes) {
  stream_->write_copy(bytes);
  if (stream_->queued_bytes() >= limits::send_queue_bytes) input_->stop_reading();
}

void StdioBridge::on_drained(uv::Stream&) {
  if (!input_ended_) input_->start_reading();
}

void StdioBridge::on_input_end() {
  if (input_ended_) return;
  input_ended_ = true;
  end_ = End::application_left;
  stream_->finish_writing();
  deadline_.start(limits::close_deadline);
}

void StdioBridge::daemon_left() {
  daemon_ended_ = true;
  if (!input_ended_) input_->stop_reading();
  if (output_->queued_bytes() == 0) leave(end_);
  else deadline_.start(limits::close_deadline);
}

void StdioBridge::leave(End end) {
  end_ = end;
  loop_.stop();
}

}  // namespace tideline::agent
