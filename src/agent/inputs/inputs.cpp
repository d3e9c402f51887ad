#include "agent/inputs/inputs.hpp"

#include <algorithm>

#include "agent/inputs/exec_input.hpp"
#include "agent/inputs/gpio_input.hpp"
#include "agent/inputs/serial_input.hpp"
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
    case InputType::w1: return platform::make_w1_source(root);
    case InputType::power: return platform::make_power_source(root);
    case InputType::gpio:
    case InputType::serial:
    case InputType::exec: break;
  }
  return nullptr;
}

Inputs::Inputs(const std::vector<InputConfig>& configs, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log,
               const std::string& root)
    : sink_(sink), clock_(clock), sampler_(platform::random_u64()), gpio_(platform::make_gpio(root)), timer_(loop, *this), worker_(loop, *this),
      slow_worker_(loop, *this) {
  const Instant now = platform::now();
  for (const InputConfig& config : configs) {
    if (!config.enabled) continue;
    Input& input = inputs_.emplace_back();
    sampler_.add(config.interval, now);
    if (auto source = make_source(config, root)) {
      input.sampled = std::make_unique<SampledInput>(config, rules, log);
      input.worker = config.type == InputType::w1 ? &slow_worker_ : &worker_;
      input.worker->add(std::move(source), inputs_.size() - 1);
    } else {
      input.on_loop = make_loop_input(config, rules, loop, log);
    }
  }
}

std::unique_ptr<LoopInput> Inputs::make_loop_input(const InputConfig& config, const SeriesRules& rules, uv::Loop& loop, Log& log) {
  switch (config.type) {
    case InputType::gpio: return std::make_unique<GpioInput>(config, rules, sink_, clock_, *gpio_, loop, log);
    case InputType::serial: return std::make_unique<SerialInput>(config, rules, sink_, clock_, loop, log);
    default: return std::make_unique<ExecInput>(config, rules, sink_, clock_, loop, log);
  }
}

Inputs::~Inputs() { stop(); }

void Inputs::start() {
  is_running_ = true;
  worker_.start();
  slow_worker_.start();
  set_timer(platform::now());
}

void Inputs::stop() {
  begin_stop();
  worker_.stop();
  slow_worker_.stop();
}

void Inputs::begin_stop() {
  is_running_ = false;
  timer_.stop();
  worker_.begin_stop();
  slow_worker_.begin_stop();
  for (const Input& input : inputs_) {
    if (input.on_loop != nullptr) input.on_loop->stop();
  }
}

void Inputs::on_room() {
  for (const Input& input : inputs_) {
    if (is_running_ && input.on_loop != nullptr) input.on_loop->on_room();
  }
}

std::vector<InputStatus> Inputs::status() const {
  std::vector<InputStatus> all;
  for (const Input& input : inputs_) all.push_back(input.on_loop != nullptr ? input.on_loop->status() : input.sampled->status());
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
  if (input.on_loop != nullptr) return input.on_loop->run();
  if (input.is_under_way) return input.sampled->on_skipped();
  input.is_under_way = true;
  input.worker->request(index);
}

void Inputs::on_sampled(SampleResult result) {
  if (!is_running_) return;
  Input& input = inputs_[result.source];
  input.is_under_way = false;
  const Duration age = platform::now() - result.taken;
  input.sampled->on_sampled(result, clock_.stamp() - age, sink_);
}

void Inputs::set_timer(Instant now) {
  const Instant next = sampler_.next();
  if (next != never) timer_.start(next > now ? next - now : Duration{});
}

}  // namespace tideline::agent
