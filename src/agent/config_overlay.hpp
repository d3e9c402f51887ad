// A change to the configuration that came from the hub, laid over the file: a JSON object with the sections and keys of agent.toml.
// Tables are merged, everything else replaces, null takes the file's value away: {"input":{"cpu":{"interval":"5s"}},"hub":{"rate":null}}.
//
// Pure. What a hub may change is decided here: whoever may write desired/config must not thereby be able to run commands on the device,
// or take it away from its store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config.hpp"
#include "wrap/toml/document.hpp"

namespace tideline::agent {

/// Lays `json` over `root`, a parsed file. `commands`: sections that run programs may be changed too ([remote] commands).
/// What is wrong or not allowed goes to `problems`, each a line for people; then `root` is of no use.
void lay_over(toml::Value& root, std::string_view json, bool commands, std::vector<std::string>& problems);

}  // namespace tideline::agent
