#include "wrap/tls/ticket_keys.hpp"

#include <mbedtls/chachapoly.h>
#include <mbedtls/platform_util.h>

#include <algorithm>
#include <cassert>

#include "base/limits.hpp"
#include "wrap/tls/crypto.hpp"
#include "wrap/tls/mbed.hpp"

namespace tideline::tls {
namespace {

using Cipher = Mbed<mbedtls_chachapoly_context, mbedtls_chachapoly_init, mbedtls_chachapoly_free>;

// A sealed ticket: name of the key, nonce, tag, ciphertext. The name is authenticated, too.
constexpr size_t name_bytes = 4;
constexpr size_t nonce_bytes = 12;
constexpr size_t tag_bytes = 16;
static_assert(name_bytes + nonce_bytes + tag_bytes == TicketKeys::overhead_bytes);

/// Says which key sealed a ticket without telling anything about the key.
std::array<uint8_t, name_bytes> name_of(Bytes key) {
  const Digest digest = hmac_sha256(key, as_bytes("tideline ticket key name"));
  std::array<uint8_t, name_bytes> name;
  std::copy_n(digest.begin(), name_bytes, name.begin());
  return name;
}

TicketSecret secret_of(Bytes key) {
  TicketSecret secret;
  const Digest name = hmac_sha256(key, as_bytes("tideline ticket secret name"));
  std::copy_n(name.begin(), secret.name.size(), secret.name.begin());
  secret.cipher = hmac_sha256(key, as_bytes("tideline ticket secret cipher"));
  secret.mac = hmac_sha256(key, as_bytes("tideline ticket secret mac"));
  return secret;
}

}  // namespace

TicketKeys::TicketKeys(UtcNanos now) : since_(now) {
  fill_random(current_);
  fill_random(previous_);  // nothing was sealed with it, so nothing opens
}

TicketKeys::~TicketKeys() {
  mbedtls_platform_zeroize(current_.data(), current_.size());
  mbedtls_platform_zeroize(previous_.data(), previous_.size());
}

Result<TicketKeys> TicketKeys::restore(Bytes saved) {
  if (saved.size() != saved_bytes) return Error{ErrorCode::corrupt, 0, "saved ticket keys"};
  TicketKeys keys;
  std::copy_n(saved.begin(), keys.current_.size(), keys.current_.begin());
  std::copy_n(saved.begin() + 32, keys.previous_.size(), keys.previous_.begin());
  keys.since_.nanos = load_le<int64_t>(saved.data() + 64);
  return keys;
}

bool TicketKeys::rotate(UtcNanos now) {
  if (now >= since_ && now - since_ < limits::ticket_life) return false;
  previous_ = current_;
  fill_random(current_);
  since_ = now;
  return true;
}

ByteBuffer TicketKeys::saved() const {
  ByteBuffer out;
  append(out, current_);
  append(out, previous_);
  out.resize(saved_bytes);
  store_le(out.data() + 64, since_.nanos);
  return out;
}

ByteBuffer TicketKeys::seal(Bytes plain) const {
  ByteBuffer out(overhead_bytes + plain.size());
  const auto name = name_of(current_);
  uint8_t* const nonce = out.data() + name_bytes;
  uint8_t* const tag = nonce + nonce_bytes;
  std::copy(name.begin(), name.end(), out.begin());
  fill_random({nonce, nonce_bytes});  // random: 2^32 tickets a key would still be safe
  Cipher cipher;
  int code = mbedtls_chachapoly_setkey(cipher.get(), current_.data());
  if (code == 0) {
    code = mbedtls_chachapoly_encrypt_and_tag(cipher.get(), plain.size(), nonce, name.data(), name.size(), plain.data(),
                                              tag + tag_bytes, tag);
  }
  assert(code == 0);
  (void)code;
  return out;
}

TicketSecret TicketKeys::sealing_secret() const { return secret_of(current_); }

std::optional<TicketSecret> TicketKeys::opening_secret(Bytes name) const {
  for (const Key* key : {&current_, &previous_}) {
    const TicketSecret secret = secret_of(*key);
    if (std::equal(secret.name.begin(), secret.name.end(), name.begin(), name.end())) return secret;
  }
  return std::nullopt;
}

std::optional<ByteBuffer> TicketKeys::open(Bytes sealed) const {
  if (sealed.size() < overhead_bytes) return std::nullopt;
  const uint8_t* const nonce = sealed.data() + name_bytes;
  const uint8_t* const tag = nonce + nonce_bytes;
  for (const Key* key : {&current_, &previous_}) {
    const auto name = name_of(*key);
    if (!std::equal(name.begin(), name.end(), sealed.begin())) continue;
    ByteBuffer plain(sealed.size() - overhead_bytes);
    Cipher cipher;
    int code = mbedtls_chachapoly_setkey(cipher.get(), key->data());
    if (code == 0) {
      code = mbedtls_chachapoly_auth_decrypt(cipher.get(), plain.size(), nonce, name.data(), name.size(), tag, tag + tag_bytes,
                                             plain.data());
    }
    if (code == 0) return plain;
  }
  return std::nullopt;
}

}  // namespace tideline::tls
