// Which library serves TLS at this hub: decided when it is built (TIDELINE_HUB_TLS), by measurement (src/DECISIONS.md).
#pragma once

#include "wrap/tls/server.hpp"

namespace tideline::hub {

/// As tls::make_server().
Result<std::unique_ptr<tls::Server>> make_tls_server(const tls::ServerOptions& options, tls::TicketKeys* tickets);

/// How many steps of handshakes one turn of the loop may take: about 5 ms with OpenSSL, where one costs 0.6 ms, 16 with mbedTLS.
int handshake_steps_per_turn();

/// "OpenSSL 3.0.19", for people.
std::string tls_library();

}  // namespace tideline::hub
