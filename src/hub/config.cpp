#include "hub/config.hpp"

#include <charconv>

#include "small_file.hpp"
#include "wrap/toml/keys.hpp"

namespace tideline::hub {
namespace {

using toml::slot;

struct LevelName {
  LogLevel level;
  const char* name;
};
constexpr LevelName levels[] = {
    {LogLevel::debug, "debug"}, {LogLevel::info, "info"}, {LogLevel::warning, "warning"}, {LogLevel::error, "error"}};

bool set_level(void* target, std::string_view word) {
  for (const LevelName& level : levels) {
    if (word != level.name) continue;
    *static_cast<LogLevel*>(target) = level.level;
    return true;
  }
  return false;
}
std::string get_level(const void* target) { return levels[static_cast<size_t>(*static_cast<const LogLevel*>(target))].name; }
toml::Slot log_level_slot(HubSection& section) {
  return toml::Choice{&section.log_level, set_level, get_level, "debug, info, warning or error"};
}

constexpr double day = 86'400e9;

constexpr toml::Key<HubSection> hub_keys[] = {
    {"listen", slot<&HubSection::listen>, "address and port for devices and HTTPS; port 0 lets the system choose"},
    {"state", slot<&HubSection::state>, "state directory, made by 'tideline-hub init'; --state goes before it"},
    {"name", slot<&HubSection::name>, "what devices call this hub in their logs; empty takes the first of names"},
    {"names", slot<&HubSection::names>,
     "DNS names and IP addresses in the server certificate; empty keeps those given to 'tideline-hub init'"},
    {"log_level", log_level_slot, "least important lines that are logged"},
};
constexpr toml::Key<CertificatesSection> certificate_keys[] = {
    {"device_life", slot<&CertificatesSection::device_life>, "life of a device's certificate; devices renew at two thirds of it", day / 24, 3650 * day},
    {"server_life", slot<&CertificatesSection::server_life>, "life of the server certificate; renewed by itself at two thirds of it", day, 3650 * day},
    {"authority_life", slot<&CertificatesSection::authority_life>, "life of the authority that 'tideline-hub init' makes", 365 * day, 36500 * day},
};
constexpr toml::Key<LinkSection> link_keys[] = {
    {"connections", slot<&LinkSection::connections>, "most connections at one time; more wait", 1, static_cast<double>(limits::hub_connections)},
    {"credit", slot<&LinkSection::credit>, "bytes of data that one device may have sent and not yet seen acknowledged", 64 * 1024, static_cast<double>(limits::credit_bytes)},
    {"ping_interval", slot<&LinkSection::ping_interval>, "how often a silent device says that it is there", 1e9, 3600e9},
    {"reconnect_least", slot<&LinkSection::reconnect_least>, "devices wait at least this long after losing the link", 0, 3600e9},
    {"reconnect_spread", slot<&LinkSection::reconnect_spread>, "and a random part of this, so that a fleet does not come back at once", 0, 3600e9},
};
constexpr toml::Key<HttpSection> http_keys[] = {
    {"loopback_port", slot<&HttpSection::loopback_port>, "port on 127.0.0.1 for /mcp, /healthz and /metrics without TLS; 0 for none", 0, 65535},
    {"hosts", slot<&HttpSection::hosts>, "more names under which MCP clients reach this hub, such as that of a proxy: \"hub.example\" or \"hub.example:8443\""},
    {"origins", slot<&HttpSection::origins>, "web pages that may call MCP from a browser: \"https://app.example\""},
};
constexpr std::string_view sections[] = {"hub", "certificates", "link", "http"};

template <class Section>
void read_section(toml::Reader& reader, const toml::Value& root, std::string_view name, std::span<const toml::Key<Section>> keys, Section& out) {
  if (const toml::Value* table = root.find(name)) reader.read<Section>(*table, name, keys, out);
}

void check_meaning(toml::Reader& reader, const toml::Value& root, const Config& config) {
  HostPort parsed;
  const toml::Value* hub = root.find("hub");
  const toml::Value* listen = hub != nullptr ? hub->find("listen") : nullptr;
  if (listen != nullptr && !parse_host_port(config.hub.listen, parsed)) {
    reader.add_problem(listen->line, "[hub] listen: '" + config.hub.listen + "' is not an address with a port; write \"0.0.0.0:7443\" or \"[::]:7443\"");
  }
}

}  // namespace

std::vector<std::string> parse_config(const std::string& file, std::string_view text, Config& out) {
  toml::Reader reader(file);
  toml::Value root;
  toml::Problem problem;
  if (!toml::parse(text, root, problem)) {
    reader.add_problem(problem.line, problem.text);
    return reader.problems();
  }
  for (size_t i = 0; i < root.names.size(); ++i) reader.check_known(root, i, "", sections);
  read_section<HubSection>(reader, root, "hub", hub_keys, out.hub);
  read_section<CertificatesSection>(reader, root, "certificates", certificate_keys, out.certificates);
  read_section<LinkSection>(reader, root, "link", link_keys, out.link);
  read_section<HttpSection>(reader, root, "http", http_keys, out.http);
  check_meaning(reader, root, out);
  return reader.problems();
}

std::vector<std::string> load_config(const std::string& path, bool may_be_missing, Config& out) {
  const auto text = platform::read_small_file(path, limits::config_bytes);
  if (text) return parse_config(path, *text, out);
  if (text.error().code == ErrorCode::not_found && may_be_missing) return {};
  return {path + ": cannot be read: " + error_name(text.error().code)};
}

std::string describe_config() {
  return toml::describe_section<HubSection>("hub", "The hub itself.", hub_keys) +
         toml::describe_section<CertificatesSection>("certificates", "How long what this hub signs is valid.", certificate_keys) +
         toml::describe_section<LinkSection>("link", "Connections of devices.", link_keys) +
         toml::describe_section<HttpSection>("http", "MCP for AI clients, health and metrics.", http_keys);
}

bool parse_host_port(std::string_view text, HostPort& out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 4) return false;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return false;  // an IPv6 address needs brackets: its last colon is no port
  }
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || port.empty()) return false;
  out = {std::string(host), number};
  return true;
}

}  // namespace tideline::hub
