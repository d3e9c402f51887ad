// Tells the supervisor how we are (sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET). Does nothing without one.
// Thread: the loop's; a message is one system call, and one that would say nothing new is not sent: each wakes the supervisor too.
#pragma once

#include <string>

#include "base/time.hpp"

namespace tideline::platform {

class Notifier {
 public:
  /// Reads $NOTIFY_SOCKET and $WATCHDOG_USEC once.
  Notifier();
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// At the start and after reloading().
  void ready(const std::string& status);
  void status(const std::string& status);
  void reloading();
  void stopping() { send("STOPPING=1"); }
  /// We make progress. Call it every watchdog_interval() or more often; a quarter of WatchdogSec apart they are passed on.
  void alive(Instant now);
  /// Half of WatchdogSec; a year when no watchdog is set.
  Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  void send(const std::string& message);
  int socket_ = -1;
  std::string path_;
  std::string status_;  // as sent last
  Duration watchdog_interval_ = hours(24 * 365);  // without one
  bool has_watchdog_ = false;
  Instant fed_;
};

}  // namespace tideline::platform
