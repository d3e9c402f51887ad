#include "network.hpp"

#include <gtest/gtest.h>

namespace tideline::platform {
namespace {

TEST(Network, this_machine_is_reached_by_its_loopback) {
  EXPECT_EQ(interface_towards("127.0.0.1"), "lo");
  const std::string six = interface_towards("::1");
  EXPECT_TRUE(six == "lo" || six.empty()) << six;  // "": a machine without IPv6
}

TEST(Network, what_is_no_address_has_no_interface) {
  for (const char* wrong : {"", "hub.example", "127.0.0.1:7443", "[::1]"}) EXPECT_EQ(interface_towards(wrong), "") << wrong;
}

}  // namespace
}  // namespace tideline::platform
