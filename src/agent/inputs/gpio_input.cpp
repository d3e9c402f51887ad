#include "agent/inputs/gpio_input.hpp"

#include <algorithm>

#include "agent/inputs/sampled_input.hpp"
#include "clock.hpp"

namespace tideline::agent {

GpioInput::GpioInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, platform::Gpio& gpio, uv::Loop& loop, Log& log)
    : config_(std::move(config)), rules_(rules), sink_(sink), clock_(clock), gpio_(gpio), loop_(loop), log_(log) {
  report_.name = config_.name;
  report_.type = input_type_name(config_.type);
  if (!config_.report.deadband) config_.report.deadband = 0;  // a state is told when it changes
}

void GpioInput::run() {
  const Status done = line_ == nullptr ? open() : look();
  if (!done) return fail(done.error());
  report_.last_success = platform::now();
  if (!is_failing_) return;
  is_failing_ = false;
  report_.last_error.clear();
  log_info(log_, "inputs", "input '%s' is back", config_.name.c_str());
}

void GpioInput::stop() {
  poll_.reset();
  line_.reset();
}

Status GpioInput::open() {
  RETURN_IF_ERROR(resolve());
  platform::GpioSettings settings{config_.chip, config_.line, config_.active_low, config_.count, config_.bias, config_.debounce};
  ASSIGN_OR_RETURN(line_, gpio_.open(settings));
  last_number_ = 0;
  if (line_->has_edges()) {
    ASSIGN_OR_RETURN(poll_, uv::FdPoll::open(loop_, *this, line_->descriptor(), uv::FdPoll::Event::readable));
  } else if (config_.count) {
    return Error{ErrorCode::unsupported, 0, "this line tells no edges, so its pulses cannot be counted"};
  } else {
    log_warning(log_, "inputs", "input '%s': this line tells no edges; it is looked at every %s", config_.name.c_str(), format_duration(config_.interval).c_str());
  }
  return look();
}

Status GpioInput::resolve() {
  if (is_resolved_) return {};
  model::Series series;
  series.name = config_.series.empty() ? "gpio." + config_.name : config_.series;
  series.kind = config_.count ? model::Kind::counter : model::Kind::state;
  is_left_out_ = !shape_series(config_, rules_, series);
  if (!is_left_out_) {
    ASSIGN_OR_RETURN(handle_, sink_.resolve(series));
    filter_ = ReportFilter(rules_.policy(series, config_.report));
  }
  is_resolved_ = true;
  return {};
}

/// Edges first: they are older than what the line says now.
Status GpioInput::look() {
  RETURN_IF_ERROR(take_edges());
  const Instant now = platform::now();
  if (config_.count) {
    report_count(now);
    return {};
  }
  ASSIGN_OR_RETURN(const bool is_active, line_->is_active());
  report_state(is_active, now);
  return {};
}

Status GpioInput::take_edges() {
  edges_.clear();
  RETURN_IF_ERROR(line_->take_edges(edges_));
  for (const platform::GpioEdge& edge : edges_) {
    const uint32_t missed = edge.number - last_number_ - 1;  // wraps as the numbers do
    last_number_ = edge.number;
    if (missed > 0) {
      report_.failures += missed;
      if (!config_.count && !is_left_out_) sink_.declare_lost(handle_.stream, missed);
    }
    pulses_ += int64_t{missed} + 1;
    if (!config_.count) report_state(edge.is_active, edge.at);
  }
  return {};
}

UtcNanos GpioInput::stamp_of(Instant at) { return clock_.stamp() - std::max(platform::now() - at, Duration{}); }

bool GpioInput::may_add() {
  if (sink_.has_room()) return true;
  sink_.declare_lost(handle_.stream, 1);
  return false;
}

void GpioInput::report_state(bool is_active, Instant at) {
  if (is_left_out_ || !filter_.should_report(is_active ? 1.0 : 0.0, at) || !may_add()) return;
  sink_.batch(handle_.stream).add_boolean(handle_.id, {stamp_of(at).nanos, model::TimeSource::agent}, is_active);
  ++report_.readings;
}

void GpioInput::report_count(Instant at) {
  if (is_left_out_ || !filter_.should_report(static_cast<double>(pulses_), at) || !may_add()) return;
  sink_.batch(handle_.stream).add_i64(handle_.id, {stamp_of(at).nanos, model::TimeSource::agent}, pulses_);
  ++report_.readings;
}

void GpioInput::on_ready(uv::FdPoll&) {
  if (const Status taken = take_edges(); !taken) fail(taken.error());
}

void GpioInput::on_poll_failed(uv::FdPoll&, Error) { fail({ErrorCode::not_found, 0, "the GPIO chip went away"}); }

void GpioInput::fail(const Error& error) {
  stop();
  ++report_.failures;
  const std::string where = (config_.chip.empty() ? "" : config_.chip + " ") + "line " + config_.line;
  report_.last_error = where + ": " + describe_failure(error);
  if (!is_failing_) log_warning(log_, "inputs", "input '%s': %s", config_.name.c_str(), report_.last_error.c_str());
  is_failing_ = true;
}

}  // namespace tideline::agent
