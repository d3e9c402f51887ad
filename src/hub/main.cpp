// tideline-hub: the hub and its command line. Each command is one function; the server's parts are members of Hub.
#include <cstdio>
#include <span>

#include "hub/cli.hpp"
#include "memory.hpp"

int main(int argc, char** argv) {
  using namespace tideline;
  platform::return_large_buffers();
  platform::end_when_memory_is_refused();
  const std::span<const char* const> all(argv, static_cast<size_t>(argc));
  const std::span<const char* const> words = all.subspan(all.empty() ? 0 : 1);
  if (words.empty() || std::string_view(words[0]) == "--help" || std::string_view(words[0]) == "help") {
    std::fputs(hub::cli::overview().c_str(), words.empty() ? stderr : stdout);
    return words.empty() ? hub::cli::usage_error : hub::cli::done;
  }
  if (std::string_view(words[0]) == "--version") {
    std::printf("tideline-hub %s\n", TIDELINE_VERSION);
    return hub::cli::done;
  }
  return hub::cli::run(words);
}
