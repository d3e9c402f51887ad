#include "wrap/openssl/tickets.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <optional>

#include "base/limits.hpp"
#include "wrap/openssl/session.hpp"

namespace tideline::openssl {
namespace {

constexpr uint8_t sequence_tag = 0x30;
constexpr uint8_t certificate_tag = 0xa3;  // SSL_SESSION_ASN1 of ssl/ssl_asn1.c: peer [3] EXPLICIT

/// One element from the front of `rest`, header and content; `content` is where the content begins.
std::optional<Bytes> take_element(Bytes& rest, size_t& content) {
  if (rest.size() < 2) return std::nullopt;
  size_t size = rest[1];
  content = 2;
  if (size >= 0x80) {
    const size_t digits = size & 0x7f;
    if (digits == 0 || digits > 3 || rest.size() < 2 + digits) return std::nullopt;
    size = 0;
    for (size_t i = 0; i < digits; ++i) size = size << 8 | rest[2 + i];
    content += digits;
  }
  if (rest.size() - content < size) return std::nullopt;
  const Bytes element = rest.first(content + size);
  rest = rest.subspan(content + size);
  return element;
}

/// `content` is shorter than 64 KiB: a ticket's length has 16 bits.
ByteBuffer sequence(Bytes content) {
  const auto size = content.size();
  ByteBuffer out{sequence_tag};
  if (size > 0xff) out.push_back(0x82);
  else if (size > 0x7f) out.push_back(0x81);
  if (size > 0xff) out.push_back(static_cast<uint8_t>(size >> 8));
  out.push_back(static_cast<uint8_t>(size));
  append(out, content);
  return out;
}

bool set_mac_key(EVP_MAC_CTX* mac, tls::Digest key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
                                   OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

ByteBuffer without_certificate(Bytes der) {
  size_t content = 0;
  const std::optional<Bytes> whole = take_element(der, content);
  if (!whole || whole->front() != sequence_tag) return {};
  Bytes rest = whole->subspan(content);
  ByteBuffer kept;
  while (!rest.empty()) {
    const std::optional<Bytes> element = take_element(rest, content);
    if (!element) return {};
    if (element->front() != certificate_tag) append(kept, *element);
  }
  return kept.size() <= UINT16_MAX ? sequence(kept) : ByteBuffer();
}

/// By writing it out and reading it back in its place: OpenSSL has no function for it, and SSL_set_session() in a handshake begins anew.
bool drop_certificate(SSL_SESSION* session) {
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0) return false;
  ByteBuffer der(static_cast<size_t>(size));
  unsigned char* out = der.data();
  i2d_SSL_SESSION(session, &out);
  ByteBuffer lean = without_certificate(der);
  const unsigned char* in = lean.data();
  const bool is_read = !lean.empty() && d2i_SSL_SESSION(&session, &in, static_cast<long>(lean.size())) != nullptr;
  OPENSSL_cleanse(der.data(), der.size());
  OPENSSL_cleanse(lean.data(), lean.size());
  return is_read;
}

/// OpenSSL seals a ticket itself, with AES-256-CBC and HMAC-SHA-256 under the keys given here (RFC 5077, section 4).
int Session::on_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int is_sealing) {
  constexpr int ignore = 0;  // a full handshake
  const tls::TicketKeys* const keys = of(ssl).shared_.tickets;
  if (is_sealing != 0) {
    const tls::TicketSecret secret = keys->sealing_secret();
    std::copy(secret.name.begin(), secret.name.end(), name);
    tls::fill_random({iv, 16});
    return EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, secret.cipher.data(), iv) == 1 && set_mac_key(mac, secret.mac) ? 1 : -1;
  }
  const std::optional<tls::TicketSecret> secret = keys->opening_secret({name, 16});
  if (!secret) return ignore;
  return EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, secret->cipher.data(), iv) == 1 && set_mac_key(mac, secret->mac) ? 1 : -1;
}

/// Called when a ticket is about to be made of the session. Nothing after the handshake asks for the certificate, and without it an
/// idle device costs less, too.
int Session::on_ticket_write(SSL* ssl, void*) {
  Session& self = of(ssl);
  SSL_SESSION* const made = SSL_get_session(ssl);
  if (!drop_certificate(made)) return 0;
  std::optional<tls::Peer> peer = self.shown_;
  if (SSL_session_reused(ssl) == 1 && self.ticket_) peer = self.ticket_->peer;
  ByteBuffer record;  // empty, it resumes nothing: a session with a bad certificate must not come back as a good one
  if (!peer || peer->is_verified) record = tls::write_record({self.shared_.trust, self.time_.now, peer});
  return SSL_SESSION_set1_ticket_appdata(made, record.data(), record.size());
}

SSL_TICKET_RETURN Session::on_ticket_read(SSL* ssl, SSL_SESSION* resumed, const unsigned char*, size_t, SSL_TICKET_STATUS status, void*) {
  Session& self = of(ssl);
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  void* data = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket_appdata(resumed, &data, &size);
  Bytes bytes(static_cast<const uint8_t*>(data), size);
  std::optional<tls::SessionRecord> record = tls::read_record(bytes);
  if (!record || record->binding != self.shared_.trust) return SSL_TICKET_RETURN_IGNORE_RENEW;
  const Duration age = self.time_.now - record->made_at;
  const bool is_late = age.nanos < 0 || age > limits::ticket_life;
  if (is_late || (record->peer && record->peer->validity.not_after < self.time_.now)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  self.ticket_ = std::move(record);
  // With TLS 1.3 a ticket serves once (RFC 8446, C.4); with 1.2 another one would be bytes for nothing.
  return SSL_version(ssl) >= TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

}  // namespace tideline::openssl
