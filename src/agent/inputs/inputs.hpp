// All inputs that the agent itself reads: sampled sensors on a worker thread (a sensor on a slow bus can hold a read for hundreds
// of milliseconds), programs, serial and GPIO lines on the loop. Puts readings into the sink.
//
// Owned by Agent. Thread: loop; two workers of its own, the second for 1-wire, where one sample takes a second for each sensor. Holds nothing durable. Bounds: limits::inputs, limits::input_channels,
// and one sample per input under way.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/input_status.hpp"
#include "agent/inputs/loop_input.hpp"
#include "agent/inputs/sample_worker.hpp"
#include "agent/inputs/sampled_input.hpp"
#include "agent/inputs/sampler.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/inputs/sink.hpp"
#include "agent/inputs/stamp_clock.hpp"
#include "base/log.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class Inputs final : private SampleWorker::Listener, private uv::Timer::Listener {
 public:
  /// The references outlive it. `root` stands before /dev, /proc and /sys: tests give a recorded tree.
  Inputs(const std::vector<InputConfig>& configs, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log,
         const std::string& root = "");
  ~Inputs() override;
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  void start();
  /// No reading afterwards. Waits for a sensor read that is under way.
  void stop();
  /// The same without waiting: once is_finished() it may be destroyed, and nobody waits.
  void begin_stop();
  bool is_finished() const { return worker_.is_finished() && slow_worker_.is_finished(); }
  /// The sink takes readings again.
  void on_room();
  std::vector<InputStatus> status() const;

 private:
  /// One of the two is there; the place in inputs_ is the number in sampler_.
  struct Input {
    std::unique_ptr<SampledInput> sampled;
    SampleWorker* worker = nullptr;  // of sampled
    bool is_under_way = false;
    std::unique_ptr<LoopInput> on_loop;
  };
  void on_sampled(SampleResult result) override;
  void on_timer(uv::Timer& timer) override;
  std::unique_ptr<LoopInput> make_loop_input(const InputConfig& config, const SeriesRules& rules, uv::Loop& loop, Log& log);
  void begin_sample(size_t index);
  void set_timer(Instant now);

  Sink& sink_;
  StampClock& clock_;
  Sampler sampler_;
  std::vector<Input> inputs_;
  std::unique_ptr<platform::Gpio> gpio_;
  uv::Timer timer_;
  SampleWorker worker_;
  SampleWorker slow_worker_;
  bool is_running_ = false;
};

/// The source a configuration names, or nullptr for what lives on the loop. `root` as above.
std::unique_ptr<platform::SensorSource> make_source(const InputConfig& config, const std::string& root);

}  // namespace tideline::agent
