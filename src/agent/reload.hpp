// The configuration, read again while the agent runs (SIGHUP): inputs and series rules are taken over, everything else needs a
// restart and is named. A file with a mistake changes nothing.
//
// Owned by Agent. Thread: loop; reading one small file blocks it. Nothing durable. Bounds: those of the configuration.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.hpp"
#include "base/log.hpp"

namespace tideline::agent {

/// Reads the configuration as at the start of the process, options of the command line included, under `overlay` (config_overlay.hpp; ""
/// the file alone).
using ConfigLoader = std::function<ConfigResult(std::string_view overlay)>;

/// What differs and is not taken over: "[hub] rate", "[action.restart]". Empty: nothing.
std::vector<std::string> keys_for_restart(const Config& running, const Config& fresh);

class Reload {
 public:
  Reload(ConfigLoader load, Config& running, Log& log) : load_(std::move(load)), running_(running), log_(log) {}

  /// True when inputs and rules of the running configuration were replaced. Says in the log what became of it.
  bool run(std::string_view overlay);
  /// The same with a configuration that was read already.
  bool take(ConfigResult read);
  /// For the status line: why the last reload changed nothing, or which keys wait for a restart; "" when all is in force.
  const std::string& note() const { return note_; }

 private:
  ConfigLoader load_;
  Config& running_;
  Log& log_;
  std::string note_;
};

}  // namespace tideline::agent
