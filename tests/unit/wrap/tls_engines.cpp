#include "unit/wrap/tls_fixture.hpp"
#if defined(TIDELINE_TEST_OPENSSL)
#include "wrap/openssl/server.hpp"
#endif

namespace tideline::tls {

std::vector<Engine> engines() {
  return {{"mbedtls", make_server},
#if defined(TIDELINE_TEST_OPENSSL)
          {"openssl", openssl::make_server},
#endif
  };
}

}  // namespace tideline::tls
