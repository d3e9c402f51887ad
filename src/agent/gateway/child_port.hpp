// The process of a child server as its supervisor sees it. Tests script it; child_process.hpp is the real one.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace tideline::agent {

class ChildPort {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_line(std::string_view line) = 0;
    /// A line beyond limits::mcp_line_bytes was passed over.
    virtual void on_long_line() = 0;
    /// `how` is for people: "exit code 1", "signal 9".
    virtual void on_exit(const std::string& how) = 0;
    /// The time given to wake_at() has come.
    virtual void on_alarm() = 0;
  };
  virtual ~ChildPort() = default;
  /// Errors: not_found or denied (the program or the directory), io.
  virtual Status start(Listener& listener) = 0;
  /// Nothing happens when it does not run.
  virtual void send(std::string line) = 0;
  /// Not yet taken by the child.
  virtual size_t queued_bytes() const = 0;
  /// Asks it to end, then makes it: on_exit() follows, never from within. Nothing happens when it does not run.
  virtual void stop() = 0;
  virtual int pid() const = 0;
  /// One alarm, replacing the one before; `never`: none.
  virtual void wake_at(Instant at) = 0;
};

}  // namespace tideline::agent
