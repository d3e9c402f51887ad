// From the operator's configuration to what each part takes, and where things lie in the state directory. Pure, but for the name of
// the machine.
#pragma once

#include <string>

#include "agent/config.hpp"
#include "agent/hub_link.hpp"
#include "agent/inputs/line_parser.hpp"
#include "agent/store/outbox.hpp"

namespace tideline::agent {

inline constexpr const char* default_config_file = "/etc/tideline/agent.toml";
inline constexpr const char* default_state_directory = "/var/lib/tideline";

/// The configured id, else what default_device_id() makes of this machine.
std::string device_id(const Config& config);
std::string state_directory(const Config& config);
std::string ingest_socket(const Config& config);
std::string control_socket(const Config& config);

StoreOptions store_options(const Config& config);
HubLinkOptions link_options(const Config& config);
LineOptions line_options(const Config& config);

/// "host:port" or "[::1]:port" as of [hub] address and `tideline enroll`. False when it is neither.
bool parse_address(const std::string& text, net::Target& out);

/// Why a store could not be opened, for people.
std::string store_problem(const std::string& directory, const Error& error);

}  // namespace tideline::agent
