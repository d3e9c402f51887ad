#include "wrap/tls/session.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "wrap/tls/context_state.hpp"
#include "wrap/tls/peer_record.hpp"

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

/// Appends mbedTLS's own form of `session`; false when it cannot be saved.
bool append_session(ByteBuffer& out, const mbedtls_ssl_session& session) {
  size_t size = 0;
  mbedtls_ssl_session_save(&session, nullptr, 0, &size);
  const size_t start = out.size();
  out.resize(start + size);
  return mbedtls_ssl_session_save(&session, out.data() + start, size, &size) == 0;
}

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

}  // namespace

struct Session::Engine {
  Mbed<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free> ssl;
  bool was_verified = false;          // a certificate was shown in this handshake: it is no resumption
  CertificateInfo leaf;               // the one that was shown
  std::string bad_dates;              // which certificate of the chain, in words
  std::optional<SessionRecord> ticket;  // server: opened in this handshake, perhaps not used
  std::optional<Peer> offered;        // client: peer of the session that was offered
};

/// mbedTLS's callbacks: the only place where void* becomes a Session.
struct SessionCallbacks {
  static int on_send(void* context, const unsigned char* bytes, size_t size) {
    auto* const session = static_cast<Session*>(context);
    append(session->output_, {bytes, size});
    return static_cast<int>(size);
  }

  static int on_receive(void* context, unsigned char* to, size_t size) {
    auto* const session = static_cast<Session*>(context);
    const size_t count = std::min(size, session->input_.size());
    if (count == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    std::memcpy(to, session->input_.data(), count);
    session->input_ = session->input_.subspan(count);
    return static_cast<int>(count);
  }

  /// Called for each certificate from the authority (largest depth) to the peer's own (0). The library has compared dates with
  /// the system's clock: that verdict is replaced by one with our time.
  static int on_verify(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
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
    const std::string& name = session->server_name_;
    const auto& names = engine.leaf.names;
    if (!address_bytes(name).empty() && std::find(names.begin(), names.end(), name) == names.end()) {
      *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    return 0;
  }

  static int on_ticket_write(void* context, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                             size_t* size, uint32_t* lifetime) {
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

  static int on_ticket_parse(void* context, mbedtls_ssl_session* session, unsigned char* bytes, size_t size) {
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
};

void set_ticket_callbacks(mbedtls_ssl_config& config, void* state) {
  mbedtls_ssl_conf_session_tickets_cb(&config, SessionCallbacks::on_ticket_write, SessionCallbacks::on_ticket_parse, state);
}

namespace {

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
