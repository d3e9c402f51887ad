#include "hub/fleet/quiet_log.hpp"

#include <cinttypes>

namespace tideline::hub {

void QuietLog::write(LogLevel level, std::string_view area, std::string_view text) {
  if (level >= LogLevel::error) return to_.write(level, area, text);
  if (written_ == lines_) {
    ++left_out_;
    return;
  }
  ++written_;
  to_.write(level, area, text);
}

void QuietLog::on_tick(Instant now) {
  if (now < window_end_) return;
  if (left_out_ > 0) log_warning(to_, "hub", "%" PRIu64 " more lines about devices were left out", left_out_);
  window_end_ = now + window_;
  written_ = 0;
  left_out_ = 0;
}

}  // namespace tideline::hub
