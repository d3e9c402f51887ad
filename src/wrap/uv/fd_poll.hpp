// Says when a descriptor of ours (GPIO line, netlink, event device) can be read or has an urgent condition.
//
// Owned by the input that owns the descriptor, which stays open for as long as this lives. Thread: loop.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "wrap/uv/loop.hpp"

struct uv_poll_s;

namespace tideline::uv {

struct PollCloser {
  void operator()(uv_poll_s* handle) const;
};

class FdPoll {
 public:
  enum class Event : uint8_t { readable, writable, priority };
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_ready(FdPoll& poll) = 0;
    /// The descriptor can no longer be polled. The last event.
    virtual void on_poll_failed(FdPoll& poll, Error error) = 0;
  };
  /// Sets `fd` to non-blocking. Errors: unsupported (regular files cannot be polled), invalid.
  static Result<std::unique_ptr<FdPoll>> open(Loop& loop, Listener& listener, int fd, Event event);
  ~FdPoll();
  FdPoll(const FdPoll&) = delete;
  FdPoll& operator=(const FdPoll&) = delete;

 private:
  friend struct PollCallbacks;
  explicit FdPoll(Listener& listener) : listener_(listener) {}
  Listener& listener_;
  std::unique_ptr<uv_poll_s, PollCloser> handle_;
};

}  // namespace tideline::uv
