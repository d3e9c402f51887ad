#include "agent/inputs/exec_input.hpp"

#include <csignal>
#include <cstdlib>

#include "agent/inputs/sampled_input.hpp"
#include "base/limits.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

constexpr Duration drain_time = seconds(1);  // for output still in the pipe after the program ended

std::vector<std::string> chosen_environment(const std::vector<std::string>& names) {
  std::vector<std::string> environment;
  const auto pass = [&](const std::string& name) {
    if (const char* value = std::getenv(name.c_str())) environment.push_back(name + "=" + value);
  };
  pass("PATH");
  for (const std::string& name : names) {
    if (name != "PATH") pass(name);
  }
  return environment;
}

}  // namespace

ExecInput::ExecInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log)
    : config_(std::move(config)), loop_(loop), log_(log), intake_(config_, rules, sink, clock, status_, *this), timer_(loop, *this) {
  status_.name = config_.name;
  status_.type = input_type_name(config_.type);
}

ExecInput::~ExecInput() { stop(); }

void ExecInput::run() {
  if (process_ != nullptr) {
    if (!config_.keep_running) ++status_.skipped;
    return;
  }
  uv::ProcessOptions options;
  options.arguments = config_.command;
  options.environment = chosen_environment(config_.environment);
  auto spawned = uv::Process::spawn(loop_, options, *this, *this);
  if (!spawned) return finish("cannot start " + config_.command.front() + ": " + error_name(spawned.error().code));
  process_ = std::move(*spawned);
  process_->input().close();
  process_->output().start_reading();
  process_->errors().start_reading();
  if (!config_.keep_running) timer_.start(config_.timeout);
}

void ExecInput::stop() {
  timer_.stop();
  if (process_ == nullptr) return;
  process_->output().close();
  process_->errors().close();
  process_.reset();  // kills the group
}

void ExecInput::on_room() {
  if (process_ == nullptr || !intake_.has_left()) return;
  intake_.take({});
  if (!intake_.has_left() && !has_ended_ && !process_->output().is_closed()) process_->output().start_reading();
  finish_if_ended();
}

void ExecInput::on_read(uv::Stream& stream, Bytes bytes) {
  if (&stream == &process_->errors()) {
    errors_.append(as_text(bytes).substr(0, limits::exec_error_bytes - errors_.size()));
    return;
  }
  output_bytes_ += bytes.size();
  if (!config_.keep_running && output_bytes_ > limits::exec_output_bytes) {
    failure_ = "printed more than 256 KiB";
    stream.stop_reading();
    process_->signal_group(SIGKILL);
    has_ended_ = true;
    intake_.clear();
    return finish_if_ended();
  }
  intake_.take(bytes);
  if (intake_.has_left()) stream.stop_reading();
}

/// The first one of a run is told.
void ExecInput::on_bad_line(const char* reason) {
  ++status_.failures;
  if (!failure_.empty()) return;
  failure_ = std::string("output: ") + reason;
  status_.last_error = failure_;
  if (!is_failing_) log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), failure_.c_str());
  is_failing_ = true;
}

void ExecInput::on_end(uv::Stream& stream) {
  if (process_ == nullptr || &stream != &process_->output()) return;
  has_ended_ = true;
  finish_if_ended();
}

void ExecInput::on_failed(uv::Stream& stream, Error) { on_end(stream); }

/// What it started and left behind in its group would keep the pipe open: that ends too.
void ExecInput::on_exit(uv::Process& process, int64_t exit_code, int signal) {
  has_exited_ = true;
  if (failure_.empty() && signal != 0) failure_ = format("ended by signal %d", signal);
  if (failure_.empty() && (exit_code != 0 || config_.keep_running)) failure_ = format("ended with exit code %lld", static_cast<long long>(exit_code));
  process.signal_group(SIGKILL);
  timer_.start(drain_time);
  finish_if_ended();
}

void ExecInput::on_timer(uv::Timer&) {
  if (process_ == nullptr) return;
  if (has_exited_) {  // somebody else holds the pipe, or there was no room for long
    has_ended_ = true;
    if (!intake_.has_left()) return finish_if_ended();
    timer_.start(drain_time);
    return;
  }
  failure_ = "took longer than " + format_duration(config_.timeout);
  process_->signal_group(SIGKILL);
}

void ExecInput::finish_if_ended() {
  if (!has_exited_ || !has_ended_ || intake_.has_left()) return;
  intake_.finish();
  timer_.stop();
  process_->output().close();
  process_->errors().close();
  loop_.retire(std::move(process_));
  finish(failure_);
}

/// The end of one run, or of the attempt.
void ExecInput::finish(const std::string& failure) {
  const std::string first_line = errors_.substr(0, errors_.find('\n'));
  if (!failure.empty()) {
    if (!failure.starts_with("output: ")) ++status_.failures;
    status_.last_error = failure + (first_line.empty() ? "" : " (" + first_line.substr(0, 200) + ")");
    if (!is_failing_) log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), status_.last_error.c_str());
    is_failing_ = true;
  } else {
    if (is_failing_) log_info(log_, "inputs", "input '%s' is back", config_.name.c_str());
    is_failing_ = false;
    status_.last_error.clear();
  }
  failure_.clear();
  errors_.clear();
  output_bytes_ = 0;
  has_exited_ = false;
  has_ended_ = false;
}

}  // namespace tideline::agent
