// A TLS server: what makes sessions for those who connect. Two libraries serve behind it: mbedTLS (here) and OpenSSL (wrap/openssl,
// which takes a twentieth of the time for a full handshake; src/DECISIONS.md). Both keep the same rules and pass the same tests.
//
// Owned by the composition root; outlives its sessions. Thread: loop. TLS 1.2 with ECDHE and an AEAD, or 1.3 where the library
// has it; ChaCha20-Poly1305 for a client that prefers it, as every device does; curves pinned to P-256 and X25519. A renewed
// certificate means a new server; running sessions keep the old one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wrap/tls/certificates.hpp"
#include "wrap/tls/session.hpp"
#include "wrap/tls/ticket_keys.hpp"

namespace tideline::tls {

struct ServerOptions {
  Identity identity;              ///< chain (the authority's certificate last, for clients that pin it) and key
  std::string client_ca_pem;      ///< whose client certificates are trusted; "": none is asked for
  std::vector<std::string> alpn;  ///< in order of preference
  Versions versions = Versions::newest;
};

class Server {
 public:
  virtual ~Server() = default;
  virtual Result<std::unique_ptr<Session>> make_session(CertificateTime time) = 0;
};

/// Over mbedTLS. A client certificate is asked for and verified, but a client without one is let in: Session::peer() tells.
/// `tickets` outlives the server; null switches resumption off. Errors: invalid (PEM, key does not belong).
Result<std::unique_ptr<Server>> make_server(const ServerOptions& options, TicketKeys* tickets);

}  // namespace tideline::tls
