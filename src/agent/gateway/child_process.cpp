#include "agent/gateway/child_process.hpp"

#include <algorithm>
#include <csignal>

#include "agent/gateway/child_environment.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

constexpr Duration drain_time = milliseconds(500);  // for answers still in the pipe after the child ended
constexpr Duration read_window = seconds(1);

}  // namespace

void ChildLog::take(std::string_view bytes, Instant now) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    line_.append(part.substr(0, limits::child_log_line_bytes - std::min(limits::child_log_line_bytes, line_.size())));
    if (end == bytes.npos) return;
    write(line_, now);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void ChildLog::end(Instant now) {
  if (!line_.empty()) write(line_, now);
  line_.clear();
}

void ChildLog::write(std::string_view line, Instant now) {
  if (line.find_first_not_of(" \t\r") == line.npos) return;
  if (now >= window_until_) {
    if (left_out_ > 0) log_info(log_, "child", "%s: %llu more lines left out", name_.c_str(), static_cast<unsigned long long>(left_out_));
    left_out_ = lines_ = 0;
    window_until_ = now + limits::child_log_window;
  }
  if (lines_++ >= limits::child_log_lines) {
    ++left_out_;
    return;
  }
  std::string shown(line);
  std::replace_if(shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  log_info(log_, "child", "%s: %s", name_.c_str(), shown.c_str());
}

ChildProcess::ChildProcess(const ChildConfig& config, uv::Loop& loop, Log& log)
    : config_(config), loop_(loop), child_log_(config.name, log), alarm_(loop, *this), stopping_(loop, *this), window_(loop, *this) {}

ChildProcess::~ChildProcess() = default;

Status ChildProcess::start(ChildPort::Listener& listener) {
  listener_ = &listener;
  uv::ProcessOptions options;
  options.arguments = config_.command;
  options.environment = chosen_environment(server_environment, config_.environment, config_.env);
  options.directory = config_.directory;
  auto spawned = uv::Process::spawn(loop_, options, *this, *this);
  if (!spawned) return spawned.error();
  process_ = std::move(*spawned);
  lines_ = mcp::LineBuffer();
  how_.clear();
  stop_step_ = 0;
  read_bytes_ = 0;
  is_stopping_ = is_held_ = has_exited_ = has_output_ended_ = false;
  process_->output().start_reading();
  process_->errors().start_reading();
  return {};
}

void ChildProcess::send(std::string line) {
  if (process_ == nullptr || is_stopping_ || process_->input().is_closed()) return;
  line.push_back('\n');
  process_->input().write(ByteBuffer(line.begin(), line.end()));
}

size_t ChildProcess::queued_bytes() const {
  return process_ != nullptr && !process_->input().is_closed() ? process_->input().queued_bytes() : 0;
}

void ChildProcess::stop() {
  if (process_ == nullptr || is_stopping_ || has_exited_) return;
  is_stopping_ = true;
  if (!process_->input().is_closed()) process_->input().finish_writing();
  stopping_.start(limits::child_stop_wait);
}

void ChildProcess::wake_at(Instant at) {
  if (at == never) return alarm_.stop();
  alarm_.start(std::max(Duration{}, at - platform::now()));
}

void ChildProcess::on_read(uv::Stream& stream, Bytes bytes) {
  // A child that floods may not keep the loop from others.
  read_bytes_ += bytes.size();
  if (!window_.is_active()) window_.start(read_window);
  if (read_bytes_ >= limits::child_read_bytes && !is_held_) set_held(true);
  if (&stream == &process_->errors()) return child_log_.take(as_text(bytes), platform::now());
  lines_.push(as_text(bytes));
  while (const std::optional<mcp::LineBuffer::Line> line = lines_.next()) {
    if (line->is_too_long) listener_->on_long_line();
    else listener_->on_line(line->text);
  }
}

void ChildProcess::set_held(bool is_held) {
  if (is_held_ == is_held) return;
  is_held_ = is_held;
  for (uv::Stream* stream : {&process_->output(), &process_->errors()}) {
    if (stream->is_closed()) continue;
    if (is_held) stream->stop_reading();
    else stream->start_reading();
  }
}

void ChildProcess::on_end(uv::Stream& stream) {
  if (process_ == nullptr || &stream != &process_->output()) return;
  has_output_ended_ = true;
  if (!has_exited_) stop();  // without output it is of no use
  finish_if_ended();
}

void ChildProcess::on_failed(uv::Stream& stream, Error) {
  if (process_ == nullptr || &stream == &process_->errors()) return;
  if (&stream == &process_->output()) return on_end(stream);
  stop();  // it closed its input
}

/// What it started and left behind in its group ends too, and with it the pipe.
void ChildProcess::on_exit(uv::Process& process, int64_t exit_code, int signal) {
  has_exited_ = true;
  how_ = signal != 0 ? format("signal %d", signal) : format("exit code %lld", static_cast<long long>(exit_code));
  process.signal_group(SIGKILL);
  set_held(false);
  stopping_.start(drain_time);
  finish_if_ended();
}

void ChildProcess::on_timer(uv::Timer& timer) {
  if (&timer == &alarm_) return listener_->on_alarm();
  if (process_ == nullptr) return;
  if (&timer == &window_) {
    read_bytes_ = 0;
    return set_held(false);
  }
  if (has_exited_) {
    has_output_ended_ = true;
    return finish_if_ended();
  }
  process_->signal_group(stop_step_++ == 0 ? SIGTERM : SIGKILL);
  stopping_.start(limits::child_stop_wait);
}

void ChildProcess::finish_if_ended() {
  if (!has_exited_ || !has_output_ended_) return;
  stopping_.stop();
  window_.stop();
  process_->input().close();
  process_->output().close();
  process_->errors().close();
  loop_.retire(std::move(process_));
  child_log_.end(platform::now());
  listener_->on_exit(how_);
}

}  // namespace tideline::agent
