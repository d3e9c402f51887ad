// A GPIO chip with one line that does as it is told, for tests. Thread: one at a time.
#pragma once

#include "gpio.hpp"

namespace tideline::platform {

class ScriptedGpio final : public Gpio {
 public:
  ScriptedGpio();
  ~ScriptedGpio() override;
  ScriptedGpio(const ScriptedGpio&) = delete;
  ScriptedGpio& operator=(const ScriptedGpio&) = delete;

  /// An edge at `at`; the line has that state afterwards.
  void edge(bool is_active, Instant at);
  /// Edges that the kernel had no room for; the state changes as told.
  void lose_edges(uint32_t count, bool is_active);
  /// The line is gone, and cannot be opened, until plug_in().
  void pull_out();
  void plug_in() { is_there_ = true; }
  void refuse(Error error) { refusal_ = error; }
  void have_no_edges() { has_edges_ = false; }
  /// As it was opened last.
  const GpioSettings& settings() const { return settings_; }

  Result<std::unique_ptr<GpioLine>> open(const GpioSettings& settings) override;

 private:
  friend class ScriptedLine;
  GpioSettings settings_;
  Status refusal_;
  std::vector<GpioEdge> waiting_;
  uint32_t number_ = 0;
  bool is_active_ = false;
  bool is_there_ = true;
  bool has_edges_ = true;
  int pipe_[2] = {-1, -1};  // readable while edges wait
};

}  // namespace tideline::platform
