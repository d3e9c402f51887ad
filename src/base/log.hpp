// Where a part reports what people should know. A Log is passed to constructors; there is no global one.
// Nothing logged may hold a secret or a payload (law 12). The implementation on stderr is platform/stderr_log.hpp.
// Any thread may call write(); an implementation writes whole lines.
#pragma once

#include <string>
#include <string_view>

namespace tideline {

enum class LogLevel : unsigned char { debug, info, warning, error };

class Log {
 public:
  virtual ~Log() = default;
  /// `area` is the folder or part that speaks ("outbox", "uplink"). One line, no newline at the end.
  virtual void write(LogLevel level, std::string_view area, std::string_view text) = 0;
};

/// printf-style helpers; the text is cut at 1,023 bytes.
[[gnu::format(printf, 3, 4)]] void log_debug(Log& log, std::string_view area, const char* format, ...);
[[gnu::format(printf, 3, 4)]] void log_info(Log& log, std::string_view area, const char* format, ...);
[[gnu::format(printf, 3, 4)]] void log_warning(Log& log, std::string_view area, const char* format, ...);
[[gnu::format(printf, 3, 4)]] void log_error(Log& log, std::string_view area, const char* format, ...);

/// printf into a std::string, for messages shown to people.
[[gnu::format(printf, 1, 2)]] std::string format(const char* format, ...);

}  // namespace tideline
