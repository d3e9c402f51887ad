#include "agent/inputs/inputs.hpp"

#include <algorithm>

#include "clock.hpp"

namespace tideline::agent {
namespace {

platform::HostSelection selection_of(const InputConfig& config) {
  const auto has = [&](std::string_view group) { return std::find(config.collect.begin(), config.collect.end(), group) != config.collect.end(); };
  return {has("cpu"), has("memory"), has("load"), has("disk"), has("network"), config.per_core};
}

}  // namespace

std::unique_ptr<platform::SensorSource> make_source(const InputConfig& config, const std::string& root) {
  switch (config.type) {
    case InputType::host: return platform::make_host_source(root, selection_of(config));
    case InputType::hwmon: return platform::make_hwmon_source(root);
    case InputType::thermal: return platform::make_thermal_source(root);
    case InputType::iio: return platform::make_iio_source(root);
    case InputType::file: return platform::make_file_source(config.path, config.series.empty() ? config.name : config.series);
    case InputType::exec: break;
  }
  return nullptr;
}

Inputs::Inputs(const std::vector<InputConfig>& configs, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log,
               const std::string& root)
    : sink_(sink), clock_(clock), sampler_(platform::random_u64()), timer_(loop, *this), worker_(loop, *this) {
  const Instant now = platform::now();
  for (const InputConfig& config : configs) {
    if (!config.enabled) continue;
    Input& input = inputs_.emplace_back();
    sampler_.add(config.interval, now);
    if (auto source = make_source(config, root)) {
      input.sampled = std::make_unique<SampledInput>(config, rules, log);
      input.source = worker_.add(std::move(source));
      input_of_source_.push_back(inputs_.size() - 1);
    } else {
      input.exec = std::make_unique<ExecInput>(config, rules, sink, clock, loop, log);
    }
  }
}

Inputs::~Inputs() { stop(); }

void Inputs::start() {
  is_running_ = true;
  worker_.start();
  set_timer(platform::now());
}

void Inputs::stop() {
  begin_stop();
  worker_.stop();
}

void Inputs::begin_stop() {
  is_running_ = false;
  timer_.stop();
  worker_.begin_stop();
  for (const Input& input : inputs_) {
    if (input.exec != nullptr) input.exec->stop();
  }
}

void Inputs::on_room() {
  for (const Input& input : inputs_) {
    if (is_running_ && input.exec != nullptr) input.exec->on_room();
  }
}

std::vector<InputStatus> Inputs::status() const {
  std::vector<InputStatus> all;
  for (const Input& input : inputs_) all.push_back(input.exec != nullptr ? input.exec->status() : input.sampled->status());
  return all;
}

void Inputs::on_timer(uv::Timer&) {
  const Instant now = platform::now();
  std::vector<size_t> due;
  sampler_.take_due(now, due);
  for (const size_t index : due) begin_sample(index);
  set_timer(now);
}

void Inputs::begin_sample(size_t index) {
  Input& input = inputs_[index];
  if (input.exec != nullptr) return input.exec->run();
  if (input.is_under_way) return input.sampled->on_skipped();
  input.is_under_way = true;
  worker_.request(input.source);
}

void Inputs::on_sampled(SampleResult result) {
  if (!is_running_) return;
  Input& input = inputs_[input_of_source_[result.source]];
  input.is_under_way = false;
  const Duration age = platform::now() - result.taken;
  input.sampled->on_sampled(result, clock_.stamp() - age, sink_);
}

void Inputs::set_timer(Instant now) {
  const Instant next = sampler_.next();
  if (next != never) timer_.start(next > now ? next - now : Duration{});
}

}  // namespace tideline::agent
