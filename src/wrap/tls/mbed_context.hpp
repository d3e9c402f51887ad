// Inside wrap/tls only: what the mbedTLS sessions of one role share.
#pragma once

#include <mbedtls/ssl.h>

#include <optional>
#include <vector>

#include "wrap/tls/context.hpp"
#include "wrap/tls/crypto.hpp"
#include "wrap/tls/mbed.hpp"
#include "wrap/tls/server.hpp"

namespace tideline::tls {

class MbedSession;

struct MbedContext {
  Mbed<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free> config;
  MbedCertificate chain;
  MbedKey key;
  MbedCertificate authorities;
  std::vector<std::string> alpn_names;
  std::vector<const char*> alpn;   // into alpn_names, null at the end, as mbedTLS keeps it
  Digest pin{};                    // fingerprint of the one authority, if is_pinned
  Digest trust{};                  // hash of own certificate and trust: a saved session must not outlive them
  TicketKeys* tickets = nullptr;
  MbedSession* current = nullptr;  // the one inside mbedTLS now: ticket callbacks know only their context
  bool is_pinned = false;
  bool is_server = false;
};

}  // namespace tideline::tls
