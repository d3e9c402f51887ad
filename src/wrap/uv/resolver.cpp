#include "wrap/uv/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <uv.h>

#include "base/limits.hpp"

namespace tideline::uv {
namespace {

std::vector<Address> copy_addresses(const addrinfo* list, uint16_t port) {
  std::vector<Address> addresses;
  for (const addrinfo* item = list; item != nullptr && addresses.size() < limits::resolved_addresses; item = item->ai_next) {
    if (item->ai_family == AF_INET) {
      sockaddr_in address = *reinterpret_cast<const sockaddr_in*>(item->ai_addr);
      address.sin_port = htons(port);
      addresses.push_back(Address::from(reinterpret_cast<const sockaddr*>(&address)));
    } else if (item->ai_family == AF_INET6) {
      sockaddr_in6 address = *reinterpret_cast<const sockaddr_in6*>(item->ai_addr);
      address.sin6_port = htons(port);
      addresses.push_back(Address::from(reinterpret_cast<const sockaddr*>(&address)));
    }
  }
  return addresses;
}

}  // namespace

struct ResolverCallbacks {
  static void on_addresses(uv_getaddrinfo_t* request, int status, addrinfo* list) {
    auto* const resolver = static_cast<Resolver*>(request->data);
    if (resolver == nullptr) {
      uv_freeaddrinfo(list);
      delete request;
      return;
    }
    std::vector<Address> addresses = copy_addresses(list, resolver->port_);
    uv_freeaddrinfo(list);
    delete resolver->request_.release();
    if (status == 0 && addresses.empty()) status = UV_EAI_NONAME;
    if (status < 0) {
      // Every other answer of the resolver (no server, no memory of it) means the same to us: not reachable now.
      return resolver->listener_.on_resolved(*resolver, Error{ErrorCode::unreachable, status, "resolve host name"});
    }
    resolver->listener_.on_resolved(*resolver, std::move(addresses));
  }
};

void ResolveCanceller::operator()(uv_getaddrinfo_s* request) const {
  request->data = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(request));
}

Resolver::Resolver(Loop& loop, Listener& listener) : loop_(loop), listener_(listener) {}
Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  port_ = port;
  auto* const request = new uv_getaddrinfo_t;
  request->data = this;
  const int code = uv_getaddrinfo(loop_.raw(), request, &ResolverCallbacks::on_addresses, host.c_str(), nullptr, &hints);
  if (code == 0) {
    request_.reset(request);
    return;
  }
  delete request;
  request_.reset();
  listener_.on_resolved(*this, Error{ErrorCode::unreachable, code, "resolve host name"});
}

void Resolver::cancel() { request_.reset(); }

}  // namespace tideline::uv
