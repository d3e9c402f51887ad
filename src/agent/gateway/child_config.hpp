// Third-party stdio MCP servers that run as children: what [child.NAME] says. Plain values; the rows of agent/config_keys.hpp document each
// member.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "mcp/client.hpp"

namespace tideline::agent {

const char* era_choice_name(mcp::EraChoice era);
bool parse_era_choice(std::string_view text, mcp::EraChoice& out);

/// [child.NAME]
struct ChildConfig {
  std::string name;
  bool enabled = true;
  std::vector<std::string> command;      ///< program and arguments; no shell
  std::vector<std::string> environment;  ///< names passed on from the agent's own environment
  std::vector<std::pair<std::string, std::string>> env;  ///< fixed values; never logged
  std::string directory;
  std::string prefix;                    ///< "" leaves names as they are; the section's name when the key is not given
  mcp::EraChoice era = mcp::EraChoice::automatic;
  Duration start_timeout = limits::mcp_start_timeout;
  Duration call_timeout = limits::mcp_request_timeout;
  Duration idle_stop = minutes(10);      ///< 0: never
  std::vector<std::string> include;      ///< globs over the server's own tool names; empty: all
  std::vector<std::string> exclude;
};

}  // namespace tideline::agent
