// Host names to addresses, on libuv's helper threads.
//
// Owned by whoever connects. Thread: loop. Destroying it cancels: no event comes. A look-up that has begun keeps its helper
// thread until the system's resolver returns. Bounded by limits::resolved_addresses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wrap/uv/address.hpp"
#include "wrap/uv/loop.hpp"

struct uv_getaddrinfo_s;

namespace tideline::uv {

/// Forgets the request; its memory is freed when the helper thread is done.
struct ResolveCanceller {
  void operator()(uv_getaddrinfo_s* request) const;
};

class Resolver {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// In the system's order of preference (RFC 6724), at least one. Errors: unreachable (no such name, no answer).
    virtual void on_resolved(Resolver& resolver, Result<std::vector<Address>> addresses) = 0;
  };
  Resolver(Loop& loop, Listener& listener);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// One at a time: a new one replaces the last.
  void resolve(const std::string& host, uint16_t port);
  void cancel();

 private:
  friend struct ResolverCallbacks;
  Loop& loop_;
  Listener& listener_;
  std::unique_ptr<uv_getaddrinfo_s, ResolveCanceller> request_;
  uint16_t port_ = 0;
};

}  // namespace tideline::uv
