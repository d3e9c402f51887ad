#include "notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "support/temp_dir.hpp"

namespace tideline::platform {
namespace {

/// A supervisor: the socket it listens on, and the environment it gives.
class Notify : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = directory_.file("notify");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "8000000", 1);
  }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    ::close(socket_);
  }
  /// The next message; "" when there is none.
  std::string heard() const {
    char text[512];
    const ssize_t size = ::recv(socket_, text, sizeof text, 0);
    return size > 0 ? std::string(text, static_cast<size_t>(size)) : "";
  }
  test::TempDir directory_;
  int socket_ = -1;
};

TEST_F(Notify, ready_and_stopping_are_told) {
  Notifier notifier;
  notifier.ready("online");
  EXPECT_EQ(heard(), "READY=1\nSTATUS=online");
  notifier.stopping();
  EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(Notify, a_status_is_told_once) {
  Notifier notifier;
  notifier.ready("online");
  (void)heard();
  notifier.status("online");
  EXPECT_EQ(heard(), "");
  notifier.status("offline");
  EXPECT_EQ(heard(), "STATUS=offline");
}

TEST_F(Notify, signs_of_life_are_a_quarter_of_the_watchdog_time_apart) {
  Notifier notifier;
  EXPECT_EQ(notifier.watchdog_interval(), seconds(4));
  const Instant start{seconds(100).nanos};
  notifier.alive(start);
  EXPECT_EQ(heard(), "WATCHDOG=1");
  notifier.alive(start + milliseconds(1900));
  EXPECT_EQ(heard(), "");
  notifier.alive(start + seconds(2));
  EXPECT_EQ(heard(), "WATCHDOG=1");
}

TEST_F(Notify, a_watchdog_of_another_process_is_not_fed) {
  ::setenv("WATCHDOG_PID", "1", 1);
  Notifier notifier;
  notifier.alive(Instant{seconds(100).nanos});
  EXPECT_EQ(heard(), "");
}

TEST_F(Notify, a_reload_carries_the_supervisors_clock) {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  Notifier notifier;
  notifier.reloading();
  const std::string text = heard();
  ASSERT_TRUE(text.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << text;
  const long long told = std::atoll(text.c_str() + text.rfind('=') + 1);
  const long long before = static_cast<long long>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
  EXPECT_GE(told, before);
  EXPECT_LT(told, before + 60'000'000);
}

TEST_F(Notify, without_a_supervisor_nothing_happens) {
  ::unsetenv("NOTIFY_SOCKET");
  Notifier notifier;
  notifier.ready("online");
  EXPECT_EQ(heard(), "");
}

}  // namespace
}  // namespace tideline::platform
