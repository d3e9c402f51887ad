#include "wrap/openssl/server.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/limits.hpp"
#include "wrap/openssl/session.hpp"

namespace tideline::openssl {
namespace {

/// ECDHE with an AEAD only. AES first, which is what computers have instructions for; a client that puts ChaCha20-Poly1305 first, as
/// every device does because boards have none, gets that (SSL_OP_PRIORITIZE_CHACHA).
constexpr const char* suites_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr const char* suites_1_3 = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
/// The library's own list is three times as long, and every client that is asked for a certificate receives it.
constexpr const char* signatures = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384";
constexpr int security_level = 2;  // RSA from 2048 bits, no SHA-1

OwnedBio reader(const std::string& pem) { return OwnedBio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

int no_password(char*, int, int, void*) { return -1; }

OwnedCertificate next_certificate(BIO& from) { return OwnedCertificate(PEM_read_bio_X509(&from, nullptr, no_password, nullptr)); }

Status load_identity(SSL_CTX* context, const tls::Identity& identity) {
  // In the words of the other engine, and before this one reads it.
  ASSIGN_OR_RETURN(const bool belongs, tls::key_belongs(identity.certificate_pem, identity.key_pem));
  if (!belongs) return Error{ErrorCode::invalid, 0, "the private key does not belong to the certificate"};
  const OwnedBio chain = reader(identity.certificate_pem);
  const OwnedBio key_text = reader(identity.key_pem);
  const OwnedCertificate own = next_certificate(*chain);
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) return Error{ErrorCode::invalid, 0, "certificate (PEM)"};
  while (const OwnedCertificate next = next_certificate(*chain)) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return Error{ErrorCode::invalid, 0, "certificate (PEM)"};
  }
  const OwnedKey key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_password, nullptr));
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return Error{ErrorCode::invalid, 0, "private key (PEM)"};
  return {};
}

Status load_trust(SSL_CTX* context, const std::string& pem) {
  RETURN_IF_ERROR(Status(tls::read_certificates(pem).has_value() ? Status() : Error{ErrorCode::invalid, 0, "certificate (PEM)"}));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const OwnedBio authorities = reader(pem);
  while (const OwnedCertificate next = next_certificate(*authorities)) {
    if (X509_STORE_add_cert(store, next.get()) != 1) return Error{ErrorCode::invalid, 0, "certificate (PEM)"};
  }
  // Dates are judged by our time (client_certificate.cpp); an authority that is named is trusted, signed by itself or not.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return {};
}

Status configure(SSL_CTX* context, tls::Versions versions) {
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, static_cast<long>(limits::ticket_life.millis() / 1000));
  SSL_CTX_set_security_level(context, security_level);
  SSL_CTX_set_max_cert_list(context, static_cast<long>(limits::certificate_chain_bytes));
  const int newest = versions == tls::Versions::only_1_2 ? TLS1_2_VERSION : 0;
  const bool is_set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && SSL_CTX_set_max_proto_version(context, newest) == 1 &&
                      SSL_CTX_set_cipher_list(context, suites_1_2) == 1 && SSL_CTX_set_ciphersuites(context, suites_1_3) == 1 &&
                      SSL_CTX_set1_groups_list(context, "P-256:X25519") == 1 && SSL_CTX_set1_sigalgs_list(context, signatures) == 1;
  if (!is_set) return Error{ErrorCode::unsupported, ERR_GET_REASON(ERR_peek_error()), "TLS configuration"};
  return {};
}

class Server final : public tls::Server {
 public:
  explicit Server(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Result<std::unique_ptr<tls::Session>> make_session(tls::CertificateTime time) override { return Session::make(*shared_, time); }

 private:
  std::unique_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<tls::Server>> make_server(const tls::ServerOptions& options, tls::TicketKeys* tickets) {
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1) return Error{ErrorCode::io, 0, "initialise cryptography"};
  ERR_clear_error();
  auto shared = std::make_unique<Shared>();
  shared->context.reset(SSL_CTX_new(TLS_server_method()));
  if (shared->context == nullptr) return Error{ErrorCode::io, 0, "TLS configuration"};
  SSL_CTX* const context = shared->context.get();
  RETURN_IF_ERROR(configure(context, options.versions));
  RETURN_IF_ERROR(load_identity(context, options.identity));
  if (!options.client_ca_pem.empty()) RETURN_IF_ERROR(load_trust(context, options.client_ca_pem));
  shared->alpn = options.alpn;
  shared->trust = tls::sha256(as_bytes(options.client_ca_pem));
  shared->tickets = tickets;
  if (SSL_CTX_set_session_id_context(context, shared->trust.data(), static_cast<unsigned>(shared->trust.size())) != 1) {
    return Error{ErrorCode::io, 0, "TLS configuration"};
  }
  SSL_CTX_set_num_tickets(context, tickets != nullptr ? 1 : 0);
  if (tickets == nullptr) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  RETURN_IF_ERROR(Session::set_callbacks(*shared));
  ERR_clear_error();
  return std::unique_ptr<tls::Server>(new Server(std::move(shared)));
}

const char* library_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

}  // namespace tideline::openssl
