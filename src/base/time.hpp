// The two kinds of time. They do not convert into each other without an anchor (model/anchor.hpp).
//
// UtcNanos:  nanoseconds since 1970-01-01 UTC, may be wrong, may jump. Reading times, certificates, people.
// Instant:   nanoseconds of the monotonic clock of this boot (CLOCK_BOOTTIME). Deadlines, intervals, ages.
// Cores take `Instant now` as an argument; only the composition root reads a clock (platform/clock.hpp).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tideline {

struct Duration {
  int64_t nanos = 0;
  auto operator<=>(const Duration&) const = default;
  constexpr int64_t millis() const { return nanos / 1'000'000; }
  constexpr double seconds() const { return static_cast<double>(nanos) / 1e9; }
};
constexpr Duration nanoseconds(int64_t n) { return {n}; }
constexpr Duration milliseconds(int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(int64_t n) { return {n * 1'000'000'000}; }
constexpr Duration minutes(int64_t n) { return seconds(n * 60); }
constexpr Duration hours(int64_t n) { return minutes(n * 60); }
constexpr Duration operator+(Duration a, Duration b) { return {a.nanos + b.nanos}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.nanos - b.nanos}; }
constexpr Duration operator*(Duration a, int64_t n) { return {a.nanos * n}; }

struct Instant {
  int64_t nanos = 0;
  auto operator<=>(const Instant&) const = default;
};
/// Later than every real instant: "no deadline".
constexpr Instant never{INT64_MAX};
/// Stops at never: no deadline plus a delay is no deadline.
constexpr Instant operator+(Instant a, Duration d) {
  Instant sum;
  return __builtin_add_overflow(a.nanos, d.nanos, &sum.nanos) ? never : sum;
}
constexpr Instant operator-(Instant a, Duration d) { return {a.nanos - d.nanos}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.nanos - b.nanos}; }

struct UtcNanos {
  int64_t nanos = 0;
  auto operator<=>(const UtcNanos&) const = default;
};
constexpr UtcNanos operator+(UtcNanos a, Duration d) { return {a.nanos + d.nanos}; }
constexpr UtcNanos operator-(UtcNanos a, Duration d) { return {a.nanos - d.nanos}; }
constexpr Duration operator-(UtcNanos a, UtcNanos b) { return {a.nanos - b.nanos}; }

/// RFC 3339 with a Z and as many fraction digits as are not zero (0, 3, 6 or 9): 2026-11-21T03:04:05.250Z.
std::string format_utc(UtcNanos time);

/// Parses RFC 3339 (with Z or a numeric offset), a date alone, or decimal seconds since the epoch ("1700000000.5").
/// Returns false and leaves `out` alone when the text is none of these or lies outside years 1678 to 2262.
bool parse_utc(std::string_view text, UtcNanos& out);

/// "350ms", "12.5s", "3m20s", "2h05m", "4d03h": at most two units, for people.
std::string format_duration(Duration duration);

/// Accepts a decimal number with unit ns, us, ms, s, m, h or d ("250ms", "1.5h"). A bare number is refused: the unit is part
/// of the value. Returns false when wrong or beyond 292 years.
bool parse_duration(std::string_view text, Duration& out);

}  // namespace tideline
