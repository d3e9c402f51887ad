// The seal on state that a client holds for us: "v1." and base64url of expiry, HMAC-SHA-256 and the state. Anybody can read the state;
// nobody can change it, use it in another context, or use it late.
//
// Owned by whoever owns the servers. Thread: one. No memory of its own: a restart with another key makes every seal invalid.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "mcp/handler.hpp"

namespace tideline::mcp {

using SealKey = std::array<uint8_t, 32>;
/// From the kernel's generator.
SealKey random_seal_key();

class HmacSealer final : public Sealer {
 public:
  /// Nanoseconds of any clock that all holders of the key share: the wall clock between processes, else the monotonic one.
  using Clock = std::function<int64_t()>;

  HmacSealer(const SealKey& key, Clock clock, Duration life = limits::mcp_seal_life) : key_(key), clock_(std::move(clock)), life_(life) {}

  std::string seal(std::string_view state, std::string_view context) override;
  Result<std::string> open(std::string_view sealed, std::string_view context) override;

 private:
  SealKey key_;
  Clock clock_;
  Duration life_;
};

}  // namespace tideline::mcp
