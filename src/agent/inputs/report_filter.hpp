// Report by exception: whether a sampled value of one series becomes a reading. Pure; one per series, owned by its input.
//
// The value is compared with the last one reported, not the last one sampled: a slow drift is reported once it has gone far
// enough, and a change held back by min_interval is reported at the next sample if it lasts.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/inputs/input_config.hpp"
#include "base/time.hpp"

namespace tideline::agent {

class ReportFilter {
 public:
  ReportFilter() = default;
  explicit ReportFilter(const ReportPolicy& policy) : policy_(policy) {}

  /// The first value is always reported. Becoming NaN and becoming a number again are changes; staying NaN is none.
  bool should_report(double value, Instant now);
  /// The same for text: any difference is a change, whatever the deadband.
  bool should_report(std::string_view text, Instant now);

 private:
  bool decide(bool is_changed, Instant now);
  ReportPolicy policy_;
  bool has_reported_ = false;
  double last_value_ = 0;
  uint64_t last_text_ = 0;  // hash
  Instant last_time_;
};

}  // namespace tideline::agent
