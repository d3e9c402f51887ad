// Reading the agent's JSON-RPC responses on the side of the command line. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tideline::agent::cli {

/// What to print: the result's `text` or, with `as_json`, the result as it is and an end of line. False: `problem` is the error.
bool printable_result(std::string_view line, bool as_json, std::string& printed, std::string& problem);

struct VerifyResult {
  uint64_t blocks = 0;
  uint64_t readings = 0;
  uint64_t unreadable = 0;
  uint64_t declared_lost = 0;
};
bool read_verify_result(std::string_view line, VerifyResult& out, std::string& problem);

}  // namespace tideline::agent::cli
