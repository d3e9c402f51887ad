#include "wrap/tls/mbed_session.hpp"

#include "base/log.hpp"

namespace tideline::tls {
namespace {

using SavedSession = Mbed<mbedtls_ssl_session, mbedtls_ssl_session_init, mbedtls_ssl_session_free>;

constexpr uint32_t no_certificate_flags = MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_SKIP_VERIFY;

bool is_tls13(const mbedtls_ssl_context& ssl) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_ssl_get_version_number(&ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
#else
  (void)ssl;
  return false;
#endif
}

ErrorCode to_code(int code) {
  switch (code) {
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: return ErrorCode::denied;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF: return ErrorCode::closed;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
    case MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL: return ErrorCode::unsupported;
#else
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
    case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
    case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE: return ErrorCode::unsupported;
#endif
    default: return ErrorCode::corrupt;
  }
}

/// Tells the ticket callbacks whose session is inside mbedTLS.
struct Enter {
  Enter(MbedSession*& where, MbedSession& session) : current(where) { current = &session; }
  ~Enter() { current = nullptr; }
  MbedSession*& current;
};

}  // namespace

Result<std::unique_ptr<MbedSession>> MbedSession::make(MbedContext& context, CertificateTime time) {
  std::unique_ptr<MbedSession> session(new MbedSession(context, time));
  mbedtls_ssl_context* const ssl = session->ssl_.get();
  const int code = mbedtls_ssl_setup(ssl, context.config.get());
  if (code != 0) return Error{ErrorCode::io, code, "TLS session"};
  mbedtls_ssl_set_bio(ssl, session.get(), on_send, on_receive, nullptr);
  mbedtls_ssl_set_verify(ssl, on_verify, session.get());
  return session;
}

/// An IP address is neither sent (RFC 6066, section 3) nor compared by the library; on_verify() does it. The name must be set all the
/// same: newer releases refuse to verify without.
Status MbedSession::set_server_name(const std::string& server_name) {
  server_name_ = server_name;
  const bool is_dns_name = !server_name.empty() && address_bytes(server_name).empty();
  const int code = mbedtls_ssl_set_hostname(ssl_.get(), is_dns_name ? server_name.c_str() : nullptr);
  if (code != 0) return Error{ErrorCode::invalid, code, "name of the server"};
  return {};
}

Digest MbedSession::binding() const {
  ByteBuffer all(context_.trust.begin(), context_.trust.end());
  append(all, as_bytes(server_name_));
  return sha256(all);
}

void MbedSession::offer(Bytes saved) {
  Bytes rest = saved;
  std::optional<SessionRecord> record = read_record(rest);
  // A resumed session shows no certificate to check again: what it was checked against must still hold.
  if (!record || record->binding != binding() || !record->peer || has_expired(record->peer->validity)) return;
  SavedSession session;
  if (mbedtls_ssl_session_load(session.get(), rest.data(), rest.size()) != 0) return;
  if (mbedtls_ssl_set_session(ssl_.get(), session.get()) != 0) return;
  offered_ = std::move(record->peer);
  saved_.assign(saved.begin(), saved.end());
}

Result<bool> MbedSession::shake() {
  Enter inside(context_.current, *this);
  while (true) {
    const size_t before = input_.size();
    const int code = mbedtls_ssl_handshake(ssl_.get());
    if (code == 0) break;
    if (code != MBEDTLS_ERR_SSL_WANT_READ) return fail_with(code, "TLS handshake");
    if (input_.empty() || input_.size() == before) return false;
  }
  RETURN_IF_ERROR(finish_handshake());
  return true;
}

/// Who the peer is, from what mbedTLS has verified in this handshake or in the one that it resumes.
Peer MbedSession::find_peer() const {
  const mbedtls_ssl_context* const ssl = ssl_.get();
  const uint32_t flags = mbedtls_ssl_get_verify_result(ssl);
  if (!was_verified_ && !context_.is_server) return offered_.value_or(Peer{});
  if (!was_verified_) {
    // A resumption: the certificate is not shown again, so the ticket carries the identity. But a ticket that was opened need not
    // have been used: a full handshake without a certificate leaves BADCERT_MISSING, only a resumption leaves 0.
    return flags == 0 && ticket_ ? ticket_->peer.value_or(Peer{}) : Peer{};
  }
  constexpr uint32_t dates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
  constexpr uint32_t usage = MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
  Verdict verdict;
  verdict.is_untrusted = (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0;
  if ((flags & dates) != 0) verdict.bad_dates = bad_dates_;
  if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) verdict.wrong_name = server_name_;
  verdict.is_misused = (flags & usage) != 0;
  if (flags != 0) verdict.other = format("flags 0x%x", static_cast<unsigned>(flags));
  return judge(leaf_, verdict);
}

Status MbedSession::finish_handshake() {
  mbedtls_ssl_context* const ssl = ssl_.get();
  peer_ = find_peer();
  if (context_.is_server) {
    const bool used_ticket = is_tls13(*ssl) ? mbedtls_ssl_get_verify_result(ssl) == 0 : ticket_.has_value();
    resumed_ = !was_verified_ && used_ticket && ticket_.has_value();
  } else {
    resumed_ = !was_verified_;
    // With a pinned authority the library went on whatever it found: this is the check.
    if (!peer_.is_verified) {
      mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA);
      return deny(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, peer_.problem);
    }
    if (!resumed_) saved_.clear();
    if (!resumed_ && !is_tls13(*ssl)) keep_session();  // with TLS 1.3 tickets come later (read)
  }
  leaf_ = {};
  ticket_.reset();
  offered_.reset();
  return {};
}

void MbedSession::keep_session() {
  SavedSession session;
  if (mbedtls_ssl_get_session(ssl_.get(), session.get()) != 0) return;
#if MBEDTLS_VERSION_NUMBER < 0x03000000
  if (session->ticket_len == 0) return;  // the server gave none
#endif
  ByteBuffer saved = write_record({binding(), time_.now, peer_});
  if (append_session(saved, session.value)) saved_ = std::move(saved);
}

Result<size_t> MbedSession::decrypt(std::span<uint8_t> to) {
  Enter inside(context_.current, *this);
  mbedtls_ssl_context* const ssl = ssl_.get();
  while (true) {
    const size_t before = input_.size();
    const int count = mbedtls_ssl_read(ssl, to.data(), to.size());
    if (count > 0) return static_cast<size_t>(count);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    if (count == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
      keep_session();
      continue;
    }
#endif
    if (count == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
      state_ = State::closed;
      return Error{ErrorCode::closed, 0, "TLS"};
    }
    if (count != 0 && count != MBEDTLS_ERR_SSL_WANT_READ) return fail_with(count, "TLS");
    // 3.6 also says WANT_READ after a message that was not for us, although more has arrived: only the lack of progress counts.
    if (input_.size() == before && mbedtls_ssl_check_pending(ssl) == 0) return size_t{0};
  }
}

Status MbedSession::encrypt(Bytes plain) {
  Enter inside(context_.current, *this);
  while (!plain.empty()) {
    const int count = mbedtls_ssl_write(ssl_.get(), plain.data(), plain.size());
    if (count <= 0) return fail_with(count, "TLS");
    plain = plain.subspan(static_cast<size_t>(count));
  }
  return {};
}

void MbedSession::say_goodbye() { mbedtls_ssl_close_notify(ssl_.get()); }

std::string MbedSession::alpn() const {
  const char* const name = mbedtls_ssl_get_alpn_protocol(ssl_.get());
  return name == nullptr ? "" : name;
}

std::string MbedSession::version() const { return mbedtls_ssl_get_version(ssl_.get()); }

std::string MbedSession::suite() const {
  const char* const name = mbedtls_ssl_get_ciphersuite(ssl_.get());
  return name == nullptr ? "" : name;
}

Error MbedSession::fail_with(int code, const char* context) {
  const uint32_t flags = mbedtls_ssl_get_verify_result(ssl_.get());
  const bool is_certificate = was_verified_ && flags != 0 && (flags & no_certificate_flags) == 0;
  if (state_ == State::handshaking && is_certificate && !context_.is_server) {
    return deny(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, find_peer().problem);
  }
  return fail(to_code(code), code, context, format("-0x%04x", static_cast<unsigned>(-code)));
}

}  // namespace tideline::tls
