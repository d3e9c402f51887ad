#include "agent/inputs/series_rules.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace tideline::agent {
namespace {

bool matches_any(const std::vector<std::string>& globs, const model::Series& series) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return matches_series(glob, series); });
}

/// Keeps labels sorted; the input's own label of that name is replaced.
void set_label(model::Series& series, const std::string& name, const std::string& value) {
  auto place = std::lower_bound(series.labels.begin(), series.labels.end(), name, [](const auto& label, const std::string& key) { return label.first < key; });
  if (place != series.labels.end() && place->first == name) {
    place->second = value;
  } else {
    series.labels.insert(place, {name, value});
  }
}

}  // namespace

bool matches_series(std::string_view glob, const model::Series& series) {
  return matches_glob(glob, series.name) || (!series.labels.empty() && matches_glob(glob, series.key()));
}

void SeriesRules::apply(model::Series& series, ClassChoice choice) const {
  for (const SeriesRule& rule : rules_) {
    if (!matches_series(rule.glob, series)) continue;
    if (rule.stream && choice == ClassChoice::ours) series.stream = *rule.stream;
    if (rule.kind) series.kind = *rule.kind;
    if (!rule.unit.empty()) series.unit = rule.unit;
  }
}

ReportPolicy SeriesRules::policy(const model::Series& series, ReportPolicy of_input) const {
  for (const SeriesRule& rule : rules_) {
    if (!matches_series(rule.glob, series)) continue;
    if (rule.deadband) of_input.deadband = rule.deadband;
    if (rule.min_interval) of_input.min_interval = *rule.min_interval;
    if (rule.max_interval) of_input.max_interval = *rule.max_interval;
  }
  return of_input;
}

bool shape_series(const InputConfig& input, const SeriesRules& rules, model::Series& series) {
  if (!input.include.empty() && !matches_any(input.include, series)) return false;
  if (matches_any(input.exclude, series)) return false;
  for (const auto& [from, to] : input.rename) {
    if (series.name != from) continue;
    series.name = to;
    break;
  }
  for (const auto& [name, value] : input.labels) set_label(series, name, value);
  if (!input.unit.empty()) series.unit = input.unit;
  series.stream = input.stream;
  rules.apply(series);
  return true;
}

}  // namespace tideline::agent
