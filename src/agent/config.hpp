// Everything the operator can set for the agent: plain values whose initialisers are the defaults. agent.toml changes them; its
// keys, ranges and documentation are the rows of config_keys.hpp. No file at all is a working configuration.
//
// Owned by the composition root (or a command of the command line). Read once at start. Bounds: limits::config_bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/gateway/action_config.hpp"
#include "agent/gateway/child_config.hpp"
#include "agent/inputs/input_config.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "context/declarations.hpp"

namespace tideline::agent {

struct DeviceConfig {
  std::string id;      ///< "" means the host name
  std::vector<std::pair<std::string, std::string>> labels;
};

/// Whether bytes on the way to the hub cost money.
enum class Metered : uint8_t { automatic, no, yes };
const char* metered_name(Metered metered);
bool parse_metered(std::string_view text, Metered& out);

struct HubConfig {
  std::string address;            ///< "host:port"; "" means no hub: the agent keeps what it can
  std::string server_name;        ///< in the hub's certificate; "" means the host of the address
  Duration keepalive = limits::ping_interval;  ///< most time without a sign of life
  Metered metered = Metered::automatic;  ///< automatic: as of the interface that the link goes by
  std::vector<std::string> metered_interfaces = {"wwan*", "ppp*", "rmnet*", "usb*"};
  uint64_t rate = 0;              ///< bytes a second; 0 means no limit
  uint64_t metered_rate = 16 * 1024;
  Duration backoff_base = limits::backoff_base;
  Duration backoff_cap = limits::backoff_cap;
};

struct StoreConfig {
  std::string directory;          ///< "" means --state, else /var/lib/tideline
  uint64_t size = limits::store_bytes_default;
  uint64_t history = limits::history_bytes_default;
  uint64_t free_space = limits::free_bytes_least;
  Duration normal_commit = limits::normal_commit;
  Duration bulk_commit = limits::bulk_commit;
};

struct IngestConfig {
  bool enabled = true;
  std::string socket;             ///< "" means ingest.sock in the run directory
  bool class_tag = true;          ///< a tag or member "class" chooses the class
};

struct LogConfig {
  LogLevel level = LogLevel::info;
};

struct RemoteSettings {
  bool config = true;             ///< desired/config is followed
  bool commands = false;          ///< it may change what runs programs: actions, child servers, exec inputs
  Duration confirm_within = minutes(5);
};

struct ContextConfig {
  bool enabled = true;
  context::Declarations declarations;  ///< in the order of the file: the first that matches counts
};

struct Config {
  DeviceConfig device;
  HubConfig hub;
  StoreConfig store;
  IngestConfig ingest;
  LogConfig log;
  RemoteSettings remote;
  ContextConfig context;
  std::vector<InputConfig> inputs = default_inputs();
  std::vector<SeriesRule> series;
  std::vector<ActionConfig> actions;
  std::vector<ChildConfig> children;
};

struct ConfigResult {
  Config config;                      ///< usable only without problems
  std::vector<std::string> problems;  ///< one line each: file:line, key, what is allowed; at most toml::problems_most
  bool is_sound() const { return problems.empty(); }
};

/// `file` is how the text is called in messages. `overlay`: what the hub changes of it (config_overlay.hpp), "" nothing.
ConfigResult parse_config(std::string_view text, std::string_view file, std::string_view overlay = {});

enum class ConfigFile : unsigned char { optional, required };
/// A missing file is the default configuration when `presence` is optional.
ConfigResult load_config(const std::string& path, ConfigFile presence, std::string_view overlay = {});

/// Every section and key with unit, range, default and a sentence, as commented TOML (`tideline run --help-config`).
std::string config_help();

}  // namespace tideline::agent
