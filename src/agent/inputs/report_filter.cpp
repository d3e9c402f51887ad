#include "agent/inputs/report_filter.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tideline::agent {

bool ReportFilter::decide(bool is_changed, Instant now) {
  const Duration age = std::max(now - last_time_, Duration{});  // the kernel's time of an edge may be before that of a look at the line
  const bool is_overdue = policy_.max_interval.nanos > 0 && age >= policy_.max_interval;
  const bool report = !has_reported_ || ((is_changed || !policy_.deadband || is_overdue) && age >= policy_.min_interval);
  if (!report) return false;
  has_reported_ = true;
  last_time_ = now;
  return true;
}

bool ReportFilter::should_report(double value, Instant now) {
  const bool was_nan = std::isnan(last_value_);
  const bool is_nan = std::isnan(value);
  // Equal infinities differ by NaN, hence the comparison first.
  const bool is_changed = was_nan != is_nan || (!is_nan && value != last_value_ && !(std::fabs(value - last_value_) < policy_.deadband.value_or(0)));
  if (!decide(is_changed, now)) return false;
  last_value_ = value;
  return true;
}

bool ReportFilter::should_report(std::string_view text, Instant now) {
  const uint64_t hash = std::hash<std::string_view>{}(text);
  if (!decide(hash != last_text_, now)) return false;
  last_text_ = hash;
  return true;
}

}  // namespace tideline::agent
