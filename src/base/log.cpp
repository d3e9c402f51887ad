#include "base/log.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace tideline {
namespace {

void write_formatted(Log& log, LogLevel level, std::string_view area, const char* format, va_list arguments) {
  char text[1024];
  const int n = std::vsnprintf(text, sizeof text, format, arguments);
  if (n < 0) return;
  log.write(level, area, std::string_view(text, std::min(static_cast<size_t>(n), sizeof text - 1)));
}

}  // namespace

void log_debug(Log& log, std::string_view area, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_formatted(log, LogLevel::debug, area, format, arguments);
  va_end(arguments);
}

void log_info(Log& log, std::string_view area, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_formatted(log, LogLevel::info, area, format, arguments);
  va_end(arguments);
}

void log_warning(Log& log, std::string_view area, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_formatted(log, LogLevel::warning, area, format, arguments);
  va_end(arguments);
}

void log_error(Log& log, std::string_view area, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_formatted(log, LogLevel::error, area, format, arguments);
  va_end(arguments);
}

std::string format(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int n = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(n > 0 ? static_cast<size_t>(n) : 0, '\0');
  if (n > 0) std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

}  // namespace tideline
