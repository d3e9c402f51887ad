// What is under way at the desk of the context: shared by its two sources, nobody else's.
#pragma once

#include "hub/mcp/context_desk.hpp"

namespace tideline::hub {

/// A question under way; the store thread works on it while the loop leaves it alone.
struct ContextDesk::Reading {
  CallRef ref;
  ContextReading::Kind kind;
  ContextReading reading;
  std::string uri;  ///< when it is read as a resource
};

/// A write to some devices: until the archive holds it, then until they do or the time is over.
struct ContextDesk::Write {
  CallRef ref;
  std::string task;                ///< "" when a call waits for it
  std::string path;
  bool is_one = false;
  std::string note;                ///< for people, at the end of the answer
  bool shows_entry = false;        ///< as the device's own tool does
  Duration wait;
  std::vector<ContextTarget> targets;
  std::vector<ContextWritten> results;
  std::unordered_map<DeviceKey, size_t> waiting;  ///< for the device to hold it: its place in results
  UtcNanos until;                  ///< by the wall clock: it outlives the hub
  Instant deadline = never;
  bool is_waiting = false;
};

}  // namespace tideline::hub
