#include "agent/cli.hpp"

#include <cstdio>

namespace tideline::agent::cli {
namespace {

constexpr Option config_option{"config", "FILE", "configuration (default /etc/tideline/agent.toml, may be missing)"};
constexpr Option state_option{"state", "DIR", "state directory (default /var/lib/tideline)"};
constexpr Option json_option{"json", "", "print one JSON document"};

constexpr Option run_options[] = {config_option, state_option, {"check", "", "check the configuration and exit"}, {"help-config", "", "list every configuration key and exit"}};
constexpr Option plain_options[] = {config_option, state_option};
constexpr Option ingest_options[] = {config_option, state_option, json_option};
constexpr Option query_options[] = {
    config_option, state_option, json_option,
    {"series", "SELECTOR", "name glob and labels: 'temp*', 'temp{room=a}' (default: all)"},
    {"since", "AGE", "from AGE ago: 90s, 15m, 24h"},
    {"from", "TIME", "from TIME on: 2026-11-21T06:00:00Z, 2026-11-21, or seconds since 1970"},
    {"to", "TIME", "up to TIME, not including it"},
    {"aggregate", "NAME", "mean, min, max, sum, count, first or last instead of the readings"},
    {"step", "WIDTH", "width of the buckets of --aggregate: 10s, 1m, 1h (default: one bucket)"},
    {"limit", "N", "at most N rows, the newest (default 1000, most 100000)"},
    {"gaps", "", "tell only what is missing"}};
constexpr Option status_options[] = {config_option, state_option, json_option, {"watch", "", "repeat every second until interrupted"}};
constexpr Option enroll_options[] = {config_option, state_option,
                                     {"token", "TOKEN", "the one-time token from 'tideline-hub token create'"},
                                     {"ca-fingerprint", "SHA256", "fingerprint of the hub's certificate authority, 64 hexadecimal digits"},
                                     {"device", "ID", "device id (default: [device] id, else the host name)"}};
constexpr Option version_option{"if-version", "V", "only if the entry still has this version ('': only if nothing is there)"};
constexpr Option context_get_options[] = {config_option, state_option, json_option, {"history", "", "earlier writes too, newest first"}};
constexpr Option context_set_options[] = {config_option, state_option, json_option, version_option,
                                          {"merge", "", "merge into the object that is there (RFC 7396) instead of replacing it"},
                                          {"ttl", "AGE", "the entry expires after this time: 90s, 5m, 24h"},
                                          {"text", "", "take VALUE as a text, not as JSON"}};
constexpr Option context_delete_options[] = {config_option, state_option, json_option, version_option};
constexpr Option context_list_options[] = {config_option, state_option, {"json", "", "print one JSON document a line"},
                                           {"conflicts", "", "only entries that device and hub wrote without knowing of each other"}};
constexpr Option context_watch_options[] = {config_option, state_option, {"json", "", "print one JSON document a line"}};
constexpr Option doctor_options[] = {config_option, state_option, json_option};

constexpr Command commands[] = {
    {"run", "", "run the agent: sample, buffer, serve local sockets, sync to the hub",
     "Runs in the foreground until SIGTERM or SIGINT. Without a configuration file it samples this host and queues.", run_options},
    {"mcp", "", "serve AI applications over standard input and output (Model Context Protocol)",
     "An AI application starts this: {\"command\": \"tideline\", \"args\": [\"mcp\"]}. With a running agent it connects to that; without one it\n"
     "is the agent for as long as it lives, and others find it. Exit code 4: the agent went away.", plain_options},
    {"record", "NAME=VALUE...", "store readings; exit code 0 means they are on the disk",
     "examples:\n  tideline record temp=21.4 pump.on=true\n  tideline record 'temp{room=a}=21.4' count=7i 'note=\"filter changed\"'", plain_options},
    {"ingest", "", "store readings from standard input, one a line (Influx line protocol or JSON)",
     "examples:\n  printf 'temp,room=a v=21.5\\n' | tideline ingest\n  echo '{\"series\":\"temp\",\"value\":21.5,\"unit\":\"Cel\"}' | tideline ingest\n\n"
     "Exit code 0: every line is on the disk. 1: some lines were wrong (they are named) or could not be stored.", ingest_options},
    {"query", "", "readings and gaps held on this device",
     "examples:\n  tideline query --series 'temp*' --since 1h\n  tideline query --series cpu.percent --since 24h --aggregate mean --step 15m", query_options},
    {"status", "", "backlog, link, disk, clock and sensors at a glance", "", status_options},
    {"context get", "PATH", "one entry of the context that this device and the hub share", "example: tideline context get pump/7/setpoint\n\nExit code 1: nothing is there.", context_get_options},
    {"context set", "PATH VALUE", "write an entry; exit code 0 means it is on the disk",
     "VALUE is JSON. examples:\n  tideline context set mode '\"eco\"'\n  tideline context set mode eco --text\n  tideline context set pump/7 '{\"limit\": 5}' --merge", context_set_options},
    {"context delete", "PATH", "delete an entry", "", context_delete_options},
    {"context list", "[PREFIX]", "entries and their values", "", context_list_options},
    {"context watch", "[PREFIX]", "print changes as they come, from either side, until interrupted", "", context_watch_options},
    {"enroll", "HUB:PORT", "make this device's key, prove the token, get a certificate from the hub",
     "The key is made here and never leaves. The command to paste is printed by 'tideline-hub token create'.", enroll_options},
    {"doctor", "", "check configuration, store, clock, sensors, identity and hub; say what to do", "", doctor_options},
    {"verify", "", "read back every stored block and check it", "", doctor_options},
};

constexpr std::string_view purpose =
    "Tideline edge agent: samples sensors, takes readings from programs, keeps them on disk while there is no connection,\n"
    "and syncs them to a hub.";

struct Entry {
  std::string_view name;
  int (*function)(const Arguments&);
};
constexpr Entry entries[] = {{"run", run_daemon}, {"mcp", mcp},       {"record", record}, {"ingest", ingest}, {"query", query},
                             {"status", status},  {"enroll", enroll}, {"doctor", doctor}, {"verify", verify},
                             {"context get", context_get},       {"context set", context_set},   {"context delete", context_delete},
                             {"context list", context_list},     {"context watch", context_watch}};

}  // namespace

std::string overview() { return program_help("tideline", purpose, commands); }

int fail(int code, std::string_view command, const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "tideline %.*s: %s\n", static_cast<int>(command.size()), command.data(), text.c_str());
  return code;
}

int exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid: return usage_error;
    case ErrorCode::denied: return not_authorised;
    case ErrorCode::unreachable: return unreachable;
    default: return failed;
  }
}

std::string describe(const Error& error) {
  std::string text = std::string(error.context) + ": " + error_name(error.code);
  if (error.native != 0) text += " (" + std::to_string(error.native) + ")";
  return text;
}

int run(std::span<const char* const> words) {
  const char* first = words[0];
  const Command* command = find_command(commands, words);
  if (command == nullptr) {
    std::vector<std::string_view> names;
    for (const Command& known : commands) names.push_back(known.name);
    const std::string_view near = nearest_name(first, names);
    std::fprintf(stderr, "tideline: unknown command '%s'%s\n", first,
                 near.empty() ? "; see 'tideline --help'" : ("; did you mean '" + std::string(near) + "'?").c_str());
    return usage_error;
  }
  Arguments arguments;
  std::string error;
  if (!Arguments::parse(*command, words, arguments, error)) return fail(usage_error, command->name, error);
  if (arguments.wants_help()) {
    std::fputs(command_help("tideline", *command).c_str(), stdout);
    return done;
  }
  for (const Entry& entry : entries) {
    if (entry.name == command->name) return entry.function(arguments);
  }
  return usage_error;
}

}  // namespace tideline::agent::cli
