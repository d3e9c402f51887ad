// `tideline-hub init`.
#include <cstdio>

#include "base/text.hpp"
#include "clock.hpp"
#include "hub/cli.hpp"
#include "small_file.hpp"
#include "terminal.hpp"

namespace tideline::hub::cli {
namespace {

std::vector<std::string> wanted_names(const Arguments& arguments, const Config& config) {
  std::vector<std::string> names;
  if (arguments.has("name")) names.push_back(arguments.get("name"));
  names.insert(names.end(), arguments.words().begin(), arguments.words().end());
  if (names.empty()) names = config.hub.names;
  if (names.empty()) names.push_back(platform::host_name().empty() ? "localhost" : platform::host_name());
  return names;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// What `token create` prints until `serve` has noted where it really listens.
std::string first_address(const std::string& name, const Config& config) {
  HostPort listen;
  const uint16_t port = parse_host_port(config.hub.listen, listen) && listen.port != 0 ? listen.port : uint16_t{7443};
  const bool is_ipv6 = name.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

}  // namespace

int init(const Arguments& arguments) {
  auto site = load(arguments, "init");
  if (!site) return usage_error;
  const StateDirectory& state = site->state;
  if (state.is_initialised()) {
    return fail(failed, "init", state.path + " holds a hub already; serve it, or name another directory with --state");
  }
  const std::vector<std::string> names = wanted_names(arguments, site->config);
  // The archive comes first and the authority last: a directory with ca.crt is complete, and any other can be tried again.
  if (const Status made = platform::make_directory(state.path); !made && made.error().code != ErrorCode::exists) {
    return fail(failed, "init", state.path + ": " + describe(made.error()));
  }
  const auto archive = open_sqlite_archive(state.archive(), ArchiveMode::write, site->log);
  if (!archive) return fail(failed, "init", state.archive() + ": " + describe(archive.error()));
  if (const auto devices = (*archive)->devices(); devices && !devices->empty()) {
    return fail(failed, "init", state.archive() + " holds devices, but ca.crt is missing: put back the copies of ca.crt and ca.key");
  }
  const CertificatesSection& life = site->config.certificates;
  const auto keys = make_keys(state, names, life.authority_life, life.server_life, platform::wall_clock());
  if (!keys && keys.error().code == ErrorCode::invalid) return fail(usage_error, "init", "'" + joined(names) + "': " + describe(keys.error()));
  if (!keys) return fail(failed, "init", state.path + ": " + describe(keys.error()));
  if (const Status noted = (*archive)->set_setting("address", first_address(names.front(), site->config)); !noted) {
    return fail(failed, "init", state.archive() + ": " + describe(noted.error()));
  }
  std::printf("hub made in %s\n", state.path.c_str());
  std::printf("  authority  %s  (SHA-256; devices pin it when they enrol)\n", keys->authority_info.fingerprint.c_str());
  std::printf("  server     %s, certificate until %s\n\n", joined(names).c_str(), format_utc(keys->server_info.validity.not_after).c_str());
  // Everything knows the usual place by itself, and there a service is waiting for its directory.
  const std::string where = state.path == Config{}.hub.state ? "" : " --state " + state.path;
  std::printf("next:\n  tideline-hub serve%s%s\n", where.c_str(), where.empty() ? "          (as a service: systemctl start tideline-hub)" : "");
  std::printf("  tideline-hub token create%s --device my-device\n", where.c_str());
  std::printf("keep a copy of %s and %s in a safe place\n", state.authority_key().c_str(), state.authority_certificate().c_str());
  return done;
}

}  // namespace tideline::hub::cli
