// Inside wrap/openssl only: a server's session over OpenSSL, and what all of them share.
//
// An idle session holds about 10 KiB: record buffers are given back when they are empty, and the device's certificate is let go once
// its ticket is made (tickets.hpp).
#pragma once

#include <optional>
#include <string>

#include "wrap/openssl/owned.hpp"
#include "wrap/tls/crypto.hpp"
#include "wrap/tls/peer_record.hpp"
#include "wrap/tls/server.hpp"

namespace tideline::openssl {

struct Shared {
  OwnedContext context;
  OwnedBioMethod queues;           // reads and writes the byte queues of a session
  std::vector<std::string> alpn;   // in order of preference
  tls::Digest trust{};             // a ticket must not outlive what its identity was checked against
  tls::TicketKeys* tickets = nullptr;
};

class Session final : public tls::Session {
 public:
  static Result<std::unique_ptr<tls::Session>> make(Shared& shared, tls::CertificateTime time);

  std::string alpn() const override;
  std::string version() const override;
  std::string suite() const override;

  /// Registers the callbacks of sessions with what they share. Errors: io (memory).
  static Status set_callbacks(Shared& shared);

 private:
  Session(Shared& shared, tls::CertificateTime time) : tls::Session(time), shared_(shared) {}
  Result<bool> shake() override;
  Result<size_t> decrypt(std::span<uint8_t> to) override;
  Status encrypt(Bytes plain) override;
  void say_goodbye() override;
  Error fail_with(int code, const char* context);

  // OpenSSL's callbacks: the only place where void* becomes a session.
  static Session& of(const SSL* ssl);
  static int on_send(BIO* bio, const char* bytes, int size);
  static int on_receive(BIO* bio, char* to, int size);
  static int on_certificate(X509_STORE_CTX* store, void* shared);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned offered_size, void* shared);
  static int on_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int is_sealing);
  static int on_ticket_write(SSL* ssl, void* shared);
  static SSL_TICKET_RETURN on_ticket_read(SSL* ssl, SSL_SESSION* resumed, const unsigned char* name, size_t name_size,
                                          SSL_TICKET_STATUS status, void* shared);

  Shared& shared_;
  OwnedSsl ssl_;
  std::optional<tls::Peer> shown_;             // by the certificate of this handshake
  std::optional<tls::SessionRecord> ticket_;   // opened in this handshake, perhaps not used
};

}  // namespace tideline::openssl
