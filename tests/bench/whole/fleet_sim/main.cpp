// fleet_sim: many devices in one process, for the benchmark of the hub (fleet.py).
#include <sys/resource.h>

#include <cstdio>

#include "base/arguments.hpp"
#include "fleet.hpp"
#include "identities.hpp"

namespace {

using tideline::Arguments;
using tideline::Command;
using tideline::Option;

constexpr Option identity_options[] = {{"ca", "FILE", "the hub's ca.crt"}, {"ca-key", "FILE", "the hub's ca.key"},
                                       {"first", "N", "number of the first device"}, {"count", "N", "how many"}};
constexpr Option run_options[] = {{"port", "N", "the hub's, on 127.0.0.1"}, {"devices", "N", "how many"},
                                  {"readings", "N", "of one block"}, {"series", "N", "of one block"}};
constexpr Command commands[] = {{"identities", "DIRECTORY", "makes certificates for devices, prints their fingerprints", "", identity_options},
                                {"run", "DIRECTORY", "is the devices; commands come on standard input", "", run_options}};

unsigned number(const Arguments& arguments, std::string_view name, const char* otherwise) {
  return static_cast<unsigned>(std::strtoul(arguments.get(name, otherwise).c_str(), nullptr, 10));
}

int run(const Arguments& arguments) {
  // One descriptor a device, and a few.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  tideline::bench::FleetOptions options;
  options.identities = arguments.words()[0];
  options.port = static_cast<uint16_t>(number(arguments, "port", "0"));
  options.devices = number(arguments, "devices", "1");
  options.block_readings = number(arguments, "readings", "250");
  options.block_series = number(arguments, "series", "4");
  tideline::bench::Fleet fleet(options);
  return fleet.run().has_value() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::span<const char* const> words(argv + 1, static_cast<size_t>(argc - 1));
  const Command* command = tideline::find_command(commands, words);
  Arguments arguments;
  std::string error;
  if (command == nullptr || !Arguments::parse(*command, words, arguments, error) || arguments.words().size() != 1) {
    std::fprintf(stderr, "fleet_sim: %s\n", error.empty() ? "'identities DIRECTORY' or 'run DIRECTORY'" : error.c_str());
    return 2;
  }
  if (command->name == "run") return run(arguments);
  const tideline::Status made = tideline::bench::make_identities(arguments.words()[0], arguments.get("ca"), arguments.get("ca-key"),
                                                                 number(arguments, "first", "0"), number(arguments, "count", "1"));
  if (!made) std::fprintf(stderr, "fleet_sim: %s: %s\n", made.error().context, tideline::error_name(made.error().code));
  return made ? 0 : 1;
}
