// From what a source sampled to readings: series as the operator wants them, scale, report by exception, and a warning once per
// failure. Pure but for the Sink and the Log.
//
// Owned by Inputs. Thread: loop. Bounds: limits::input_channels.
#pragma once

#include <vector>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/input_status.hpp"
#include "agent/inputs/report_filter.hpp"
#include "agent/inputs/sample_worker.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/inputs/sink.hpp"
#include "base/log.hpp"

namespace tideline::agent {

class SampledInput {
 public:
  /// `rules` and `log` outlive it.
  SampledInput(InputConfig config, const SeriesRules& rules, Log& log);

  /// `stamp` is the wall time at which it was taken. Without room in the sink the readings are declared lost.
  void on_sampled(const SampleResult& result, UtcNanos stamp, Sink& sink);
  /// A sample was due while the one before was still under way.
  void on_skipped();
  const InputStatus& status() const { return status_; }

 private:
  enum class Place : uint8_t { unresolved, resolved, left_out };
  struct Channel {
    model::Series series;
    SeriesHandle handle;
    ReportFilter filter;
    Place place = Place::unresolved;
    bool is_failing = false;
  };
  void add_channels(const std::vector<model::Series>& series);
  void take(const platform::Sample& sample, Instant taken, UtcNanos stamp, Sink& sink);
  bool resolve(Channel& channel, Sink& sink);
  void fail(Channel& channel, const Error& error);
  void recover(Channel& channel);
  void judge_source(const Status& status);

  InputConfig config_;
  const SeriesRules& rules_;
  Log& log_;
  InputStatus status_;
  std::vector<Channel> channels_;
  size_t failing_channels_ = 0;
  bool is_failing_ = false;
  bool is_slow_ = false;
  bool said_none_ = false;  // that there is no sensor, which is no problem
};

/// "open: no such file or directory": for logs and status.
std::string describe_failure(const Error& error);

}  // namespace tideline::agent
