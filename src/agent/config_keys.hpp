// The rows of agent.toml: one per key, the only place where a key's name, range and documentation stand. Defaults are the
// initialisers of the structs in config.hpp, inputs/input_config.hpp, gateway/action_config.hpp and gateway/child_config.hpp.
#pragma once

#include <span>

#include "agent/config.hpp"
#include "wrap/toml/keys.hpp"

namespace tideline::agent {

std::span<const toml::Key<DeviceConfig>> device_keys();
std::span<const toml::Key<HubConfig>> hub_keys();
std::span<const toml::Key<StoreConfig>> store_keys();
std::span<const toml::Key<IngestConfig>> ingest_keys();
std::span<const toml::Key<LogConfig>> log_keys();
std::span<const toml::Key<RemoteSettings>> remote_keys();
std::span<const toml::Key<ContextConfig>> context_keys();
std::span<const toml::Key<context::Declaration>> context_entry_keys();
std::span<const toml::Key<InputConfig>> input_keys();
std::span<const toml::Key<SeriesRule>> series_keys();
std::span<const toml::Key<ActionConfig>> action_keys();
std::span<const toml::Key<ActionArgument>> action_argument_keys();
std::span<const toml::Key<ChildConfig>> child_keys();

}  // namespace tideline::agent
