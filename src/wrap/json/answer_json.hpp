// Answers to questions about readings, for programs. Pure. The shape is a contract with scripts (README).
#pragma once

#include <string>

#include "model/query.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::json {

/// {"series":[{"device","name","labels","unit","kind","class","time_quality","points":[{"time","value","count"}]}],
///  "gaps":[{"device","class","reason","count","at_least","first","last","from","to","declared"}],"truncated", ...}
/// "device" is left out where there is none; NaN and infinities are null; times are RFC 3339 with all digits.
std::string answer_json(const model::QueryAnswer& answer);

/// Members of an open object that say which series it is about.
void write_series(Writer& w, const std::string& device, const model::Series& series, model::TimeQuality quality);
void write_value(Writer& w, const model::Point& point);
/// One element of "gaps".
void write_gap(Writer& w, const std::string& device, const model::Gap& gap);
/// {"site":"berlin"}
void write_labels(Writer& w, const std::vector<std::pair<std::string, std::string>>& labels);

}  // namespace tideline::json
