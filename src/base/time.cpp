#include "base/time.hpp"

#include <charconv>

namespace tideline {
namespace {

constexpr int64_t nanos_per_second = 1'000'000'000;

/// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms").
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct Civil {
  int64_t year;
  int64_t month;
  int64_t day;
};

Civil civil_from_days(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

/// Writes `value` as exactly `digits` digits at `to`; returns what is after them.
char* put_digits(char* to, int64_t value, int digits) {
  for (int i = digits; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
  return to + digits;
}

/// A year of four digits; what lies outside of them (nanoseconds reach from 1677 to 2262) cannot come.
char* put_date(char* to, const Civil& date) {
  to = put_digits(to, date.year, 4);
  *to++ = '-';
  to = put_digits(to, date.month, 2);
  *to++ = '-';
  return put_digits(to, date.day, 2);
}

char* put_time_of_day(char* to, int64_t second) {
  to = put_digits(to, second / 3600, 2);
  *to++ = ':';
  to = put_digits(to, second / 60 % 60, 2);
  *to++ = ':';
  return put_digits(to, second % 60, 2);
}

/// ".250": as many of 3, 6 or 9 digits as it takes, none for 0.
char* put_fraction(char* to, int64_t nanos) {
  if (nanos == 0) return to;
  *to++ = '.';
  if (nanos % 1'000'000 == 0) return put_digits(to, nanos / 1'000'000, 3);
  if (nanos % 1000 == 0) return put_digits(to, nanos / 1000, 6);
  return put_digits(to, nanos, 9);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads exactly `digits` digits at `at`.
bool take_number(std::string_view text, size_t at, size_t digits, int64_t& out) {
  if (at + digits > text.size()) return false;
  out = 0;
  for (size_t i = at; i < at + digits; ++i) {
    if (!is_digit(text[i])) return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

/// Reads ".digits" at `at` as nanoseconds (further digits are cut) and moves `at` past them.
bool take_fraction(std::string_view text, size_t& at, int64_t& nanos) {
  nanos = 0;
  if (at >= text.size() || text[at] != '.') return true;
  int64_t unit = nanos_per_second / 10;
  const size_t start = ++at;
  for (; at < text.size() && is_digit(text[at]); ++at, unit /= 10) nanos += (text[at] - '0') * unit;
  return at > start;
}

bool combine(int64_t seconds, int64_t nanos, UtcNanos& out) {
  int64_t product = 0;
  if (__builtin_mul_overflow(seconds, nanos_per_second, &product)) return false;
  return !__builtin_add_overflow(product, nanos, &out.nanos);
}

bool parse_epoch_seconds(std::string_view text, UtcNanos& out) {
  const bool negative = !text.empty() && text[0] == '-';
  size_t at = negative ? 1 : 0;
  const size_t start = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == start || at - start > 12) return false;
  int64_t whole = 0;
  int64_t fraction = 0;
  if (!take_number(text, start, at - start, whole)) return false;
  if (!take_fraction(text, at, fraction) || at != text.size()) return false;
  return negative ? combine(-whole, -fraction, out) : combine(whole, fraction, out);
}

bool parse_offset(std::string_view text, size_t at, int64_t& seconds) {
  if (at >= text.size()) return false;
  if (text[at] == 'Z' || text[at] == 'z') {
    seconds = 0;
    return at + 1 == text.size();
  }
  int64_t hour = 0;
  int64_t minute = 0;
  if ((text[at] != '+' && text[at] != '-') || text.size() != at + 6 || text[at + 3] != ':') return false;
  if (!take_number(text, at + 1, 2, hour) || !take_number(text, at + 4, 2, minute) || hour > 23 || minute > 59) return false;
  seconds = (hour * 60 + minute) * 60 * (text[at] == '-' ? -1 : 1);
  return true;
}

}  // namespace

std::string format_utc(UtcNanos time) {
  int64_t total = time.nanos / nanos_per_second;
  int64_t nanos = time.nanos % nanos_per_second;
  if (nanos < 0) {
    nanos += nanos_per_second;
    --total;
  }
  int64_t days = total / 86400;
  int64_t second = total % 86400;
  if (second < 0) {
    second += 86400;
    --days;
  }
  char text[32];
  char* end = put_date(text, civil_from_days(days));
  *end++ = 'T';
  end = put_fraction(put_time_of_day(end, second), nanos);
  *end++ = 'Z';
  return std::string(text, end);
}

bool parse_utc(std::string_view text, UtcNanos& out) {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return parse_epoch_seconds(text, out);
  if (!take_number(text, 0, 4, year) || !take_number(text, 5, 2, month) || !take_number(text, 8, 2, day)) return false;
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  const Civil normal = civil_from_days(days_from_civil(year, month, day));
  if (normal.day != day) return false;  // 30 February and the like
  int64_t seconds = days_from_civil(year, month, day) * 86400;
  int64_t fraction = 0;
  if (text.size() > 10) {
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t offset = 0;
    if ((text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text.size() < 20 || text[13] != ':' || text[16] != ':') return false;
    if (!take_number(text, 11, 2, hour) || !take_number(text, 14, 2, minute) || !take_number(text, 17, 2, second)) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    size_t at = 19;
    if (!take_fraction(text, at, fraction) || !parse_offset(text, at, offset)) return false;
    seconds += hour * 3600 + minute * 60 + second - offset;
  }
  return combine(seconds, fraction, out);
}

std::string format_duration(Duration duration) {
  // As unsigned, so that the least of all has a size too.
  const bool is_negative = duration.nanos < 0;
  const uint64_t nanos = is_negative ? ~static_cast<uint64_t>(duration.nanos) + 1 : static_cast<uint64_t>(duration.nanos);
  const auto s = static_cast<int64_t>(nanos / nanos_per_second);
  std::string out = is_negative ? "-" : "";
  const auto add = [&out](int64_t value, const char* unit) { (out += std::to_string(value)) += unit; };
  const auto add_two = [&out](int64_t value, char unit) {
    char text[3];
    *put_digits(text, value, 2) = unit;
    out.append(text, sizeof text);
  };
  if (nanos < 1'000'000) {
    add(static_cast<int64_t>((nanos + 500) / 1000), "us");
  } else if (s < 1) {
    add(static_cast<int64_t>((nanos + 500'000) / 1'000'000), "ms");
  } else if (s < 60) {
    const auto tenths = static_cast<int64_t>((nanos + 50'000'000) / 100'000'000);
    add(tenths / 10, ".");
    add(tenths % 10, "s");
  } else if (s < 3600) {
    add(s / 60, "m");
    add_two(s % 60, 's');
  } else if (s < 86400) {
    add(s / 3600, "h");
    add_two(s / 60 % 60, 'm');
  } else {
    add(s / 86400, "d");
    add_two(s / 3600 % 24, 'h');
  }
  return out;
}

bool parse_duration(std::string_view text, Duration& out) {
  size_t at = 0;
  while (at < text.size() && (is_digit(text[at]) || text[at] == '.')) ++at;
  if (at == 0) return false;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + at, number);
  if (error != std::errc{} || end != text.data() + at) return false;
  struct Unit {
    std::string_view name;
    double nanos;
  };
  static constexpr Unit units[] = {{"ns", 1},    {"us", 1e3},     {"ms", 1e6},    {"s", 1e9},
                                   {"m", 60e9},  {"h", 3600e9},   {"d", 86400e9}};
  for (const Unit& unit : units) {
    if (text.substr(at) != unit.name) continue;
    const double nanos = number * unit.nanos;
    if (nanos > 9.2e18) return false;
    out.nanos = static_cast<int64_t>(nanos + 0.5);
    return true;
  }
  return false;
}

}  // namespace tideline
