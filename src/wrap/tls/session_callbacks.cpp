#include <mbedtls/platform_util.h>

#include <algorithm>
#include <cstring>

#include "base/limits.hpp"
#include "wrap/tls/session_engine.hpp"

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

int SessionCallbacks::on_send(void* context, const unsigned char* bytes, size_t size) {
  auto* const session = static_cast<Session*>(context);
  append(session->output_, {bytes, size});
  return static_cast<int>(size);
}

int SessionCallbacks::on_receive(void* context, unsigned char* to, size_t size) {
  auto* const session = static_cast<Session*>(context);
  const size_t count = std::min(size, session->input_.size());
  if (count == 0) return MBEDTLS_ERR_SSL_WANT_READ;
  std::memcpy(to, session->input_.data(), count);
  session->input_ = session->input_.subspan(count);
  return static_cast<int>(count);
}

/// Called for each certificate from the authority (largest depth) to the peer's own (0). The library has compared dates with
/// the system's clock: that verdict is replaced by one with our time.
int SessionCallbacks::on_verify(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
  auto* const session = static_cast<Session*>(context);
  Session::Engine& engine = *session->engine_;
  const Context::State& shared = *session->context_.state_;
  const Validity validity = validity_of(*certificate);
  engine.was_verified = true;
  *flags &= ~static_cast<uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  if (session->has_expired(validity)) {
    *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
    engine.bad_dates = "has expired on " + format_utc(validity.not_after);
  } else if (validity.not_before > session->time_.now && !session->time_.is_uncertain) {
    *flags |= MBEDTLS_X509_BADCERT_FUTURE;
    engine.bad_dates = "is not valid before " + format_utc(validity.not_before) + "; is this machine's clock right?";
  }
  if (depth > 0) {
    if (shared.is_pinned && sha256({certificate->raw.p, certificate->raw.len}) == shared.pin) {
      *flags &= ~static_cast<uint32_t>(MBEDTLS_X509_BADCERT_NOT_TRUSTED);
    }
    return 0;
  }
  engine.leaf = describe(*certificate);
  // DNS names are compared by the library; 2.28 cannot compare IP addresses.
  const std::string address = address_bytes(session->server_name_);
  const auto& names = engine.leaf.names;
  const auto is_it = [&](const std::string& name) { return address_bytes(name) == address; };
  if (!address.empty() && std::none_of(names.begin(), names.end(), is_it)) {
    *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
  }
  return 0;
}

int SessionCallbacks::on_ticket_write(void* context, const mbedtls_ssl_session* session, unsigned char* start,
                                      const unsigned char* end, size_t* size, uint32_t* lifetime) {
  auto* const shared = static_cast<Context::State*>(context);
  Session& owner = *shared->current;
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

int SessionCallbacks::on_ticket_parse(void* context, mbedtls_ssl_session* session, unsigned char* bytes, size_t size) {
  auto* const shared = static_cast<Context::State*>(context);
  Session& owner = *shared->current;
  const std::optional<ByteBuffer> plain = shared->tickets->open({bytes, size});
  if (!plain) return MBEDTLS_ERR_SSL_INVALID_MAC;
  Bytes rest = *plain;
  std::optional<SessionRecord> record = read_record(rest);
  if (!record || record->binding != shared->trust) return MBEDTLS_ERR_SSL_INVALID_MAC;
  const Duration age = owner.time_.now - record->made_at;
  const bool is_late = age.nanos < 0 || age > limits::ticket_life;
  if (is_late || (record->peer && owner.has_expired(record->peer->validity))) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  const int code = mbedtls_ssl_session_load(session, rest.data(), rest.size());
  if (code == 0) owner.engine_->ticket = std::move(record);
  return code;
}

void set_ticket_callbacks(mbedtls_ssl_config& config, void* state) {
  mbedtls_ssl_conf_session_tickets_cb(&config, SessionCallbacks::on_ticket_write, SessionCallbacks::on_ticket_parse, state);
}

}  // namespace tideline::tls
