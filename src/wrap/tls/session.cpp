#include "wrap/tls/session.hpp"

#include <cassert>

#include "base/log.hpp"
#include "wrap/tls/session_engine.hpp"

namespace tideline::tls {
namespace {

using MbedSession = Mbed<mbedtls_ssl_session, mbedtls_ssl_session_init, mbedtls_ssl_session_free>;

constexpr uint32_t no_certificate_flags = MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_SKIP_VERIFY;

bool is_tls13(const mbedtls_ssl_context& ssl) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_ssl_get_version_number(&ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
#else
  (void)ssl;
  return false;
#endif
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
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

const char* explain(ErrorCode code) {
  switch (code) {
    case ErrorCode::denied: return "the other side refused the TLS connection";
    case ErrorCode::closed: return "the other side closed the TLS connection";
    case ErrorCode::unsupported: return "no TLS version, suite or protocol in common";
    default: return "what came is not valid TLS";
  }
}

/// Tells the ticket callbacks whose session is inside mbedTLS.
struct Enter {
  Enter(Session*& where, Session& session) : current(where) { current = &session; }
  ~Enter() { current = nullptr; }
  Session*& current;
};

}  // namespace

Session::Session(Context& context, CertificateTime time) : context_(context), time_(time), engine_(std::make_unique<Engine>()) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::make(Context& context, CertificateTime time, const std::string& server_name) {
  std::unique_ptr<Session> session(new Session(context, time));
  session->server_name_ = server_name;
  mbedtls_ssl_context* const ssl = session->engine_->ssl.get();
  const int code = mbedtls_ssl_setup(ssl, context.state_->config.get());
  if (code != 0) return Error{ErrorCode::io, code, "TLS session"};
  mbedtls_ssl_set_bio(ssl, session.get(), SessionCallbacks::on_send, SessionCallbacks::on_receive, nullptr);
  mbedtls_ssl_set_verify(ssl, SessionCallbacks::on_verify, session.get());
  return session;
}

Result<std::unique_ptr<Session>> Session::make_server(Context& context, CertificateTime time) {
  assert(context.state_->is_server);
  return make(context, time, "");
}

Result<std::unique_ptr<Session>> Session::make_client(Context& context, CertificateTime time, const std::string& server_name,
                                                      Bytes saved) {
  assert(!context.state_->is_server);
  if (server_name.empty() && !context.state_->is_pinned) return Error{ErrorCode::invalid, 0, "name of the server"};
  ASSIGN_OR_RETURN(std::unique_ptr<Session> session, make(context, time, server_name));
  RETURN_IF_ERROR(session->set_server_name(server_name));
  session->offer(saved);
  return session;
}

/// An IP address is neither sent (RFC 6066, section 3) nor compared by the library; on_verify() does it. The name must be set all the
/// same: newer releases refuse to verify without.
Status Session::set_server_name(const std::string& server_name) {
  const bool is_dns_name = !server_name.empty() && address_bytes(server_name).empty();
  const int code = mbedtls_ssl_set_hostname(engine_->ssl.get(), is_dns_name ? server_name.c_str() : nullptr);
  if (code != 0) return Error{ErrorCode::invalid, code, "name of the server"};
  return {};
}

Digest Session::binding() const {
  ByteBuffer all(context_.state_->trust.begin(), context_.state_->trust.end());
  append(all, as_bytes(server_name_));
  return sha256(all);
}

void Session::offer(Bytes saved) {
  Bytes rest = saved;
  std::optional<SessionRecord> record = read_record(rest);
  // A resumed session shows no certificate to check again: what it was checked against must still hold.
  if (!record || record->binding != binding() || !record->peer || has_expired(record->peer->validity)) return;
  MbedSession session;
  if (mbedtls_ssl_session_load(session.get(), rest.data(), rest.size()) != 0) return;
  if (mbedtls_ssl_set_session(engine_->ssl.get(), session.get()) != 0) return;
  engine_->offered = std::move(record->peer);
  saved_.assign(saved.begin(), saved.end());
}

void Session::feed(Bytes ciphertext) {
  if (input_.empty()) {
    input_ = ciphertext;
    return;
  }
  hold_input();
  append(held_, ciphertext);
  input_ = held_;
}

void Session::hold_input() {
  if (input_.empty()) {
    ByteBuffer().swap(held_);
    return;
  }
  ByteBuffer rest(input_.begin(), input_.end());
  held_.swap(rest);
  input_ = held_;
}

Result<bool> Session::handshake() {
  if (state_ == State::failed) return error_;
  if (state_ != State::handshaking) return true;
  Enter inside(context_.state_->current, *this);
  while (true) {
    const size_t before = input_.size();
    const int code = mbedtls_ssl_handshake(engine_->ssl.get());
    if (code == 0) break;
    if (code != MBEDTLS_ERR_SSL_WANT_READ) return fail(code, "TLS handshake");
    if (input_.empty() || input_.size() == before) return false;
  }
  RETURN_IF_ERROR(finish_handshake());
  return true;
}

/// Who the peer is, from what mbedTLS has verified in this handshake or in the one that it resumes.
Peer Session::find_peer() {
  const mbedtls_ssl_context* const ssl = engine_->ssl.get();
  const uint32_t flags = mbedtls_ssl_get_verify_result(ssl);
  if (!engine_->was_verified && !context_.state_->is_server) return engine_->offered.value_or(Peer{});
  if (!engine_->was_verified) {
    // A resumption: the certificate is not shown again, so the ticket carries the identity. But a ticket that was opened need not
    // have been used: a full handshake without a certificate leaves BADCERT_MISSING, only a resumption leaves 0.
    return flags == 0 && engine_->ticket ? engine_->ticket->peer.value_or(Peer{}) : Peer{};
  }
  const CertificateInfo& info = engine_->leaf;
  Peer peer{true, flags == 0, info.common_name, info.fingerprint, info.validity, ""};
  if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) peer.problem = "is not signed by the trusted authority";
  else if ((flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) != 0) peer.problem = engine_->bad_dates;
  else if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
    peer.problem = format("is not for \"%s\" but for %s", server_name_.c_str(), list(info.names).c_str());
  } else if ((flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)) != 0) {
    peer.problem = "may not be used for this side of a connection";
  } else if (flags != 0) {
    peer.problem = format("is not acceptable (flags 0x%x)", static_cast<unsigned>(flags));
  }
  if (!peer.problem.empty()) peer.problem = format("the certificate of \"%s\" %s", info.common_name.c_str(), peer.problem.c_str());
  return peer;
}

Status Session::finish_handshake() {
  mbedtls_ssl_context* const ssl = engine_->ssl.get();
  peer_ = find_peer();
  if (context_.state_->is_server) {
    const bool used_ticket = is_tls13(*ssl) ? mbedtls_ssl_get_verify_result(ssl) == 0 : engine_->ticket.has_value();
    resumed_ = !engine_->was_verified && used_ticket && engine_->ticket.has_value();
  } else {
    resumed_ = !engine_->was_verified;
    // With a pinned authority the library went on whatever it found: this is the check.
    if (!peer_.is_verified) {
      mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA);
      return deny(peer_.problem);
    }
    if (!resumed_) saved_.clear();
    if (!resumed_ && !is_tls13(*ssl)) keep_session();  // with TLS 1.3 tickets come later (read)
  }
  engine_->leaf = {};
  engine_->ticket.reset();
  engine_->offered.reset();
  state_ = State::open;
  return {};
}

void Session::keep_session() {
  MbedSession session;
  if (mbedtls_ssl_get_session(engine_->ssl.get(), session.get()) != 0) return;
#if MBEDTLS_VERSION_NUMBER < 0x03000000
  if (session->ticket_len == 0) return;  // the server gave none
#endif
  ByteBuffer saved = write_record({binding(), time_.now, peer_});
  if (append_session(saved, session.value)) saved_ = std::move(saved);
}

Result<size_t> Session::read(std::span<uint8_t> to) {
  if (state_ == State::failed) return error_;
  if (state_ == State::closed) return Error{ErrorCode::closed, 0, "TLS"};
  assert(state_ == State::open);
  Enter inside(context_.state_->current, *this);
  mbedtls_ssl_context* const ssl = engine_->ssl.get();
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
    if (count != 0 && count != MBEDTLS_ERR_SSL_WANT_READ) return fail(count, "TLS");
    // 3.6 also says WANT_READ after a message that was not for us, although more has arrived: only the lack of progress counts.
    if (input_.size() == before && mbedtls_ssl_check_pending(ssl) == 0) return size_t{0};
  }
}

Status Session::write(Bytes plain) {
  if (state_ != State::open) return Error{ErrorCode::closed, 0, "TLS"};
  Enter inside(context_.state_->current, *this);
  while (!plain.empty()) {
    const int count = mbedtls_ssl_write(engine_->ssl.get(), plain.data(), plain.size());
    if (count <= 0) return fail(count, "TLS");
    plain = plain.subspan(static_cast<size_t>(count));
  }
  return {};
}

void Session::close() {
  if (state_ != State::open && state_ != State::closed) return;
  mbedtls_ssl_close_notify(engine_->ssl.get());
  state_ = State::closed;
}

std::string Session::alpn() const {
  const char* const name = mbedtls_ssl_get_alpn_protocol(engine_->ssl.get());
  return name == nullptr ? "" : name;
}

std::string Session::version() const { return mbedtls_ssl_get_version(engine_->ssl.get()); }

std::string Session::suite() const {
  const char* const name = mbedtls_ssl_get_ciphersuite(engine_->ssl.get());
  return name == nullptr ? "" : name;
}

Error Session::fail(int code, const char* context) {
  const uint32_t flags = mbedtls_ssl_get_verify_result(engine_->ssl.get());
  if (state_ == State::handshaking && engine_->was_verified && flags != 0 && (flags & no_certificate_flags) == 0 &&
      !context_.state_->is_server) {
    return deny(find_peer().problem);
  }
  state_ = State::failed;
  error_ = {to_code(code), code, context};
  reason_ = format("%s (-0x%04x)", explain(error_.code), static_cast<unsigned>(-code));
  return error_;
}

Error Session::deny(std::string reason) {
  state_ = State::failed;
  error_ = {ErrorCode::denied, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, "certificate"};
  reason_ = std::move(reason);
  return error_;
}

}  // namespace tideline::tls
