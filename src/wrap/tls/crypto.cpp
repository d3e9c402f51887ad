#include "wrap/tls/crypto.hpp"

#include <mbedtls/md.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <sys/random.h>

#include <cassert>
#include <cerrno>

#include "base/text.hpp"

namespace tideline::tls {

Digest sha256(Bytes bytes) {
  Digest digest;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  const int code = mbedtls_sha256(bytes.data(), bytes.size(), digest.data(), 0);
#else
  const int code = mbedtls_sha256_ret(bytes.data(), bytes.size(), digest.data(), 0);
#endif
  assert(code == 0);
  (void)code;
  return digest;
}

std::string sha256_hex(Bytes bytes) {
  const Digest digest = sha256(bytes);
  return to_hex(digest.data(), digest.size());
}

Digest hmac_sha256(Bytes key, Bytes message) {
  Digest digest;
  const int code = mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), key.data(), key.size(), message.data(),
                                   message.size(), digest.data());
  assert(code == 0);
  (void)code;
  return digest;
}

bool equal_in_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

void fill_random(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = getrandom(bytes.data(), bytes.size(), 0);
    assert((count > 0 || errno == EINTR) && "every supported kernel has getrandom");
    if (count > 0) bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

std::string random_hex(size_t count) {
  ByteBuffer bytes(count);
  fill_random(bytes);
  return to_hex(bytes.data(), bytes.size());
}

}  // namespace tideline::tls
