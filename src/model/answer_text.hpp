// Answers to questions about readings, for people: aligned tables. Pure.
#pragma once

#include <string>

#include "model/query.hpp"

namespace tideline::model {

enum class AnswerParts : uint8_t { everything, gaps_only };

/// One line a point, then what is missing, then what makes the answer incomplete. The device column is left out where no device
/// is named (at the edge).
std::string answer_text(const QueryAnswer& answer, AnswerParts parts = AnswerParts::everything);

/// "21.4", "true", "started"; control characters of texts become spaces, so that a value cannot break a table or a terminal.
std::string value_text(const Point& point);
/// With milliseconds, which is what people read; JSON has all digits.
std::string short_time(int64_t time_ns);

}  // namespace tideline::model
