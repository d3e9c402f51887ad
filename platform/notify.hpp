// Tells the supervisor how we are (sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET). Does nothing without one.
// Thread: any; a message is one system call.
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

  void ready(const std::string& status) { send("READY=1\nSTATUS=" + status); }
  void status(const std::string& status) { send("STATUS=" + status); }
  void reloading();
  void stopping() { send("STOPPING=1"); }
  void alive() { send("WATCHDOG=1"); }
  /// How often alive() must be called at most (half of WatchdogSec), 0 when no watchdog is set.
  Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  void send(const std::string& message);
  int socket_ = -1;
  std::string path_;
  Duration watchdog_interval_;
};

}  // namespace tideline::platform
