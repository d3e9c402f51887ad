// Reads the sections [action.NAME], [child.NAME] and [context] of agent.toml: their rows are in config_keys.hpp. Start-up only.
#pragma once

#include <vector>

#include "agent/config.hpp"
#include "agent/gateway/action_config.hpp"
#include "agent/gateway/child_config.hpp"
#include "wrap/toml/keys.hpp"

namespace tideline::agent {

/// What is wrong becomes a problem of the reader.
void read_actions(const toml::Value& actions, toml::Reader& reader, std::vector<ActionConfig>& out);
void read_context(const toml::Value& section, toml::Reader& reader, ContextConfig& out);
void read_children(const toml::Value& children, toml::Reader& reader, std::vector<ChildConfig>& out);

}  // namespace tideline::agent
