#include "agent/inputs/serial_input.hpp"

#include "agent/inputs/sampled_input.hpp"

namespace tideline::agent {

SerialInput::SerialInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log)
    : config_(std::move(config)), loop_(loop), log_(log), intake_(config_, rules, sink, clock, status_, *this) {
  status_.name = config_.name;
  status_.type = input_type_name(config_.type);
}

void SerialInput::run() {
  if (port_ != nullptr) return;
  if (const Status opened = open(); !opened) fail(opened.error());
}

Status SerialInput::open() {
  ASSIGN_OR_RETURN(port_, platform::SerialPort::open({config_.device, config_.baud, config_.frame, config_.rts_cts}));
  intake_.clear();
  intake_.skip_first_line();
  return watch();
}

Status SerialInput::watch() {
  ASSIGN_OR_RETURN(poll_, uv::FdPoll::open(loop_, *this, port_->descriptor(), uv::FdPoll::Event::readable));
  return {};
}

void SerialInput::stop() {
  poll_.reset();
  port_.reset();
}

void SerialInput::on_room() {
  if (port_ == nullptr || poll_ != nullptr) return;
  intake_.take({});
  if (intake_.has_left()) return;
  if (const Status watched = watch(); !watched) fail(watched.error());
}

void SerialInput::on_ready(uv::FdPoll&) {
  const std::span<uint8_t> buffer = loop_.read_buffer();
  const Result<size_t> got = port_->read(buffer);
  if (!got) return fail(got.error());
  const uint64_t before = status_.readings;
  intake_.take(buffer.first(*got));
  if (intake_.has_left()) poll_.reset();
  if (status_.readings > before && is_failing_ && status_.readings > readings_told_) {
    is_failing_ = false;
    status_.last_error.clear();
    log_info(log_, "inputs", "input '%s' is back", config_.name.c_str());
  }
}

void SerialInput::on_poll_failed(uv::FdPoll&, Error error) { fail({ErrorCode::closed, 0, error.native == 0 ? error.context : "the line hung up"}); }

void SerialInput::on_bad_line(const char* reason) {
  ++status_.failures;
  tell(std::string("line refused: ") + reason);
}

void SerialInput::fail(const Error& error) {
  stop();
  ++status_.failures;
  tell(config_.device + ": " + describe_failure(error));
}

/// Once, until a reading came.
void SerialInput::tell(const std::string& problem) {
  const bool is_news = !is_failing_ || status_.last_error != problem;
  status_.last_error = problem;
  if (is_news) log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), problem.c_str());
  is_failing_ = true;
  readings_told_ = status_.readings;
}

}  // namespace tideline::agent
