// Where `tideline ingest` and `tideline record` put their lines: the daemon's ingest.sock, or the store itself when no daemon
// runs. The same lines, the same replies (agent/inputs/ingest_session.hpp).
//
// Owned by a command. Thread: the one that runs the loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/config.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class IngestPort {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// A reply to #sync, without its end of line.
    virtual void on_reply(std::string_view line) = 0;
    /// There is room again after feed() took less than all.
    virtual void on_port_ready() = 0;
    /// The last event: the daemon went away.
    virtual void on_port_failed(const std::string& problem) = 0;
  };
  virtual ~IngestPort() = default;
  /// Returns how many bytes were taken; with less than all, wait for on_port_ready() and give the rest again.
  virtual size_t feed(Bytes bytes) = 0;
  /// Ends the last line and asks for a final reply.
  virtual void finish() = 0;

  /// The daemon's socket if one answers there, else the store. The text of a failure is for people.
  static std::unique_ptr<IngestPort> open(const Config& config, uv::Loop& loop, Log& log, Listener& listener, Error& error,
                                          std::string& problem);
};

}  // namespace tideline::agent
