// Inside wrap/openssl only: what goes into a session ticket.
#pragma once

#include "base/bytes.hpp"
#include "wrap/openssl/owned.hpp"

namespace tideline::openssl {

/// Takes the peer's certificate out of `session`: the identity stands beside it in the ticket, and half a kilobyte on every reconnect
/// is what a device pays for (the engine over mbedTLS leaves it out, too). False when the session is not to be used any more.
bool drop_certificate(SSL_SESSION* session);

/// The DER form of an SSL_SESSION without its element [3], the peer's certificate; empty when `der` is not such a form.
ByteBuffer without_certificate(Bytes der);

}  // namespace tideline::openssl
