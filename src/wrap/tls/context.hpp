// What the TLS sessions of a client share: own certificate, trust, protocols, suites. (A server's: server.hpp.)
//
// Owned by the composition root; outlives its sessions. Thread: loop. TLS 1.2 with ECDHE and an AEAD, or 1.3 where the library
// has it; ChaCha20-Poly1305 first and curves pinned to P-256 and X25519. A renewed certificate means a new Context; running
// sessions keep the old one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wrap/tls/certificates.hpp"
#include "wrap/tls/session.hpp"

namespace tideline::tls {

struct ClientOptions {
  Identity identity;              ///< empty before enrolment
  std::string ca_pem;             ///< trusted authorities; or
  std::string ca_fingerprint;     ///< SHA-256 of the one authority to trust, which the server must send in its chain
  std::vector<std::string> alpn;
  Versions versions = Versions::newest;
};

struct MbedContext;

class Context {
 public:
  /// Errors: invalid (PEM, fingerprint, neither or both kinds of trust).
  static Result<std::unique_ptr<Context>> make_client(const ClientOptions& options);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// `server_name` is the DNS name or IP address that the certificate must carry; ignored with a pinned authority when "".
  /// `saved` is what Session::save() gave earlier, or empty; what does not fit (other trust, name, certificate; expired) is ignored.
  Result<std::unique_ptr<Session>> make_session(CertificateTime time, const std::string& server_name, Bytes saved);

 private:
  explicit Context(std::unique_ptr<MbedContext> shared);
  std::unique_ptr<MbedContext> shared_;
};

/// Version of mbedTLS that is running, e.g. "2.28.3".
const char* library_version();

}  // namespace tideline::tls
