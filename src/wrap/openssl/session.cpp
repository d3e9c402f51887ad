#include "wrap/openssl/session.hpp"

#include <openssl/err.h>

#include <algorithm>

namespace tideline::openssl {
namespace {

ErrorCode to_code(unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return ErrorCode::corrupt;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + UINT8_MAX) return ErrorCode::denied;  // an alert came
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_APPLICATION_PROTOCOL: return ErrorCode::unsupported;
    default: return ErrorCode::corrupt;
  }
}

long on_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace

Result<std::unique_ptr<tls::Session>> Session::make(Shared& shared, tls::CertificateTime time) {
  std::unique_ptr<Session> session(new Session(shared, time));
  session->ssl_.reset(SSL_new(shared.context.get()));
  BIO* const bio = BIO_new(shared.queues.get());
  if (session->ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    return Error{ErrorCode::io, 0, "TLS session"};
  }
  BIO_set_data(bio, session.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl_.get(), bio, bio);
  SSL_set_app_data(session->ssl_.get(), session.get());
  SSL_set_accept_state(session->ssl_.get());
  return std::unique_ptr<tls::Session>(std::move(session));
}

Session& Session::of(const SSL* ssl) { return *static_cast<Session*>(SSL_get_app_data(ssl)); }

Result<bool> Session::shake() {
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_.get());
  if (code != 1) {
    if (SSL_get_error(ssl_.get(), code) == SSL_ERROR_WANT_READ) return false;
    return fail_with(code, "TLS handshake");
  }
  resumed_ = SSL_session_reused(ssl_.get()) == 1;
  if (resumed_ && ticket_) peer_ = ticket_->peer.value_or(tls::Peer{});
  else if (shown_) peer_ = std::move(*shown_);
  shown_.reset();
  ticket_.reset();
  return true;
}

Result<size_t> Session::decrypt(std::span<uint8_t> to) {
  ERR_clear_error();
  size_t count = 0;
  const int code = SSL_read_ex(ssl_.get(), to.data(), to.size(), &count);
  if (code == 1) return count;
  switch (SSL_get_error(ssl_.get(), code)) {
    case SSL_ERROR_WANT_READ: return size_t{0};
    case SSL_ERROR_ZERO_RETURN: state_ = State::closed; return Error{ErrorCode::closed, 0, "TLS"};
    default: return fail_with(code, "TLS");
  }
}

Status Session::encrypt(Bytes plain) {
  if (plain.empty()) return {};
  constexpr size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;
  if (plain.size() > record_bytes) output_.reserve(output_.size() + plain.size() + (plain.size() / record_bytes + 1) * 32);
  ERR_clear_error();
  size_t count = 0;
  const int code = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
  if (code != 1) return fail_with(code, "TLS");
  return {};
}

void Session::say_goodbye() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

std::string Session::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string Session::version() const { return SSL_get_version(ssl_.get()); }

/// "TLS_ECDHE_ECDSA_WITH_..." as the registry has it, but as mbedTLS spells it: "TLS-ECDHE-ECDSA-WITH-...", "TLS1-3-...".
std::string Session::suite() const {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl_.get());
  if (cipher == nullptr) return "";
  std::string name = SSL_CIPHER_standard_name(cipher);
  std::replace(name.begin(), name.end(), '_', '-');
  if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) name.replace(0, 3, "TLS1-3");
  return name;
}

Error Session::fail_with(int code, const char* context) {
  const unsigned long error = ERR_peek_error();
  if (SSL_get_error(ssl_.get(), code) == SSL_ERROR_ZERO_RETURN) return fail(ErrorCode::closed, 0, context, "goodbye");
  const char* const words = ERR_reason_error_string(error);
  return fail(to_code(error), ERR_GET_REASON(error), context, words != nullptr ? words : "unknown");
}

int Session::on_send(BIO* bio, const char* bytes, int size) {
  append(static_cast<Session*>(BIO_get_data(bio))->output_, as_bytes(std::string_view(bytes, static_cast<size_t>(size))));
  return size;
}

int Session::on_receive(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const size_t count = static_cast<Session*>(BIO_get_data(bio))->take_input(reinterpret_cast<uint8_t*>(to), static_cast<size_t>(size));
  if (count > 0) return static_cast<int>(count);
  BIO_set_retry_read(bio);
  return -1;
}

Status Session::set_callbacks(Shared& shared) {
  shared.queues.reset(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "byte queues"));
  SSL_CTX* const context = shared.context.get();
  if (shared.queues == nullptr) return Error{ErrorCode::io, 0, "TLS configuration"};
  BIO_meth_set_write(shared.queues.get(), on_send);
  BIO_meth_set_read(shared.queues.get(), on_receive);
  BIO_meth_set_ctrl(shared.queues.get(), on_control);
  SSL_CTX_set_cert_verify_callback(context, on_certificate, &shared);
  if (!shared.alpn.empty()) SSL_CTX_set_alpn_select_cb(context, on_alpn, &shared);
  if (shared.tickets == nullptr) return {};
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket_key);
  SSL_CTX_set_session_ticket_cb(context, on_ticket_write, on_ticket_read, &shared);
  return {};
}

int Session::on_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered, unsigned offered_size,
                     void* shared) {
  for (const std::string& ours : static_cast<Shared*>(shared)->alpn) {
    for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {  // OpenSSL has checked the lengths
      if (std::string_view(reinterpret_cast<const char*>(offered) + at + 1, offered[at]) != ours) continue;
      *chosen = offered + at + 1;
      *chosen_size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace tideline::openssl
