#include "agent/options.hpp"

#include <charconv>

#include "agent/machine_report.hpp"
#include "base/log.hpp"
#include "clock.hpp"
#include "terminal.hpp"

namespace tideline::agent {

std::string device_id(const Config& config) {
  return !config.device.id.empty() ? config.device.id : default_device_id(platform::host_name(), describe_machine().id);
}

std::string state_directory(const Config& config) {
  return !config.store.directory.empty() ? config.store.directory : std::string(default_state_directory);
}

std::string ingest_socket(const Config& config) {
  return !config.ingest.socket.empty() ? config.ingest.socket : state_directory(config) + "/ingest.sock";
}

std::string control_socket(const Config& config) { return state_directory(config) + "/agent.sock"; }

StoreOptions store_options(const Config& config) {
  StoreOptions options;
  options.directory = state_directory(config);
  options.store_bytes = config.store.size;
  options.history_bytes = config.store.history;
  options.free_bytes_least = config.store.free_space;
  options.normal_commit = config.store.normal_commit;
  options.bulk_commit = config.store.bulk_commit;
  return options;
}

HubLinkOptions link_options(const Config& config) {
  HubLinkOptions options;
  options.state_directory = state_directory(config);
  options.device = config.device.id;
  if (!config.hub.address.empty()) (void)parse_address(config.hub.address, options.hub);
  options.hub.server_name = config.hub.server_name;
  options.uplink.agent_version = TIDELINE_VERSION;
  options.uplink.seed = platform::random_u64();
  options.cost = {config.hub.metered, config.hub.metered_interfaces, config.hub.rate, config.hub.metered_rate};
  options.uplink.bytes_per_second = options.cost.rate_on("");
  options.uplink.backoff_base = config.hub.backoff_base;
  options.uplink.backoff_cap = config.hub.backoff_cap;
  options.uplink.ping_interval_most = config.hub.keepalive;
  return options;
}

LineOptions line_options(const Config& config) {
  LineOptions options;
  options.class_tag = config.ingest.class_tag;
  return options;
}

bool parse_address(const std::string& text, net::Target& out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return false;
  }
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc{} || stopped != end || port == 0 || host.empty()) return false;
  out.host = host;
  out.port = port;
  return true;
}

std::string store_problem(const std::string& directory, const Error& error) {
  if (error.code == ErrorCode::busy) {
    return error.native > 0 ? format("the store in %s is in use by process %d", directory.c_str(), error.native)
                            : "the store in " + directory + " is in use by another process";
  }
  std::string text = "store in " + directory + ": " + error.context + ", " + error_name(error.code);
  if (error.code == ErrorCode::denied) text += "; run as its owner or name another with --state";
  if (error.code == ErrorCode::full) text += "; free some space on that file system";
  return text;
}

}  // namespace tideline::agent
