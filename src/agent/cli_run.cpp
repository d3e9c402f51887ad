// `tideline run`, and what every command needs first: the configuration.
#include <cstdio>
#include <memory>

#include "agent/agent.hpp"
#include "agent/cli.hpp"
#include "agent/options.hpp"
#include "privileges.hpp"
#include "run_again.hpp"
#include "stderr_log.hpp"

namespace tideline::agent::cli {

namespace {

ConfigResult load_with_options(const Arguments& arguments, std::string_view overlay = {}) {
  const std::string path = arguments.get("config", default_config_file);
  ConfigResult result = load_config(path, arguments.has("config") ? ConfigFile::required : ConfigFile::optional, overlay);
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
  const RemoteConfigState remote = begin_remote_config(state_directory(config), log);
  const std::string& overlay = RemoteConfig::overlay_of(remote);
  if (ConfigResult under = load_with_options(arguments, overlay); under.is_sound()) {
    config = std::move(under.config);
  } else {
    // The file changed meanwhile: what it says goes before what the hub said.
    log_warning(log, "config", "what the hub configured does not fit the configuration file and is left out: %s", under.problems.front().c_str());
  }
  const ConfigLoader load_again = [&arguments](std::string_view over) { return load_with_options(arguments, over); };
  auto agent = std::make_unique<Agent>(config, log);
  agent->reload_on_hangup(load_again);
  agent->follow_hub(remote, load_again);
  std::string problem;
  if (const Status started = agent->start(problem); !started) return fail(failed, "run", problem);
  if (agent->run() == Agent::Ending::for_good) return done;
  agent.reset();
  platform::run_again();
  return fail(failed, "run", "cannot begin anew; a supervisor would start it again");
}

}  // namespace tideline::agent::cli
