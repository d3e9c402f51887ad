// tideline: the edge agent and its command line. Each command is one function; the daemon's parts are members of Agent.
#include <cstdio>
#include <span>

#include "agent/cli.hpp"
#include "base/arguments.hpp"
#include "memory.hpp"

int main(int argc, char** argv) {
  using namespace tideline;
  platform::return_large_buffers();
  platform::end_when_memory_is_refused();
  const std::span<const char* const> all(argv, static_cast<size_t>(argc));
  std::span<const char* const> words = all.subspan(all.empty() ? 0 : 1);
  if (words.empty() || std::string_view(words[0]) == "--help" || std::string_view(words[0]) == "help") {
    std::fputs(agent::cli::overview().c_str(), words.empty() ? stderr : stdout);
    return words.empty() ? agent::cli::usage_error : agent::cli::done;
  }
  if (std::string_view(words[0]) == "--version") {
    std::printf("tideline %s\n", TIDELINE_VERSION);
    return agent::cli::done;
  }
  return agent::cli::run(words);
}
