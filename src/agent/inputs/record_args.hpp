// The words of `tideline record`: NAME=VALUE, NAME{label=value}=VALUE, each with an optional @TIME at the end. Pure.
//   temp=21.4   pump.on=true   count=7i   'msg="filter changed"'   'temp{room=a}=21.4'   temp=21.4@2026-11-21T03:04:05Z
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/reading.hpp"
#include "model/series.hpp"

namespace tideline::agent {

struct RecordArgument {
  model::Series series;                 ///< name and labels; the daemon's rules give the rest
  model::ValueType type = model::ValueType::f64;
  uint64_t bits = 0;                    ///< of a number or boolean, as in model::Reading
  std::string text;
  bool has_time = false;
  UtcNanos time;
};

/// Reads one word. A number is a double, with the suffix i an int64; true and false are booleans; text stands in double quotes
/// with \" and \\ inside. False: `problem` says what is wrong with the word, for people.
bool parse_record_argument(std::string_view word, RecordArgument& out, std::string& problem);

/// The reading as a line that the ingest socket takes (JSON, no end of line): exact for every value.
std::string to_ingest_line(const RecordArgument& argument);

}  // namespace tideline::agent
