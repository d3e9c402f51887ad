#include "agent/inputs/sampled_input.hpp"

#include <algorithm>
#include <cstring>

#include "base/limits.hpp"

namespace tideline::agent {

std::string describe_failure(const Error& error) {
  return std::string(error.context) + ": " + (error.native > 0 ? std::strerror(error.native) : error_name(error.code));
}

SampledInput::SampledInput(InputConfig config, const SeriesRules& rules, Log& log) : config_(std::move(config)), rules_(rules), log_(log) {
  status_.name = config_.name;
  status_.type = input_type_name(config_.type);
}

void SampledInput::on_sampled(const SampleResult& result, UtcNanos stamp, Sink& sink) {
  add_channels(result.new_channels);
  is_slow_ = false;
  for (const platform::Sample& sample : result.set.samples) take(sample, result.taken, stamp, sink);
  for (const platform::SampleFailure& failure : result.set.failures) {
    if (failure.channel < channels_.size()) fail(channels_[failure.channel], failure.error);
  }
  judge_source(result.status);
  if (!result.set.samples.empty()) status_.last_success = result.taken;
}

void SampledInput::on_skipped() {
  ++status_.skipped;
  if (!is_slow_) log_warning(log_, "inputs", "input '%s' reads longer than its interval: samples are skipped", config_.name.c_str());
  is_slow_ = true;
}

void SampledInput::add_channels(const std::vector<model::Series>& series) {
  for (const model::Series& found : series) {
    if (channels_.size() >= limits::input_channels) return;
    Channel& channel = channels_.emplace_back();
    channel.series = found;
    if (!shape_series(config_, rules_, channel.series)) channel.place = Place::left_out;
    channel.filter = ReportFilter(rules_.policy(channel.series, config_.report));
  }
}

void SampledInput::take(const platform::Sample& sample, Instant taken, UtcNanos stamp, Sink& sink) {
  if (sample.channel >= channels_.size()) return;
  Channel& channel = channels_[sample.channel];
  if (channel.place == Place::left_out) return;
  const double value = config_.scale == 1 && config_.offset == 0 ? sample.value : sample.value * config_.scale + config_.offset;
  if (channel.place == Place::unresolved && !resolve(channel, sink)) return;
  recover(channel);
  if (!channel.filter.should_report(value, taken)) return;
  if (!sink.has_room()) return sink.declare_lost(channel.handle.stream, 1);
  sink.batch(channel.handle.stream).add_f64(channel.handle.id, {stamp.nanos, model::TimeSource::agent}, value);
  ++status_.readings;
}

bool SampledInput::resolve(Channel& channel, Sink& sink) {
  const Result<SeriesHandle> handle = sink.resolve(channel.series);
  if (!handle) {
    fail(channel, handle.error());
    return false;
  }
  channel.handle = *handle;
  channel.place = Place::resolved;
  return true;
}

void SampledInput::fail(Channel& channel, const Error& error) {
  if (channel.place == Place::left_out) return;
  ++status_.failures;
  const std::string& what = config_.type == InputType::file ? config_.path : channel.series.key();
  status_.last_error = what + ": " + describe_failure(error);
  if (channel.is_failing) return;
  channel.is_failing = true;
  ++failing_channels_;
  log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), status_.last_error.c_str());
}

void SampledInput::recover(Channel& channel) {
  if (!channel.is_failing) return;
  channel.is_failing = false;
  --failing_channels_;
  if (failing_channels_ == 0) status_.last_error.clear();
  log_info(log_, "inputs", "input '%s': %s is back", config_.name.c_str(), channel.series.key().c_str());
}

void SampledInput::judge_source(const Status& status) {
  if (!status) {
    ++status_.failures;
    status_.last_error = describe_failure(status.error());
    const bool is_expected = config_.optional && status.error().code == ErrorCode::not_found;
    if (!is_failing_ && !is_expected) log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), status_.last_error.c_str());
    if (is_expected && !said_none_) log_info(log_, "inputs", "input '%s': %s; the agent goes on looking", config_.name.c_str(), status.error().context);
    said_none_ |= is_expected;
    is_failing_ = is_failing_ || !is_expected;
    return;
  }
  if (is_failing_) log_info(log_, "inputs", "input '%s' is back", config_.name.c_str());
  is_failing_ = false;
  if (failing_channels_ == 0) status_.last_error.clear();
}

}  // namespace tideline::agent
