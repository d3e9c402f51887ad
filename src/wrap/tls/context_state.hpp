// Inside wrap/tls only: what a Context holds of mbedTLS.
#pragma once

#include <mbedtls/ssl.h>

#include <vector>

#include "wrap/tls/context.hpp"
#include "wrap/tls/mbed.hpp"

namespace tideline::tls {

class Session;

struct Context::State {
  Mbed<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free> config;
  MbedCertificate chain;
  MbedKey key;
  MbedCertificate authorities;
  std::vector<std::string> alpn_names;
  std::vector<const char*> alpn;   // into alpn_names, null at the end, as mbedTLS keeps it
  Digest pin{};                    // fingerprint of the one authority, if is_pinned
  Digest trust{};                  // hash of own certificate and trust: a saved session must not outlive them
  TicketKeys* tickets = nullptr;
  Session* current = nullptr;      // the one inside mbedTLS now: ticket callbacks know only their context
  bool is_pinned = false;
  bool is_server = false;
  bool asks_client = false;
};

/// Registers the ticket callbacks (session.cpp) with a server's configuration.
void set_ticket_callbacks(mbedtls_ssl_config& config, void* state);

}  // namespace tideline::tls
