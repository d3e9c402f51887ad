// Log lines on stderr: under systemd with the priority prefix of sd-daemon(3), else with the time. stdout is never touched.
#pragma once

#include "base/log.hpp"

namespace tideline::platform {

class StderrLog : public Log {
 public:
  /// Lines below `least` are dropped.
  explicit StderrLog(LogLevel least);
  void write(LogLevel level, std::string_view area, std::string_view text) override;

 private:
  LogLevel least_;
  bool journal_;
};

}  // namespace tideline::platform
