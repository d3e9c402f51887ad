#include "agent/inputs/exec_input.hpp"

#include <charconv>
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

std::string_view without_outer_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool read_number(std::string_view line, double& value) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  return error == std::errc{} && end == line.data() + line.size();
}

}  // namespace

ExecInput::ExecInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log)
    : config_(std::move(config)), rules_(rules), sink_(sink), clock_(clock), loop_(loop), log_(log),
      parser_(rules, *this, {Precision::ns, true, &config_}), timer_(loop, *this) {
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
  if (process_ == nullptr || left_.empty()) return;
  take_output({});
  if (left_.empty() && !has_ended_ && !process_->output().is_closed()) process_->output().start_reading();
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
    left_.clear();
    return finish_if_ended();
  }
  take_output(bytes);
  if (!left_.empty()) stream.stop_reading();
}

void ExecInput::take_output(Bytes bytes) {
  if (!left_.empty()) append(left_, bytes);
  Bytes rest = left_.empty() ? bytes : Bytes(left_);
  LineSplitter::Line line;
  while (sink_.has_room() && splitter_.next(rest, line)) {
    if (line.is_too_long) {
      failure_ = "line is longer than 65536 bytes";
    } else {
      take_line(line.text);
    }
  }
  left_ = ByteBuffer(rest.begin(), rest.end());
  pass_on();
}

void ExecInput::take_line(std::string_view text) {
  const std::string_view line = without_outer_space(text);
  if (line.empty() || line.front() == '#') return;
  const UtcNanos now = clock_.stamp();
  double number = 0;
  const char* reason = read_number(line, number) ? take_number(number, now) : parser_.parse(line, now).reason;
  if (reason == nullptr) {
    status_.last_success = platform::now();
    return;
  }
  ++status_.failures;
  if (!failure_.empty()) return;
  failure_ = std::string("output: ") + reason;
  status_.last_error = failure_;
  if (!is_failing_) log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), failure_.c_str());
  is_failing_ = true;
}

const char* ExecInput::take_number(double value, UtcNanos now) {
  model::Series series;
  series.name = config_.series.empty() ? config_.name : config_.series;
  if (!shape_series(config_, rules_, series)) return nullptr;
  const Result<SeriesHandle> handle = resolve(series);
  if (!handle) return handle.error().context;
  batch(handle->stream).add_f64(handle->id, {now.nanos, model::TimeSource::agent}, value);
  return nullptr;
}

Result<SeriesHandle> ExecInput::resolve(const model::Series& series) {
  ASSIGN_OR_RETURN(const SeriesHandle handle, sink_.resolve(series));
  const ReportPolicy policy = rules_.policy(series, config_.report);
  const bool filters = policy.deadband.has_value() || policy.min_interval.nanos > 0;
  if (filters) filters_.try_emplace(handle.id, policy);
  return handle;
}

bool ExecInput::should_pass(const model::Reading& reading, std::string_view text, Instant now) {
  const auto found = filters_.find(reading.series);
  if (found == filters_.end()) return true;
  switch (reading.type) {
    case model::ValueType::f64: return found->second.should_report(reading.f64(), now);
    case model::ValueType::i64: return found->second.should_report(static_cast<double>(reading.i64()), now);
    case model::ValueType::boolean: return found->second.should_report(reading.boolean() ? 1.0 : 0.0, now);
    case model::ValueType::text: break;
  }
  return found->second.should_report(model::ReadingBatch::text_of(reading, text), now);
}

void ExecInput::pass_on() {
  const bool scales = config_.scale != 1 || config_.offset != 0;
  const Instant now = platform::now();
  for (const model::Stream stream : model::streams) {
    model::ReadingBatch& taken = batches_[model::index_of(stream)];
    for (model::Reading reading : taken.readings()) {
      const bool is_number = reading.type == model::ValueType::f64 || reading.type == model::ValueType::i64;
      if (scales && is_number) {
        const double value = reading.type == model::ValueType::f64 ? reading.f64() : static_cast<double>(reading.i64());
        reading.type = model::ValueType::f64;
        reading.bits = std::bit_cast<uint64_t>(value * config_.scale + config_.offset);
      }
      if (!should_pass(reading, taken.text(), now)) continue;
      sink_.batch(stream).add_from(reading, taken.text());
      ++status_.readings;
    }
    taken.clear();
  }
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
    if (left_.empty()) return finish_if_ended();
    timer_.start(drain_time);
    return;
  }
  failure_ = "took longer than " + format_duration(config_.timeout);
  process_->signal_group(SIGKILL);
}

void ExecInput::finish_if_ended() {
  if (!has_exited_ || !has_ended_ || !left_.empty()) return;
  LineSplitter::Line line;
  if (splitter_.finish(line) && !line.is_too_long) take_line(line.text);
  splitter_ = {};
  pass_on();
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
