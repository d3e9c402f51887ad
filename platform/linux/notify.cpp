#include "notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/log.hpp"

namespace tideline::platform {

Notifier::Notifier() {
  const char* microseconds = std::getenv("WATCHDOG_USEC");
  const char* process = std::getenv("WATCHDOG_PID");  // inherited from a parent that is watched, it is not for us
  has_watchdog_ = microseconds != nullptr && std::atoll(microseconds) > 0 && (process == nullptr || std::atoll(process) == ::getpid());
  if (has_watchdog_) watchdog_interval_ = nanoseconds(std::atoll(microseconds) * 1000 / 2);
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  path_ = path;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

Notifier::~Notifier() {
  if (socket_ >= 0) ::close(socket_);
}

void Notifier::ready(const std::string& status) {
  status_ = status;
  send("READY=1\nSTATUS=" + status);
}

void Notifier::status(const std::string& status) {
  if (status == status_) return;
  status_ = status;
  send("STATUS=" + status);
}

/// The supervisor compares the time with its own CLOCK_MONOTONIC, which stands still in suspend, unlike now().
void Notifier::reloading() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  send(format("RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000));
}

void Notifier::alive(Instant now) {
  if (!has_watchdog_ || now - fed_ < nanoseconds(watchdog_interval_.nanos / 2)) return;
  fed_ = now;
  send("WATCHDOG=1");
}

void Notifier::send(const std::string& message) {
  sockaddr_un address{};
  if (socket_ < 0 || path_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (path_[0] == '@') address.sun_path[0] = '\0';  // abstract name
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  (void)::sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace tideline::platform
