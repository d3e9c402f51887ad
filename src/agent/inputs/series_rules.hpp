// The operator's [series."GLOB"] rules and what they make of a series. Pure.
//
// Owned by Agent, shared by all inputs. Bounds: limits::series_rules. Cost: one glob match per rule; done once per series.
#pragma once

#include <vector>

#include "agent/inputs/input_config.hpp"
#include "model/series.hpp"

namespace tideline::agent {

/// Whether the producer of a reading chose its class itself (a tag `class=critical`): then rules leave it alone.
enum class ClassChoice : uint8_t { ours, producers };

class SeriesRules {
 public:
  SeriesRules() = default;
  explicit SeriesRules(std::vector<SeriesRule> rules) : rules_(std::move(rules)) {}

  /// Changes class, kind and unit of `series` as the matching rules say.
  void apply(model::Series& series, ClassChoice choice = ClassChoice::ours) const;
  /// The policy of a sampled series: that of its input, changed by the matching rules.
  ReportPolicy policy(const model::Series& series, ReportPolicy of_input) const;

 private:
  std::vector<SeriesRule> rules_;
};

/// Whether `glob` matches the name or the key of `series`.
bool matches_series(std::string_view glob, const model::Series& series);

/// The series of an input as the operator wants it: labels added, renamed, unit and class set. False when include and exclude
/// leave it out (they see the name before renaming).
bool shape_series(const InputConfig& input, const SeriesRules& rules, model::Series& series);

}  // namespace tideline::agent
