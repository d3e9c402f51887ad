// `tideline run`, and what every command needs first: the configuration.
#include <cstdio>

#include "agent/agent.hpp"
#include "agent/cli.hpp"
#include "agent/options.hpp"
#include "privileges.hpp"
#include "stderr_log.hpp"

namespace tideline::agent::cli {

namespace {

ConfigResult load_with_options(const Arguments& arguments) {
  const std::string path = arguments.get("config", default_config_file);
  ConfigResult result = load_config(path, arguments.has("config") ? ConfigFile::required : ConfigFile::optional);
  if (arguments.has("state")) result.config.store.directory = arguments.get("state");
  return result;
}

}  // namespace

bool load(const Arguments& arguments, std::string_view command, Config& out, int& code) {
  ConfigResult result = load_with_options(arguments);
  if (!result.is_sound()) {
    for (const std::string& problem : result.problems) code = fail(usage_error, command, problem);
    return false;
  }
  out = std::move(result.config);
  if (!platform::become_owner_of(state_directory(out))) {
    code = fail(not_authorised, command, "root cannot act as the owner of " + state_directory(out) + " here; run this as its owner");
    return false;
  }
  return true;
}

int run_daemon(const Arguments& arguments) {
  if (arguments.has("help-config")) {
    std::fputs(config_help().c_str(), stdout);
    return done;
  }
  Config config;
  int code = done;
  if (!load(arguments, "run", config, code)) return code;
  if (arguments.has("check")) {
    std::printf("configuration is sound: %zu inputs, %zu series rules, hub %s\n", config.inputs.size(), config.series.size(),
                config.hub.address.empty() ? "not set" : config.hub.address.c_str());
    return done;
  }
  platform::StderrLog log(config.log.level);
  Agent agent(config, log);
  agent.reload_on_hangup([&arguments] { return load_with_options(arguments); });
  std::string problem;
  if (const Status started = agent.start(problem); !started) return fail(failed, "run", problem);
  agent.run();
  return done;
}

}  // namespace tideline::agent::cli
