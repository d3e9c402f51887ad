#include <mbedtls/platform_util.h>

#include <algorithm>
#include <cstring>

#include "base/limits.hpp"
#include "wrap/tls/mbed_session.hpp"

namespace tideline::tls {
namespace {

/// `session` as a ticket needs it: the identity stands beside it, so 2.28's copy of the client's certificate, half a kilobyte on
/// every reconnect, is left out. In 3.6 the member is private; its TLS 1.3 sessions have none anyway.
bool append_without_certificate(ByteBuffer& out, const mbedtls_ssl_session& session) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return append_session(out, session);
#else
  mbedtls_ssl_session copy = session;  // shares what it points to; not freed
  copy.peer_cert = nullptr;
  return append_session(out, copy);
#endif
}

}  // namespace

bool append_session(ByteBuffer& out, const mbedtls_ssl_session& session) {
  size_t size = 0;
  mbedtls_ssl_session_save(&session, nullptr, 0, &size);
  const size_t start = out.size();
  out.resize(start + size);
  return mbedtls_ssl_session_save(&session, out.data() + start, size, &size) == 0;
}

int MbedSession::on_send(void* session, const unsigned char* bytes, size_t size) {
  append(static_cast<MbedSession*>(session)->output_, {bytes, size});
  return static_cast<int>(size);
}

int MbedSession::on_receive(void* session, unsigned char* to, size_t size) {
  const size_t count = static_cast<MbedSession*>(session)->take_input(to, size);
  return count == 0 ? MBEDTLS_ERR_SSL_WANT_READ : static_cast<int>(count);
}

/// Called for each certificate from the authority (largest depth) to the peer's own (0). The library has compared dates with
/// the system's clock: that verdict is replaced by one with our time.
int MbedSession::on_verify(void* session, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
  MbedSession& self = *static_cast<MbedSession*>(session);
  const MbedContext& shared = self.context_;
  self.was_verified_ = true;
  *flags &= ~static_cast<uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  if (std::string bad = date_problem(validity_of(*certificate), self.time_); !bad.empty()) {
    *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
    self.bad_dates_ = std::move(bad);
  }
  if (depth > 0) {
    if (shared.is_pinned && sha256({certificate->raw.p, certificate->raw.len}) == shared.pin) {
      *flags &= ~static_cast<uint32_t>(MBEDTLS_X509_BADCERT_NOT_TRUSTED);
    }
    return 0;
  }
  self.leaf_ = describe(*certificate);
  // DNS names are compared by the library; 2.28 cannot compare IP addresses.
  const std::string address = address_bytes(self.server_name_);
  const auto& names = self.leaf_.names;
  const auto is_it = [&](const std::string& name) { return address_bytes(name) == address; };
  if (!address.empty() && std::none_of(names.begin(), names.end(), is_it)) {
    *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
  }
  return 0;
}

int MbedSession::on_ticket_write(void* context, const mbedtls_ssl_session* session, unsigned char* start,
                                      const unsigned char* end, size_t* size, uint32_t* lifetime) {
  auto* const shared = static_cast<MbedContext*>(context);
  MbedSession& owner = *shared->current;
  *lifetime = static_cast<uint32_t>(limits::ticket_life.millis() / 1000);
  const Peer peer = owner.find_peer();
  ByteBuffer sealed(16);  // opens with no key: a session with a bad certificate must not be resumed
  if (!peer.has_certificate || peer.is_verified) {
    SessionRecord record{shared->trust, owner.time_.now, std::nullopt};
    if (peer.has_certificate) record.peer = peer;
    ByteBuffer plain = write_record(record);
    if (!append_without_certificate(plain, *session)) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    sealed = shared->tickets->seal(plain);
    mbedtls_platform_zeroize(plain.data(), plain.size());
  } else {
    fill_random(sealed);
  }
  if (sealed.size() > static_cast<size_t>(end - start)) return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
  std::memcpy(start, sealed.data(), sealed.size());
  *size = sealed.size();
  return 0;
}

int MbedSession::on_ticket_parse(void* context, mbedtls_ssl_session* session, unsigned char* bytes, size_t size) {
  auto* const shared = static_cast<MbedContext*>(context);
  MbedSession& owner = *shared->current;
  const std::optional<ByteBuffer> plain = shared->tickets->open({bytes, size});
  if (!plain) return MBEDTLS_ERR_SSL_INVALID_MAC;
  Bytes rest = *plain;
  std::optional<SessionRecord> record = read_record(rest);
  if (!record || record->binding != shared->trust) return MBEDTLS_ERR_SSL_INVALID_MAC;
  const Duration age = owner.time_.now - record->made_at;
  const bool is_late = age.nanos < 0 || age > limits::ticket_life;
  if (is_late || (record->peer && owner.has_expired(record->peer->validity))) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  const int code = mbedtls_ssl_session_load(session, rest.data(), rest.size());
  if (code == 0) owner.ticket_ = std::move(record);
  return code;
}

void MbedSession::use_tickets(MbedContext& context) {
  mbedtls_ssl_conf_session_tickets_cb(context.config.get(), on_ticket_write, on_ticket_parse, &context);
}

}  // namespace tideline::tls
