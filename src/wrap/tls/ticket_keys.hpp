// The keys that protect session tickets: what makes a reconnect cost 0.04 ms instead of 8 (research in src/DECISIONS.md).
//
// Owned by the hub's composition root, used by its server Context. Thread: loop. The hub keeps saved() across restarts, so that a
// restart is not a storm of full handshakes. A ticket is sealed with ChaCha20-Poly1305 under the current key and opened under the
// current or the one before; key material is never logged.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace tideline::tls {

/// Keys for a library that seals tickets itself, derived from one of ours (HMAC-SHA-256 over a label).
struct TicketSecret {
  std::array<uint8_t, 16> name{};
  std::array<uint8_t, 32> cipher{};
  std::array<uint8_t, 32> mac{};
};

class TicketKeys {
 public:
  static constexpr size_t saved_bytes = 72;
  /// 12 bytes of nonce before, 16 of tag behind.
  static constexpr size_t overhead_bytes = 4 + 12 + 16;

  /// New random keys, in force from `now`.
  explicit TicketKeys(UtcNanos now);
  /// As saved earlier. Errors: corrupt (length).
  static Result<TicketKeys> restore(Bytes saved);
  TicketKeys(TicketKeys&& other) noexcept = default;
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  TicketKeys& operator=(TicketKeys&&) = delete;
  ~TicketKeys();

  /// Once limits::ticket_life has passed: a new current key, the old one still opens. True when the keys changed and should be
  /// saved. A clock that went back counts as due, too.
  bool rotate(UtcNanos now);
  ByteBuffer saved() const;

  ByteBuffer seal(Bytes plain) const;
  /// Nothing when no key of ours sealed it.
  std::optional<ByteBuffer> open(Bytes sealed) const;

  TicketSecret sealing_secret() const;
  /// Of the current key or the one before, by the name that stands in front of a ticket; nothing when it is neither's.
  std::optional<TicketSecret> opening_secret(Bytes name) const;

 private:
  using Key = std::array<uint8_t, 32>;
  TicketKeys() = default;

  Key current_{};
  Key previous_{};
  UtcNanos since_;
};

}  // namespace tideline::tls
