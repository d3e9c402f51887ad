#include "stderr_log.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/time.hpp"
#include "clock.hpp"

namespace tideline::platform {

StderrLog::StderrLog(LogLevel least) : least_(least), journal_(std::getenv("JOURNAL_STREAM") != nullptr) {}

void StderrLog::write(LogLevel level, std::string_view area, std::string_view text) {
  if (level < least_) return;
  static constexpr const char* priorities[] = {"<7>", "<6>", "<4>", "<3>"};
  static constexpr const char* names[] = {"debug", "info", "warning", "error"};
  const auto index = static_cast<size_t>(level);
  const UtcNanos millis{wall_clock().nanos / 1'000'000 * 1'000'000};
  std::string line = journal_ ? priorities[index] : format_utc(millis) + " " + names[index] + " ";
  line.append(area).append(": ").append(text).append("\n");
  // One write: lines of several threads do not mix. A closed stderr is nobody's problem.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace tideline::platform
