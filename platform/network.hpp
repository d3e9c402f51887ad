// Over which network interface a peer is reached. Thread: any; asks the kernel, sends nothing.
#pragma once

#include <string>
#include <string_view>

namespace tideline::platform {

/// Name of the interface ("eth0", "wwan0") that the route to `address` leaves by: a numeric IPv4 or IPv6 address, without port.
/// "" when there is no route or no telling.
std::string interface_towards(std::string_view address);

}  // namespace tideline::platform
