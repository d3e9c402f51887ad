// Any text as agent.toml: a sound configuration or problems that name the file, one line each.
#include <cstdlib>
#include <string_view>

#include "agent/config.hpp"
#include "base/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tideline::agent;
  const ConfigResult result = parse_config({reinterpret_cast<const char*>(data), size}, "agent.toml");
  for (const std::string& problem : result.problems) {
    if (!problem.starts_with("agent.toml:") || problem.find('\n') != problem.npos) std::abort();
  }
  if (!result.is_sound()) return 0;
  for (const InputConfig& input : result.config.inputs) {
    if (input.interval < tideline::limits::interval_least || input.interval > tideline::limits::interval_most) std::abort();
  }
  return 0;
}
