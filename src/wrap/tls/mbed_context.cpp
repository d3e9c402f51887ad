#include "wrap/tls/mbed_context.hpp"

#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "base/text.hpp"
#include "wrap/tls/mbed_session.hpp"

namespace tideline::tls {
namespace {

/// ECDHE with an AEAD only. ChaCha20-Poly1305 first: faster than AES-GCM in Debian's builds on every board.
constexpr int suites[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0};

/// Pinned: the library's own order begins with the largest curves and doubles the cost of a handshake.
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
constexpr uint16_t curves[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                               MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
constexpr mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_NONE};
/// 2.28 would take SHA-1 in a key exchange; 3.6 has no such default.
constexpr int key_exchange_hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE};
#endif

void set_versions(mbedtls_ssl_config* config, Versions versions) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
  if (versions == Versions::only_1_2) mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_groups(config, curves);
  // Resumption with a fresh key exchange only: a stolen ticket key must not open old traffic.
  mbedtls_ssl_conf_tls13_key_exchange_modes(config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
                                                        MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
#else
  (void)versions;  // 2.28 has no TLS 1.3, but 1.0 and 1.1 unless told otherwise
  mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_curves(config, curves);
  mbedtls_ssl_conf_sig_hashes(config, key_exchange_hashes);
#endif
}

Status load_identity(MbedCertificate& chain, MbedKey& key, const Identity& identity) {
  RETURN_IF_ERROR(parse_chain(chain, identity.certificate_pem));
  RETURN_IF_ERROR(parse_key(key, identity.key_pem));
  if (!is_pair(chain->pk, key.value)) return Error{ErrorCode::invalid, 0, "the private key does not belong to the certificate"};
  return {};
}

/// What both roles share.
Status configure(mbedtls_ssl_config* config, int endpoint, Versions versions) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  if (psa_crypto_init() != PSA_SUCCESS) return Error{ErrorCode::io, 0, "initialise cryptography"};
#endif
  const int code = mbedtls_ssl_config_defaults(config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (code != 0) return Error{ErrorCode::io, code, "TLS configuration"};
  mbedtls_ssl_conf_rng(config, random_callback, nullptr);
  mbedtls_ssl_conf_ciphersuites(config, suites);
  mbedtls_ssl_conf_cert_profile(config, &mbedtls_x509_crt_profile_next);  // SHA-2, at least 2048-bit RSA or P-256
  set_versions(config, versions);
  return {};
}

void configure_alpn(mbedtls_ssl_config* config, std::vector<std::string>& names, std::vector<const char*>& pointers,
                           const std::vector<std::string>& alpn) {
  if (alpn.empty()) return;
  names = alpn;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  pointers.push_back(nullptr);
  mbedtls_ssl_conf_alpn_protocols(config, pointers.data());
}

class MbedServer final : public Server {
 public:
  explicit MbedServer(std::unique_ptr<MbedContext> shared) : shared_(std::move(shared)) {}
  Result<std::unique_ptr<Session>> make_session(CertificateTime time) override {
    ASSIGN_OR_RETURN(std::unique_ptr<Session> session, MbedSession::make(*shared_, time));
    return session;
  }

 private:
  std::unique_ptr<MbedContext> shared_;
};

}  // namespace

Result<std::unique_ptr<Server>> make_server(const ServerOptions& options, TicketKeys* tickets) {
  auto state = std::make_unique<MbedContext>();
  mbedtls_ssl_config* const config = state->config.get();
  RETURN_IF_ERROR(configure(config, MBEDTLS_SSL_IS_SERVER, options.versions));
  RETURN_IF_ERROR(load_identity(state->chain, state->key, options.identity));
  mbedtls_ssl_conf_own_cert(config, state->chain.get(), state->key.get());
  configure_alpn(config, state->alpn_names, state->alpn, options.alpn);
  state->is_server = true;
  mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
  if (!options.client_ca_pem.empty()) {
    RETURN_IF_ERROR(parse_chain(state->authorities, options.client_ca_pem));
    mbedtls_ssl_conf_ca_chain(config, state->authorities.get(), nullptr);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_cert_req_ca_list(config, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);  // bytes that no device needs
  }
  state->trust = sha256(as_bytes(options.client_ca_pem));
  state->tickets = tickets;
  if (tickets != nullptr) MbedSession::use_tickets(*state);
  return std::unique_ptr<Server>(new MbedServer(std::move(state)));
}

Context::Context(std::unique_ptr<MbedContext> shared) : shared_(std::move(shared)) {}
Context::~Context() = default;

Result<std::unique_ptr<Context>> Context::make_client(const ClientOptions& options) {
  auto state = std::make_unique<MbedContext>();
  mbedtls_ssl_config* const config = state->config.get();
  RETURN_IF_ERROR(configure(config, MBEDTLS_SSL_IS_CLIENT, options.versions));
  if (options.ca_pem.empty() == options.ca_fingerprint.empty()) {
    return Error{ErrorCode::invalid, 0, "either the hub's authority or its fingerprint must be given"};
  }
  if (!options.identity.certificate_pem.empty()) {
    RETURN_IF_ERROR(load_identity(state->chain, state->key, options.identity));
    mbedtls_ssl_conf_own_cert(config, state->chain.get(), state->key.get());
  }
  state->is_pinned = options.ca_pem.empty();
  if (state->is_pinned) {
    // The library cannot trust by fingerprint: it goes on with an unknown authority, and the session checks (session.cpp).
    if (!from_hex(options.ca_fingerprint, state->pin.data(), state->pin.size())) {
      return Error{ErrorCode::invalid, 0, "fingerprint of the authority: 64 hexadecimal digits"};
    }
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_OPTIONAL);
  } else {
    RETURN_IF_ERROR(parse_chain(state->authorities, options.ca_pem));
    mbedtls_ssl_conf_ca_chain(config, state->authorities.get(), nullptr);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
  }
  configure_alpn(config, state->alpn_names, state->alpn, options.alpn);
  mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if MBEDTLS_VERSION_NUMBER >= 0x03060100
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
  state->trust = sha256(as_bytes(options.ca_pem + '\n' + options.ca_fingerprint + '\n' + options.identity.certificate_pem));
  return std::unique_ptr<Context>(new Context(std::move(state)));
}

Result<std::unique_ptr<Session>> Context::make_session(CertificateTime time, const std::string& server_name, Bytes saved) {
  if (server_name.empty() && !shared_->is_pinned) return Error{ErrorCode::invalid, 0, "name of the server"};
  ASSIGN_OR_RETURN(std::unique_ptr<MbedSession> session, MbedSession::make(*shared_, time));
  RETURN_IF_ERROR(session->set_server_name(server_name));
  session->offer(saved);
  return std::unique_ptr<Session>(std::move(session));
}

const char* library_version() { return MBEDTLS_VERSION_STRING; }

}  // namespace tideline::tls
