// The TLS server over OpenSSL: the hub's engine, with the rules and words of the one over mbedTLS (wrap/tls/server.hpp).
//
// Thread: loop. Certificates are described by wrap/tls, so that both name a device alike; the machine's openssl.cnf is not read:
// what a hub speaks is decided here.
#pragma once

#include "wrap/tls/server.hpp"

namespace tideline::openssl {

/// As tls::make_server(). Tickets of one library are not understood by the other: changing it costs each device one full handshake.
Result<std::unique_ptr<tls::Server>> make_server(const tls::ServerOptions& options, tls::TicketKeys* tickets);

/// Version of the library that is running, e.g. "3.0.19".
const char* library_version();

}  // namespace tideline::openssl
