// One look at a child server, for status and doctor. Plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tideline::agent {

struct ChildStatus {
  std::string name;
  std::string state;       ///< "asleep", "starting", "ready", "waiting" (to be started again), "stopping", "stopped"
  int pid = 0;
  std::string revision;    ///< of the protocol, "" while unknown
  size_t tools = 0;
  size_t calls = 0;        ///< under way
  uint64_t starts = 0;
  uint64_t failures = 0;   ///< times it ended by itself, or did not start
  std::string last_exit;   ///< "" when it never ended by itself
  std::vector<std::string> quarantined;  ///< definitions that are not offered, with the reasons
};

}  // namespace tideline::agent
