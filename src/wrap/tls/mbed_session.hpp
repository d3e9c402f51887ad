// Inside wrap/tls only: a session over mbedTLS, of a client or a server.
#pragma once

#include <mbedtls/ssl.h>

#include <optional>
#include <string>

#include "wrap/tls/mbed_context.hpp"
#include "wrap/tls/peer_record.hpp"
#include "wrap/tls/verdict.hpp"

namespace tideline::tls {

class MbedSession final : public Session {
 public:
  static Result<std::unique_ptr<MbedSession>> make(MbedContext& context, CertificateTime time);
  /// Client: whom it wants, and the saved session it offers if that fits.
  Status set_server_name(const std::string& server_name);
  void offer(Bytes saved);

  std::string alpn() const override;
  std::string version() const override;
  std::string suite() const override;

  /// Registers the ticket callbacks with a server's configuration.
  static void use_tickets(MbedContext& context);

 private:
  MbedSession(MbedContext& context, CertificateTime time) : Session(time), context_(context) {}
  Result<bool> shake() override;
  Result<size_t> decrypt(std::span<uint8_t> to) override;
  Status encrypt(Bytes plain) override;
  void say_goodbye() override;

  // mbedTLS's callbacks: the only place where void* becomes a session or a context.
  static int on_send(void* session, const unsigned char* bytes, size_t size);
  static int on_receive(void* session, unsigned char* to, size_t size);
  static int on_verify(void* session, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);
  static int on_ticket_write(void* context, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                             size_t* size, uint32_t* lifetime);
  static int on_ticket_parse(void* context, mbedtls_ssl_session* session, unsigned char* bytes, size_t size);

  void keep_session();
  Digest binding() const;
  bool has_expired(const Validity& validity) const { return validity.not_after < time_.now; }
  Peer find_peer() const;
  Status finish_handshake();
  Error fail_with(int code, const char* context);

  MbedContext& context_;
  Mbed<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free> ssl_;
  std::string server_name_;             // client
  bool was_verified_ = false;           // a certificate was shown in this handshake: it is no resumption
  CertificateInfo leaf_;                // the one that was shown
  std::string bad_dates_;               // of which certificate of the chain, in words
  std::optional<SessionRecord> ticket_; // server: opened in this handshake, perhaps not used
  std::optional<Peer> offered_;         // client: peer of the session that was offered
};

/// Appends mbedTLS's own form of `session`; false when it cannot be saved.
bool append_session(ByteBuffer& out, const mbedtls_ssl_session& session);

}  // namespace tideline::tls
