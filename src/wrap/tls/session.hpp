// One TLS connection as an engine on bytes: ciphertext in, ciphertext out, plaintext both ways. No socket, no clock.
//
// Owned by one connection. Thread: loop. Bounded by mbedTLS's two record buffers (36 KiB in Debian's build) and what the caller
// leaves in output(). After an error the session stays failed; reason() then says why in words.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "wrap/tls/context.hpp"

namespace tideline::tls {

/// Who the other side proved to be. The same after a resumption as after the full handshake that it resumes.
struct Peer {
  bool has_certificate = false;
  bool is_verified = false;     ///< chain, dates, usage and, at a client, the server's name are right
  std::string common_name;
  std::string fingerprint;      ///< SHA-256, 64 hexadecimal digits
  Validity validity;
  std::string problem;          ///< why it is not verified, in words; "" otherwise
};

/// What certificates' dates are compared with. An uncertain clock (no anchor since boot) is a floor: it can prove that a
/// certificate has expired, not that it is not yet valid.
struct CertificateTime {
  UtcNanos now;
  bool is_uncertain = false;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> make_server(Context& context, CertificateTime time);
  /// `server_name` is the DNS name or IP address that the certificate must carry; ignored with a pinned authority when "".
  /// `saved` is what save() gave earlier, or empty; what does not fit (other trust, name, certificate; expired) is ignored.
  static Result<std::unique_ptr<Session>> make_client(Context& context, CertificateTime time, const std::string& server_name,
                                                      Bytes saved);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Gives received bytes, read from where they are until hold_input(). The earlier ones must have been used up or held.
  void feed(Bytes ciphertext);
  /// Copies what is still unread of the bytes fed, so that their memory may go.
  void hold_input();
  bool has_input() const { return !input_.empty(); }

  /// Goes on with the handshake. True once it is done, false when it needs more from the peer. Errors: denied (certificate),
  /// unsupported (no common version or suite), corrupt, closed.
  Result<bool> handshake();
  bool is_open() const { return state_ == State::open; }

  /// Reads plaintext. 0 when more ciphertext is needed. Errors: closed (the peer said goodbye), corrupt, denied.
  Result<size_t> read(std::span<uint8_t> to);
  /// Encrypts all of `plain` into output(), in records of 16 KiB. Errors: closed when the session is not open.
  Status write(Bytes plain);
  /// Queues the goodbye, after which nothing can be written.
  void close();
  /// Ciphertext to send, in order. The caller takes it away.
  ByteBuffer& output() { return output_; }

  const Peer& peer() const { return peer_; }
  bool was_resumed() const { return resumed_; }
  std::string alpn() const;     ///< "" when none was agreed
  std::string version() const;  ///< "TLSv1.2"
  std::string suite() const;
  /// Why it failed, for people. "" while it has not.
  const std::string& reason() const { return reason_; }

  /// Client only: what resumes this session later. It is a secret, like a key. Empty when the server gave no ticket (yet: with
  /// TLS 1.3 it comes with the first data). About 1 KiB.
  const ByteBuffer& save() const { return saved_; }

 private:
  enum class State : uint8_t { handshaking, open, closed, failed };
  struct Engine;
  friend struct SessionCallbacks;

  Session(Context& context, CertificateTime time);
  static Result<std::unique_ptr<Session>> make(Context& context, CertificateTime time, const std::string& server_name);
  Status set_server_name(const std::string& server_name);
  void offer(Bytes saved);
  void keep_session();
  Digest binding() const;
  bool has_expired(const Validity& validity) const { return validity.not_after < time_.now; }
  Peer find_peer();
  Status finish_handshake();
  Error fail(int code, const char* context);
  Error deny(std::string reason);

  Context& context_;
  CertificateTime time_;
  std::unique_ptr<Engine> engine_;
  Bytes input_;       // not yet read; points into the caller's memory or held_
  ByteBuffer held_;
  ByteBuffer output_;
  ByteBuffer saved_;         // client: what save() gives
  std::string server_name_;  // client
  Peer peer_;
  std::string reason_;
  Error error_;              // of the failed state
  State state_ = State::handshaking;
  bool resumed_ = false;
};

}  // namespace tideline::tls
