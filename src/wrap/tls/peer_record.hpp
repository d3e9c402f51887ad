// Inside wrap/tls only: a peer's identity as bytes, kept beside a session in tickets and saved sessions, because a resumed
// session shows no certificate.
#pragma once

#include <optional>

#include "wrap/tls/crypto.hpp"
#include "wrap/tls/session.hpp"

namespace tideline::tls {

/// What stands before mbedTLS's own form of a session.
struct SessionRecord {
  Digest binding{};          ///< hash of all that the session depends on: trust, name, own certificate
  UtcNanos made_at;
  std::optional<Peer> peer;  ///< verified
};

ByteBuffer write_record(const SessionRecord& record);
/// Takes a record from the front of `bytes`; nothing when it is not whole.
std::optional<SessionRecord> read_record(Bytes& bytes);

}  // namespace tideline::tls
