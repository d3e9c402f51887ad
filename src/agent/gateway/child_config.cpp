#include "agent/gateway/child_config.hpp"

#include <array>

namespace tideline::agent {
namespace {

constexpr std::array era_names = {"auto", "modern", "legacy"};

}  // namespace

const char* era_choice_name(mcp::EraChoice era) { return era_names[static_cast<size_t>(era)]; }

bool parse_era_choice(std::string_view text, mcp::EraChoice& out) {
  for (size_t i = 0; i < era_names.size(); ++i) {
    if (text == era_names[i]) return out = static_cast<mcp::EraChoice>(i), true;
  }
  return false;
}

}  // namespace tideline::agent
