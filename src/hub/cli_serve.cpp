// `tideline-hub serve`.
#include <cstdio>

#include "base/limits.hpp"
#include "clock.hpp"
#include "hub/cli.hpp"
#include "hub/hub.hpp"
#include "open_files.hpp"
#include "small_file.hpp"

namespace tideline::hub::cli {
namespace {

/// Databases, the loop's own and what comes with a library.
constexpr size_t own_files = 64;

/// One descriptor for each connection: said at start, because later it looks like devices that cannot connect.
void tell_room(size_t files, const Config& config, Log& log) {
  const size_t wanted = static_cast<size_t>(config.link.connections) + limits::http_connections + own_files;
  if (files < wanted) log_info(log, "hub", "this process may open %zu files, fewer than [link] connections asks for: raise the limit (ulimit -n, LimitNOFILE=) to %zu for that many", files, wanted);
}

}  // namespace

int serve(const Arguments& arguments) {
  if (arguments.has("help-config")) {
    std::fputs(describe_config().c_str(), stdout);
    return done;
  }
  const auto site = load(arguments, "serve");
  if (!site) return usage_error;
  if (!arguments.words().empty()) return fail(usage_error, "serve", "'" + arguments.words().front() + "' is not an option");
  if (arguments.has("check")) {
    std::printf("the configuration is right\n");
    return done;
  }
  if (!check_initialised(*site, "serve")) return usage_error;
  if (!platform::file_exists(site->state.archive())) {
    return fail(failed, "serve", site->state.archive() + " is missing; put a backup in its place with 'tideline-hub restore FILE'");
  }
  platform::StderrLog log(site->config.hub.log_level);
  const size_t files = platform::raise_open_files();
  auto keys = load_keys(site->state);
  if (!keys) return fail(failed, "serve", "keys in " + site->state.path + ": " + describe(keys.error()));
  const auto renewed = renew_server_certificate(site->state, site->config.hub.names, site->config.certificates.server_life, platform::wall_clock(), *keys);
  if (!renewed && renewed.error().code == ErrorCode::invalid) return fail(usage_error, "serve", "[hub] names: " + describe(renewed.error()));
  if (!renewed) return fail(failed, "serve", site->state.server_certificate() + ": " + describe(renewed.error()));
  Hub hub(site->config, site->state, std::move(*keys), log);
  std::string problem;
  if (!hub.start(problem)) return fail(failed, "serve", problem);
  tell_room(files, site->config, log);
  hub.run();
  return done;
}

}  // namespace tideline::hub::cli
