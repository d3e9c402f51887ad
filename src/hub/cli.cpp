#include "hub/cli.hpp"

#include <cstdio>
#include <vector>

#include "privileges.hpp"

namespace tideline::hub::cli {
namespace {

constexpr Option config_option{"config", "FILE", "configuration (default /etc/tideline/hub.toml, may be missing)"};
constexpr Option state_option{"state", "DIR", "state directory (default /var/lib/tideline-hub)"};
constexpr Option json_option{"json", "", "print one JSON document"};

constexpr Option plain_options[] = {config_option, state_option};
constexpr Option json_options[] = {config_option, state_option, json_option};
constexpr Option init_options[] = {config_option, state_option,
                                   {"name", "NAME", "name or address that devices use to reach this hub; more may follow as words"}};
constexpr Option serve_options[] = {config_option, state_option,
                                    {"check", "", "check the configuration and exit"},
                                    {"help-config", "", "list every configuration key and exit"}};
constexpr Option token_options[] = {config_option, state_option, json_option,
                                    {"device", "ID", "device id that the token is for"},
                                    {"labels", "NAME=VALUE,...", "labels of the device, for selectors such as '{site=berlin}'"},
                                    {"ttl", "TIME", "how long the token works, 1m to 30d (default 24h)"}};
constexpr Option key_options[] = {config_option, state_option, json_option,
                                  {"role", "ROLE", "viewer (reads), operator (calls every tool) or admin"},
                                  {"devices", "SELECTOR", "only these devices exist for the holder: 'pump-*', '{site=berlin}' (default: all)"},
                                  {"name", "TEXT", "what the key is for, shown in 'key list'"},
                                  {"ttl", "TIME", "how long the key works, at least 1m, such as 90d (default: until it is revoked)"}};
constexpr Option audit_options[] = {config_option, state_option, json_option,
                                    {"since", "AGE", "from AGE ago: 90s, 15m, 24h (default: all that is kept)"},
                                    {"device", "ID", "calls of this device only"},
                                    {"principal", "ID", "calls of this caller only: key:ID, or local"},
                                    {"limit", "N", "at most N lines, the newest (default 100, most 10000)"}};
constexpr Option device_options[] = {config_option, state_option, json_option,
                                     {"device", "SELECTOR", "device id glob and labels (default: all)"},
                                     {"watch", "", "repeat every two seconds until interrupted"}};
constexpr Option query_options[] = {
    config_option, state_option, json_option,
    {"device", "SELECTOR", "device id glob and labels: 'pump-*', '{site=berlin}' (default: all)"},
    {"series", "SELECTOR", "name glob and labels: 'temp*', 'temp{room=a}' (default: all)"},
    {"since", "AGE", "from AGE ago: 90s, 15m, 24h"},
    {"from", "TIME", "from TIME on: 2026-11-21T06:00:00Z, 2026-11-21, or seconds since 1970"},
    {"to", "TIME", "up to TIME, not including it"},
    {"aggregate", "NAME", "mean, min, max, sum, count, first or last instead of the readings"},
    {"step", "WIDTH", "width of the buckets of --aggregate: 10s, 1m, 1h (default: one bucket)"},
    {"limit", "N", "at most N rows, the newest (default 1000, most 100000)"},
    {"latest", "", "the newest value of each series, with its age"},
    {"gaps", "", "tell only what is missing"}};
constexpr Option get_options[] = {config_option, state_option, json_option, {"history", "", "with the writes before, and who made them"}};
constexpr Option list_options[] = {config_option, state_option, json_option, {"conflicts", "", "only entries that device and hub wrote without knowing of each other"}};
constexpr Option diff_options[] = {config_option, state_option, json_option, {"all", "", "also what is as desired"}};
constexpr Option version_option{"if-version", "VERSION", "only if the entry has this version now; '' only if nothing is there"};
constexpr Option delete_options[] = {config_option, state_option, json_option, version_option};
constexpr Option set_options[] = {config_option, state_option, json_option, version_option,
                                  {"merge", "", "VALUE is a merge patch (RFC 7396) of what is there"},
                                  {"text", "", "VALUE is a text, not JSON"},
                                  {"ttl", "TIME", "the entry is gone after this time: 90s, 15m, 24h"}};

constexpr Command commands[] = {
    {"init", "[NAME...]", "make the state directory: certificate authority, server certificate, archive",
     "Names and addresses go into the server certificate; the host name is taken when none is given. An existing hub is never\n"
     "overwritten. Keep a copy of ca.key and ca.crt in a safe place: without them every device must be enrolled again.\n\n"
     "example:\n  tideline-hub init --name hub.example 192.0.2.7", init_options},
    {"serve", "", "run the hub: devices and HTTPS (/healthz, /metrics) on one port",
     "Runs in the foreground until SIGTERM or SIGINT.", serve_options},
    {"token create", "", "make a one-time token and print the command that enrols the device",
     "The token is shown once; the hub keeps only its hash. For a device that is enrolled already it replaces the certificate.\n\n"
     "example:\n  tideline-hub token create --device pump-7 --labels site=berlin,line=3", token_options},
    {"token list", "", "tokens and whether they were used", "", json_options},
    {"key create", "", "make an API key for an MCP client and print it",
     "The key is shown once; the hub keeps only its hash. Once a key was made, every caller needs one, on this machine too.\n\n"
     "examples:\n  tideline-hub key create --role viewer --name dashboard\n"
     "  tideline-hub key create --role operator --devices '{site=berlin}' --ttl 90d", key_options},
    {"key list", "", "API keys, their roles and devices, and whether they work", "", json_options},
    {"key revoke", "ID", "refuse an API key from now on", "", plain_options},
    {"audit", "", "who called what on which device, and how it ended",
     "Arguments of calls are kept as a digest only. 'tideline-hub verify' tells whether lines were changed or taken out.\n\n"
     "example:\n  tideline-hub audit --since 24h --device pump-7", audit_options},
    {"devices", "", "the fleet: who is online, backlog, gaps, age of the newest value", "", device_options},
    {"device revoke", "ID", "refuse a device from now on; a new token lets it in again", "", plain_options},
    {"query", "", "readings and gaps of the fleet",
     "examples:\n  tideline-hub query --device pump-7 --series 'temp*' --since 1h\n"
     "  tideline-hub query --device '{site=berlin}' --series cpu.percent --since 24h --aggregate mean --step 15m\n"
     "  tideline-hub query --latest", query_options},
    {"context get", "DEVICE PATH", "an entry of a device's context: its value, who wrote it, what lost to it", "example:\n  tideline-hub context get pump-7 mode --history",
     get_options},
    {"context set", "DEVICE|SELECTOR PATH VALUE", "write an entry, on one device or on all that match",
     "VALUE is JSON. Devices that are offline get it when they return. desired/... is what a\n"
     "device is asked to be, and 'context diff' shows how far that is; reported/... is written by devices alone.\n\n"
     "examples:\n  tideline-hub context set pump-7 mode auto --text\n"
     "  tideline-hub context set '{site=berlin}' desired/setpoint 21.5\n"
     "  tideline-hub context set pump-7 limits '{\"high\":80}' --merge", set_options},
    {"context delete", "DEVICE|SELECTOR PATH", "delete an entry, on one device or on all that match", "", delete_options},
    {"context list", "DEVICE [PREFIX]", "entries of a device's context", "example:\n  tideline-hub context list pump-7 --conflicts", list_options},
    {"context diff", "[SELECTOR]", "desired and reported state: what is not as desired, delivered or refused", "example:\n  tideline-hub context diff '{site=berlin}'", diff_options},
    {"context watch", "DEVICE [PREFIX]", "tell every change of a device's context until interrupted", "", json_options},
    {"verify", "", "read back every stored block and check it; exit code 1 when anything is wrong", "", json_options},
    {"backup", "FILE", "write a consistent copy of the archive, also while the hub serves",
     "Keys are not in it: copy ca.key and ca.crt once to a safe place.", plain_options},
    {"restore", "FILE", "put a backup in the place of the archive; the hub must not run",
     "The archive that was there is kept as hub.db.replaced. Devices send again what they still hold.", plain_options},
};

constexpr std::string_view purpose =
    "Tideline hub: devices dial it over TLS, it stores their readings and answers questions about the fleet.";

struct Entry {
  std::string_view name;
  int (*function)(const Arguments&);
};
constexpr Entry entries[] = {{"init", init},       {"serve", serve},   {"token create", token_create}, {"token list", token_list},
                             {"key create", key_create}, {"key list", key_list}, {"key revoke", key_revoke}, {"audit", audit},
                             {"context get", context_get}, {"context set", context_set}, {"context delete", context_delete}, {"context list", context_list},
                             {"context diff", context_diff}, {"context watch", context_watch},
                             {"devices", devices}, {"query", query},   {"device revoke", device_revoke}, {"verify", verify},
                             {"backup", backup},   {"restore", restore}};

int unknown_command(const char* first) {
  std::vector<std::string_view> names;
  for (const Command& known : commands) names.push_back(known.name);
  const std::string_view near = nearest_name(first, names);
  std::fprintf(stderr, "tideline-hub: unknown command '%s'%s\n", first,
               near.empty() ? "; see 'tideline-hub --help'" : ("; did you mean '" + std::string(near) + "'?").c_str());
  return usage_error;
}

}  // namespace

std::string overview() { return program_help("tideline-hub", purpose, commands); }

int fail(int code, std::string_view command, const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "tideline-hub %.*s: %s\n", static_cast<int>(command.size()), command.data(), text.c_str());
  return code;
}

std::string describe(const Error& error) {
  std::string text = std::string(error.context) + ": " + error_name(error.code);
  if (error.native != 0) text += " (" + std::to_string(error.native) + ")";
  return text;
}

int run(std::span<const char* const> words) {
  const char* first = words[0];
  const Command* command = find_command(commands, words);
  if (command == nullptr) return unknown_command(first);
  Arguments arguments;
  std::string error;
  if (!Arguments::parse(*command, words, arguments, error)) return fail(usage_error, command->name, error);
  if (arguments.wants_help()) {
    std::fputs(command_help("tideline-hub", *command).c_str(), stdout);
    return done;
  }
  for (const Entry& entry : entries) {
    if (entry.name == command->name) return entry.function(arguments);
  }
  return usage_error;
}

std::optional<Site> load(const Arguments& arguments, std::string_view command) {
  Site site;
  const auto problems = load_config(arguments.get("config", default_config), !arguments.has("config"), site.config);
  if (!problems.empty()) {
    for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
    return std::nullopt;
  }
  site.state.path = arguments.get("state", site.config.hub.state);
  while (site.state.path.size() > 1 && site.state.path.back() == '/') site.state.path.pop_back();
  // A backup is written or read where only root may; all else belongs to the hub's own user.
  if (command != "backup" && command != "restore" && !platform::become_owner_of(site.state.path)) {
    fail(not_authorised, command, "root cannot act as the owner of " + site.state.path + " here; run this as its owner");
    return std::nullopt;
  }
  return site;
}

std::unique_ptr<Archive> open_for_reading(Site& site, std::string_view command, int& code) {
  if (!check_initialised(site, command)) {
    code = usage_error;
    return nullptr;
  }
  auto archive = open_sqlite_archive(site.state.archive(), ArchiveMode::read, site.log);
  if (archive) return std::move(*archive);
  code = fail(failed, command, site.state.archive() + ": " + describe(archive.error()));
  return nullptr;
}

bool check_initialised(const Site& site, std::string_view command) {
  if (site.state.is_initialised()) return true;
  fail(usage_error, command, "there is no hub in " + site.state.path + "; run 'tideline-hub init --state " + site.state.path + "' first");
  return false;
}

}  // namespace tideline::hub::cli
