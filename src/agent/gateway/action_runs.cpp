#include "agent/gateway/action_runs.hpp"

#include <algorithm>
#include <csignal>

#include "base/limits.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

constexpr Duration drain_time = seconds(1);  // for output still in the pipe after the program ended

/// Up to `most` bytes in all.
void append_bounded(std::string& text, std::string_view more, size_t most) { text.append(more.substr(0, most - std::min(most, text.size()))); }

}  // namespace

/// One command under way.
class ActionProcesses::One final : private uv::Process::Listener, private uv::Stream::Listener, private uv::Timer::Listener {
 public:
  One(ActionProcesses& owner, Run run, const RunOrder& order)
      : owner_(owner), run_(run), timeout_(order.timeout), output_bytes_(order.output_bytes), began_(platform::now()), timer_(owner.loop_, *this) {}

  Status start(const RunOrder& order) {
    auto spawned = uv::Process::spawn(owner_.loop_, {order.arguments, order.environment, order.directory}, *this, *this);
    if (!spawned) return spawned.error();
    process_ = std::move(*spawned);
    process_->input().close();
    process_->output().start_reading();
    process_->errors().start_reading();
    timer_.start(timeout_);
    return {};
  }

  void stop() {
    if (is_ending_ || has_exited_) return;
    outcome_.is_stopped = true;
    end();
  }

 private:
  void end() {
    is_ending_ = true;
    process_->signal_group(SIGTERM);
    timer_.start(limits::action_kill_delay);
  }

  void on_read(uv::Stream& stream, Bytes bytes) override {
    if (&stream == &process_->errors()) return append_bounded(outcome_.errors, as_text(bytes), limits::action_error_bytes);
    // Read on beyond the limit: a command that cannot write would not end.
    outcome_.is_cut |= outcome_.output.size() + bytes.size() > output_bytes_;
    append_bounded(outcome_.output, as_text(bytes), output_bytes_);
  }

  void on_end(uv::Stream& stream) override {
    if (process_ == nullptr) return;
    has_output_ended_ |= &stream == &process_->output();
    have_errors_ended_ |= &stream == &process_->errors();
    finish_if_ended();
  }
  void on_failed(uv::Stream& stream, Error) override { on_end(stream); }

  void on_exit(uv::Process& process, int64_t exit_code, int signal) override {
    has_exited_ = true;
    outcome_.exit_code = exit_code;
    outcome_.signal = signal;
    outcome_.took = platform::now() - began_;
    process.signal_group(SIGKILL);  // what it left behind in its group ends too
    timer_.start(drain_time);
    finish_if_ended();
  }

  void on_timer(uv::Timer&) override {
    if (has_exited_) {  // somebody outside the group holds the pipe
      has_output_ended_ = have_errors_ended_ = true;
      return finish_if_ended();
    }
    if (is_ending_) return process_->signal_group(SIGKILL);
    outcome_.is_late = true;
    end();
  }

  void finish_if_ended() {
    if (!has_exited_ || !has_output_ended_ || !have_errors_ended_) return;
    timer_.stop();
    process_->output().close();
    process_->errors().close();
    owner_.loop_.retire(std::move(process_));
    owner_.on_done(run_, outcome_);  // this is retired there
  }

  ActionProcesses& owner_;
  Run run_;
  Duration timeout_;
  size_t output_bytes_;
  Instant began_;
  RunOutcome outcome_;
  uv::Timer timer_;
  std::unique_ptr<uv::Process> process_;
  bool is_ending_ = false;
  bool has_exited_ = false;
  bool has_output_ended_ = false;
  bool have_errors_ended_ = false;
};

ActionProcesses::ActionProcesses(uv::Loop& loop) : loop_(loop), alarm_(loop, *this) {}
ActionProcesses::~ActionProcesses() = default;

Status ActionProcesses::start(Run run, const RunOrder& order) {
  auto one = std::make_unique<One>(*this, run, order);
  RETURN_IF_ERROR(one->start(order));
  runs_.emplace(run, std::move(one));
  return {};
}

void ActionProcesses::stop(Run run) {
  if (const auto found = runs_.find(run); found != runs_.end()) found->second->stop();
}

void ActionProcesses::wake_at(Instant at) {
  if (at == never) return alarm_.stop();
  alarm_.start(std::max(Duration{}, at - platform::now()));
}

void ActionProcesses::close() {
  alarm_.stop();
  runs_.clear();
}

void ActionProcesses::on_done(Run run, const RunOutcome& outcome) {
  auto node = runs_.extract(run);
  // The outcome is a member of the run, which lives until the end of this turn.
  loop_.retire(std::move(node.mapped()));
  listener_->on_run_ended(run, outcome);
}

}  // namespace tideline::agent
