// The kernel chooses a source address for a datagram that is never sent (connect(2) on UDP), and that address has an interface. All
// of it without netlink, which a sandboxed service may not use.
#include "network.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/text.hpp"
#include "linux/host.hpp"

namespace tideline::platform {
namespace {

/// The interface that owns this IPv4 address.
std::string owner_of(int socket, in_addr address) {
  ifreq requests[64];
  ifconf list{};
  list.ifc_len = sizeof requests;
  list.ifc_req = requests;
  if (::ioctl(socket, SIOCGIFCONF, &list) != 0) return "";
  const size_t count = static_cast<size_t>(list.ifc_len) / sizeof requests[0];
  for (size_t i = 0; i < count; ++i) {
    sockaddr_in owned{};
    std::memcpy(&owned, &requests[i].ifr_addr, sizeof owned);
    if (owned.sin_addr.s_addr != address.s_addr) continue;
    const std::string name(requests[i].ifr_name, ::strnlen(requests[i].ifr_name, IFNAMSIZ));
    return name.substr(0, name.find(':'));  // eth0:1 is a second address of eth0
  }
  return "";
}

/// /proc/net/if_inet6: "fe80000000000000021122fffe334455 02 40 20 80     eth0".
std::string owner_of(const in6_addr& address) {
  std::string text;
  if (!read_file("/proc/net/if_inet6", text)) return "";
  const std::string wanted = to_hex(address.s6_addr, sizeof address.s6_addr);
  std::string_view rest = text;
  std::string_view line;
  while (next_line(rest, line)) {
    const std::vector<std::string_view> words = split_words(line, 6);
    if (words.size() == 6 && words[0] == wanted) return std::string(words[5]);
  }
  return "";
}

template <class Address>
bool source_towards(int socket, const Address& peer, Address& source) {
  socklen_t size = sizeof source;
  return socket >= 0 && ::connect(socket, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0 &&
         ::getsockname(socket, reinterpret_cast<sockaddr*>(&source), &size) == 0;
}

}  // namespace

std::string interface_towards(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));
  constexpr uint16_t any_port = 9;
  std::string name;
  sockaddr_in peer{};
  sockaddr_in6 peer6{};
  if (::inet_pton(AF_INET, text.c_str(), &peer.sin_addr) == 1) {
    peer.sin_family = AF_INET;
    peer.sin_port = htons(any_port);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in source{};
    if (source_towards(socket, peer, source)) name = owner_of(socket, source.sin_addr);
    if (socket >= 0) ::close(socket);
  } else if (::inet_pton(AF_INET6, text.c_str(), &peer6.sin6_addr) == 1) {
    peer6.sin6_family = AF_INET6;
    peer6.sin6_port = htons(any_port);
    const int socket = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 source{};
    if (source_towards(socket, peer6, source)) name = owner_of(source.sin6_addr);
    if (socket >= 0) ::close(socket);
  }
  return name;
}

}  // namespace tideline::platform
