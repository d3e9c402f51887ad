// Newest values of a fleet, as JSON and as a table (other answers: model/answer_text.hpp, wrap/json/answer_json.hpp). Pure.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "hub/store/archive.hpp"

namespace tideline::hub {

std::string latest_json(const std::vector<LatestValue>& values, UtcNanos now);
std::string latest_table(const std::vector<LatestValue>& values, UtcNanos now);
/// {"site":"berlin"}
std::string labels_json(const std::vector<std::pair<std::string, std::string>>& labels);

}  // namespace tideline::hub
