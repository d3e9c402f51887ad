// A log that passes on only so many lines in a while and then says how many it left out: a fleet of strangers, or a fleet that
// reconnects at once, must not fill the disk. Thread: loop (it is not locked).
#pragma once

#include <cstdint>

#include "base/log.hpp"
#include "base/time.hpp"

namespace tideline::hub {

class QuietLog final : public Log {
 public:
  /// `to` outlives this. At most `lines` lines in each `window`; errors always pass.
  QuietLog(Log& to, uint32_t lines, Duration window) : to_(to), lines_(lines), window_(window) {}
  void write(LogLevel level, std::string_view area, std::string_view text) override;
  /// Ends the window when it is over. Called by the owner's timer.
  void on_tick(Instant now);

 private:
  Log& to_;
  uint32_t lines_;
  Duration window_;
  Instant window_end_{};
  uint32_t written_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace tideline::hub
