// What the TLS sessions of one role share: own certificate, trust, protocols, suites.
//
// Owned by the composition root; outlives its sessions. Thread: loop. TLS 1.2 with ECDHE and an AEAD, or 1.3 where the library
// has it; ChaCha20-Poly1305 first and curves pinned to P-256 and X25519 (research in src/DECISIONS.md). A renewed certificate
// means a new Context; running sessions keep the old one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wrap/tls/certificates.hpp"
#include "wrap/tls/crypto.hpp"
#include "wrap/tls/ticket_keys.hpp"

struct mbedtls_ssl_config;

namespace tideline::tls {

enum class Versions : uint8_t { newest, only_1_2 };

struct ServerOptions {
  Identity identity;              ///< chain (the authority's certificate last, for clients that pin it) and key
  std::string client_ca_pem;      ///< whose client certificates are trusted; "": none is asked for
  std::vector<std::string> alpn;  ///< in order of preference
  Versions versions = Versions::newest;
};

struct ClientOptions {
  Identity identity;              ///< empty before enrolment
  std::string ca_pem;             ///< trusted authorities; or
  std::string ca_fingerprint;     ///< SHA-256 of the one authority to trust, which the server must send in its chain
  std::vector<std::string> alpn;
  Versions versions = Versions::newest;
};

class Context {
 public:
  /// A client certificate is asked for and verified, but a client without one is let in: Session::peer() tells.
  /// `tickets` outlives the context; null switches resumption off. Errors: invalid (PEM, key does not belong).
  static Result<std::unique_ptr<Context>> make_server(const ServerOptions& options, TicketKeys* tickets);
  /// Errors: invalid (PEM, fingerprint, neither or both kinds of trust).
  static Result<std::unique_ptr<Context>> make_client(const ClientOptions& options);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  bool is_server() const;

 private:
  friend class Session;
  friend struct SessionCallbacks;
  struct State;
  explicit Context(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Version of the library that is running, e.g. "2.28.3".
const char* library_version();

}  // namespace tideline::tls
