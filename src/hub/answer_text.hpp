// Answers to questions about readings, as JSON and as tables. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "hub/archive.hpp"
#include "model/query.hpp"

namespace tideline::hub {

/// One JSON object: series with points, gaps, and how complete it is. NaN and infinities become null.
std::string answer_json(const model::QueryAnswer& answer);
std::string latest_json(const std::vector<LatestValue>& values, UtcNanos now);
/// For people: one line a point, then the gaps, then what is not complete.
std::string answer_table(const model::QueryAnswer& answer, bool only_gaps);
std::string latest_table(const std::vector<LatestValue>& values, UtcNanos now);

/// "21.4", "true", "started".
std::string value_text(const model::Point& point);
std::string value_json(const model::Point& point);
/// {"site":"berlin"}
std::string labels_json(const std::vector<std::pair<std::string, std::string>>& labels);

}  // namespace tideline::hub
