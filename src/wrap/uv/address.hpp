// An IPv4 or IPv6 address with a port: a plain value that hides sockaddr.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/result.hpp"

struct sockaddr;

namespace tideline::uv {

class Address {
 public:
  Address() = default;
  /// `host` is numeric ("192.0.2.1", "::1", "::"). Errors: invalid.
  static Result<Address> parse(const std::string& host, uint16_t port);
  /// Copies a sockaddr_in or sockaddr_in6; anything else gives an empty address.
  static Address from(const sockaddr* address);

  bool is_empty() const;
  bool is_ipv6() const;
  bool is_loopback() const;
  uint16_t port() const;
  /// "192.0.2.1" or "::1".
  std::string host() const;
  /// "192.0.2.1:8443" or "[::1]:8443"; "" when empty.
  std::string text() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(bytes_.data()); }

 private:
  static constexpr size_t size_bytes = 28;  // sockaddr_in6, the larger one
  alignas(8) std::array<uint8_t, size_bytes> bytes_{};
};

}  // namespace tideline::uv
