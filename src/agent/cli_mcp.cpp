// `tideline mcp`: what an AI application launches. Beside a daemon a bridge to agent.sock; without one the agent itself, for as long as the
// application keeps it.
#include <cstdio>
#include <thread>

#include "agent/agent.hpp"
#include "agent/cli.hpp"
#include "agent/local_daemon.hpp"
#include "agent/options.hpp"
#include "agent/stdio_bridge.hpp"
#include "clock.hpp"
#include "stderr_log.hpp"

namespace tideline::agent::cli {
namespace {

/// True when a daemon answered and its session is over.
bool bridge(const Config& config, int& code) {
  uv::Loop loop;
  StdioBridge bridge(loop);
  auto stream = connect_daemon(loop, bridge, control_socket(config));
  if (stream == nullptr) return false;
  switch (bridge.run(std::move(stream))) {
    case StdioBridge::End::application_left: code = done; break;
    case StdioBridge::End::daemon_left:
      code = fail(unreachable, "mcp", "the agent behind " + control_socket(config) + " went away; start this again when it runs");
      break;
    case StdioBridge::End::stdio_failed: code = fail(failed, "mcp", "standard input or output cannot be used"); break;
  }
  return true;
}

}  // namespace

int mcp(const Arguments& arguments) {
  Config config;
  int code = done;
  if (!load(arguments, "mcp", config, code)) return code;
  platform::StderrLog log(config.log.level);
  const Instant patience = platform::now() + limits::lock_patience;
  while (true) {
    if (bridge(config, code)) return code;
    std::string problem;
    Agent agent(config, log);
    const Status started = agent.start(problem);
    if (started) {
      if (const Status served = agent.serve_stdio(); !served) return fail(failed, "mcp", "standard input or output cannot be used");
      agent.run();
      return done;
    }
    // Held, but nobody answers: another one of us is starting, or a command is at work.
    if (started.error().code != ErrorCode::busy || platform::now() >= patience) return fail(exit_code(started.error()), "mcp", problem);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace tideline::agent::cli
