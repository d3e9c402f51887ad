// A sensor source that does as it is told, for tests and the simulator. Thread: one at a time, as every source.
#pragma once

#include <string>
#include <vector>

#include "sensors.hpp"

namespace tideline::platform {

class ScriptedSource final : public SensorSource {
 public:
  /// Adds a channel; it fails until it gets a value.
  uint32_t add(model::Series series);
  void set(uint32_t channel, double value);
  void break_channel(uint32_t channel, Error error);
  /// All samples fail until repair().
  void break_source(Error error);
  void repair();

  Status sample(Instant now, SampleSet& out) override;
  const std::vector<model::Series>& channels() const override { return series_; }

 private:
  struct State {
    double value = 0;
    Status status = Error{ErrorCode::not_found, 0, "no value yet"};
  };
  std::vector<model::Series> series_;
  std::vector<State> states_;
  Status source_status_;
};

}  // namespace tideline::platform
