// Which library serves TLS at this hub: decided when it is built (TIDELINE_HUB_TLS), by measurement (src/DECISIONS.md).
#pragma once

#include "wrap/tls/server.hpp"

namespace tideline::hub {

/// As tls::make_server().
Result<std::unique_ptr<tls::Server>> make_tls_server(const tls::ServerOptions& options, tls::TicketKeys* tickets);

/// "OpenSSL 3.0.19", for people.
std::string tls_library();

}  // namespace tideline::hub
