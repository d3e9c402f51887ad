// The hub's configuration: /etc/tideline/hub.toml, read once at start. Every key is a row in config.cpp, which also makes
// `tideline-hub serve --help-config`.
//
// Plain values. A file is accepted whole or not at all: every problem is reported with its line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/time.hpp"

namespace tideline::hub {

struct HubSection {
  std::string listen = "0.0.0.0:7443";
  std::string state = "/var/lib/tideline-hub";
  std::string name;                  ///< "": the first of names
  std::vector<std::string> names;    ///< empty: as given to init
  LogLevel log_level = LogLevel::info;
};

struct CertificatesSection {
  Duration device_life = hours(24 * 90);
  Duration server_life = hours(24 * 365);
  Duration authority_life = hours(24 * 365 * 20);
};

struct LinkSection {
  int64_t connections = static_cast<int64_t>(limits::hub_connections);
  uint64_t credit = limits::credit_bytes;
  Duration ping_interval = limits::ping_interval;
  Duration reconnect_least = milliseconds(0);
  Duration reconnect_spread = seconds(5);
};

struct HttpSection {
  int64_t loopback_port = 0;
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
};

struct Config {
  HubSection hub;
  CertificatesSection certificates;
  LinkSection link;
  HttpSection http;
};

/// Fills `out` from TOML text; `file` begins every message. Returns the problems, none when all is well.
std::vector<std::string> parse_config(const std::string& file, std::string_view text, Config& out);

/// The file at `path`; a missing one leaves the defaults when `may_be_missing`. Returns the problems.
std::vector<std::string> load_config(const std::string& path, bool may_be_missing, Config& out);

/// Every key with its default, range and meaning, as TOML that parses to the defaults.
std::string describe_config();

struct HostPort {
  std::string host;
  uint16_t port = 0;
};
/// "0.0.0.0:7443", "[::]:7443"; the port is required. False when wrong.
bool parse_host_port(std::string_view text, HostPort& out);

}  // namespace tideline::hub
