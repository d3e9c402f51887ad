#include "hub/tls_engine.hpp"

#include "base/limits.hpp"
#include "wrap/tls/context.hpp"
#if defined(TIDELINE_HUB_OPENSSL)
#include "wrap/openssl/server.hpp"
#endif

namespace tideline::hub {

#if defined(TIDELINE_HUB_OPENSSL)
Result<std::unique_ptr<tls::Server>> make_tls_server(const tls::ServerOptions& options, tls::TicketKeys* tickets) {
  return openssl::make_server(options, tickets);
}
int handshake_steps_per_turn() { return 8; }
std::string tls_library() { return std::string("OpenSSL ") + openssl::library_version(); }
#else
Result<std::unique_ptr<tls::Server>> make_tls_server(const tls::ServerOptions& options, tls::TicketKeys* tickets) {
  return tls::make_server(options, tickets);
}
int handshake_steps_per_turn() { return limits::handshake_steps_per_turn; }
std::string tls_library() { return std::string("mbedTLS ") + tls::library_version(); }
#endif

}  // namespace tideline::hub
