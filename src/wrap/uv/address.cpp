#include "wrap/uv/address.hpp"

#include <netinet/in.h>
#include <uv.h>

#include <cstring>

#include "base/log.hpp"

namespace tideline::uv {
namespace {

const sockaddr_in& as_ipv4(const sockaddr* address) { return *reinterpret_cast<const sockaddr_in*>(address); }
const sockaddr_in6& as_ipv6(const sockaddr* address) { return *reinterpret_cast<const sockaddr_in6*>(address); }

}  // namespace

Result<Address> Address::parse(const std::string& host, uint16_t port) {
  static_assert(sizeof(sockaddr_in6) <= size_bytes && sizeof(sockaddr_in) <= size_bytes);
  Address result;
  if (uv_ip4_addr(host.c_str(), port, reinterpret_cast<sockaddr_in*>(result.bytes_.data())) == 0) return result;
  if (uv_ip6_addr(host.c_str(), port, reinterpret_cast<sockaddr_in6*>(result.bytes_.data())) == 0) return result;
  return Error{ErrorCode::invalid, 0, "not an IP address"};
}

Address Address::from(const sockaddr* address) {
  Address result;
  if (address->sa_family == AF_INET) std::memcpy(result.bytes_.data(), address, sizeof(sockaddr_in));
  if (address->sa_family == AF_INET6) std::memcpy(result.bytes_.data(), address, sizeof(sockaddr_in6));
  return result;
}

bool Address::is_empty() const { return raw()->sa_family == AF_UNSPEC; }
bool Address::is_ipv6() const { return raw()->sa_family == AF_INET6; }

bool Address::is_loopback() const {
  if (raw()->sa_family == AF_INET) return ntohl(as_ipv4(raw()).sin_addr.s_addr) >> 24 == 127;
  return is_ipv6() && IN6_IS_ADDR_LOOPBACK(&as_ipv6(raw()).sin6_addr);
}

uint16_t Address::port() const {
  if (is_empty()) return 0;
  return ntohs(is_ipv6() ? as_ipv6(raw()).sin6_port : as_ipv4(raw()).sin_port);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN + 1] = "";
  if (is_ipv6()) uv_ip6_name(&as_ipv6(raw()), text, sizeof text);
  else if (!is_empty()) uv_ip4_name(&as_ipv4(raw()), text, sizeof text);
  return text;
}

std::string Address::text() const {
  if (is_empty()) return "";
  return format(is_ipv6() ? "[%s]:%u" : "%s:%u", host().c_str(), unsigned{port()});
}

}  // namespace tideline::uv
