// One TLS connection as an engine on bytes: ciphertext in, ciphertext out, plaintext both ways. No socket, no clock.
//
// This half, queues and state, is the same for every library; what a library does is behind the private virtual functions.
// Owned by one connection. Thread: loop. Bounded by the library's record buffers (36 KiB in Debian's mbedTLS) and what the caller
// leaves in output(). After an error the session stays failed; reason() then says why in words.
#pragma once

#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "wrap/tls/certificates.hpp"

namespace tideline::tls {

enum class Versions : uint8_t { newest, only_1_2 };

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
  virtual ~Session() = default;
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
  virtual std::string alpn() const = 0;     ///< "" when none was agreed
  virtual std::string version() const = 0;  ///< "TLSv1.2"
  virtual std::string suite() const = 0;    ///< as mbedTLS spells it
  /// Why it failed, for people. "" while it has not.
  const std::string& reason() const { return reason_; }

  /// Client only: what resumes this session later. It is a secret, like a key. Empty when the server gave no ticket (yet: with
  /// TLS 1.3 it comes with the first data). About 1 KiB.
  const ByteBuffer& save() const { return saved_; }

 protected:
  enum class State : uint8_t { handshaking, open, closed, failed };

  explicit Session(CertificateTime time) : time_(time) {}
  /// Ends the session for good: `native` and `words` are the library's own, for who looks closer.
  Error fail(ErrorCode code, int native, const char* context, const std::string& words);
  /// Refuses the peer's certificate.
  Error deny(int native, std::string reason);
  /// Takes at most `size` bytes of what was fed.
  size_t take_input(uint8_t* to, size_t size);

  CertificateTime time_;
  Bytes input_;              // not yet read; points into the caller's memory or held_
  ByteBuffer output_;
  ByteBuffer saved_;         // client: what save() gives
  Peer peer_;
  State state_ = State::handshaking;
  bool resumed_ = false;

 private:
  /// As their public namesakes, called in the right state only. Having failed they have called fail() or deny().
  virtual Result<bool> shake() = 0;
  virtual Result<size_t> decrypt(std::span<uint8_t> to) = 0;
  virtual Status encrypt(Bytes plain) = 0;
  virtual void say_goodbye() = 0;

  ByteBuffer held_;
  std::string reason_;
  Error error_;              // of the failed state
};

}  // namespace tideline::tls
