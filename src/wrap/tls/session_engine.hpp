// Inside wrap/tls only: what a Session holds of mbedTLS, and the functions that mbedTLS calls back.
#pragma once

#include <mbedtls/ssl.h>

#include <optional>
#include <string>

#include "wrap/tls/context_state.hpp"
#include "wrap/tls/peer_record.hpp"
#include "wrap/tls/session.hpp"

namespace tideline::tls {

struct Session::Engine {
  Mbed<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free> ssl;
  bool was_verified = false;          // a certificate was shown in this handshake: it is no resumption
  CertificateInfo leaf;               // the one that was shown
  std::string bad_dates;              // which certificate of the chain, in words
  std::optional<SessionRecord> ticket;  // server: opened in this handshake, perhaps not used
  std::optional<Peer> offered;        // client: peer of the session that was offered
};

/// mbedTLS's callbacks: the only place where void* becomes a Session or a Context.
struct SessionCallbacks {
  static int on_send(void* session, const unsigned char* bytes, size_t size);
  static int on_receive(void* session, unsigned char* to, size_t size);
  static int on_verify(void* session, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);
  static int on_ticket_write(void* shared, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                             size_t* size, uint32_t* lifetime);
  static int on_ticket_parse(void* shared, mbedtls_ssl_session* session, unsigned char* bytes, size_t size);
};

/// Appends mbedTLS's own form of `session`; false when it cannot be saved.
bool append_session(ByteBuffer& out, const mbedtls_ssl_session& session);

}  // namespace tideline::tls
