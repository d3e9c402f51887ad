// A small public key infrastructure and a pair of sessions joined in memory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "wrap/tls/certificates.hpp"
#include "wrap/tls/context.hpp"
#include "wrap/tls/server.hpp"
#include "wrap/tls/session.hpp"
#include "wrap/tls/ticket_keys.hpp"

namespace tideline::tls {

inline constexpr UtcNanos test_now{1'800'000'000'000'000'000};  // 2027-01-15
inline constexpr Validity test_year{test_now - hours(24), test_now + hours(24 * 365)};

/// The value of a result that must not fail.
template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result.has_value());
  return std::move(*result);
}

/// Made once: a key costs milliseconds.
struct TestPki {
  Identity authority;
  Identity server;       // hub.test and 127.0.0.1, chain with the authority
  Identity device;       // device-7
  std::string pin;

  static const TestPki& get() {
    static const TestPki pki;
    return pki;
  }
  Identity make_device(const std::string& id, Validity validity) const {
    Identity identity;
    identity.key_pem = make_key();
    identity.certificate_pem = *sign_request(authority, *make_request(identity.key_pem, id), id, validity);
    return identity;
  }
  Identity make_hub(const std::vector<std::string>& names, Validity validity) const {
    Identity identity = *make_server_certificate(authority, names, validity);
    identity.certificate_pem += authority.certificate_pem;
    return identity;
  }

 private:
  TestPki()
      : authority(*make_authority("test authority", test_year)),
        server(make_hub({"hub.test", "127.0.0.1", "::1"}, test_year)),
        device(make_device("device-7", test_year)),
        pin((*read_certificates(authority.certificate_pem))[0].fingerprint) {}
};

/// A library that serves; the client is always mbedTLS, as on a device.
struct Engine {
  const char* name;
  Result<std::unique_ptr<Server>> (*make_server)(const ServerOptions& options, TicketKeys* tickets);
};
/// Those that this build has. Only in unit_wrap.
std::vector<Engine> engines();
inline void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

class TlsPair : public ::testing::Test {
 protected:
  TlsPair() {
    server_options.identity = pki.server;
    server_options.client_ca_pem = pki.authority.certificate_pem;
    server_options.alpn = {"tideline/1", "http/1.1"};
    client_options.identity = pki.device;
    client_options.ca_pem = pki.authority.certificate_pem;
    client_options.alpn = {"tideline/1"};
  }

  /// Handshakes once; true when both sides are done.
  bool shake(Bytes saved = {}) {
    if (server_context == nullptr) server_context = must(engine.make_server(server_options, tickets.get()));
    if (client_context == nullptr) client_context = must(Context::make_client(client_options));
    client.reset();
    server.reset();
    server = must(server_context->make_session(server_time));
    client = must(client_context->make_session(client_time, server_name, saved));
    bool client_done = false;
    bool server_done = false;
    for (int round = 0; round < 8 && !(client_done && server_done); ++round) {
      client_done = step(*client, *server, client_done, client_error);
      server_done = step(*server, *client, server_done, server_error);
    }
    return client_done && server_done;
  }

  /// Moves what `from` has to say over to `to`.
  void carry(Session& from, Session& to) {
    ByteBuffer sent;
    sent.swap(from.output());
    moved_bytes += sent.size();
    to.feed(sent);
    to.hold_input();
  }

  std::string receive(Session& at) {
    std::string text;
    uint8_t buffer[4096];
    while (true) {
      const Result<size_t> count = at.read(buffer);
      if (!count || *count == 0) return text;
      text.append(reinterpret_cast<char*>(buffer), *count);
    }
  }

  std::string send(Session& from, Session& to, const std::string& text) {
    EXPECT_TRUE(from.write(as_bytes(text)));
    carry(from, to);
    return receive(to);
  }

  /// The client's saved session, after giving it a chance to see a ticket of TLS 1.3.
  ByteBuffer save() {
    send(*server, *client, "welcome");
    return client->save();
  }

  const TestPki& pki = TestPki::get();
  Engine engine{"mbedtls", make_server};
  ServerOptions server_options;
  ClientOptions client_options;
  std::unique_ptr<TicketKeys> tickets = std::make_unique<TicketKeys>(test_now);
  std::unique_ptr<Server> server_context;
  std::unique_ptr<Context> client_context;
  CertificateTime server_time{test_now, false};
  CertificateTime client_time{test_now, false};
  std::string server_name = "hub.test";
  std::unique_ptr<Session> client;
  std::unique_ptr<Session> server;
  Error client_error;
  Error server_error;
  size_t moved_bytes = 0;

 private:
  bool step(Session& self, Session& other, bool done, Error& error) {
    if (!done) {
      const Result<bool> result = self.handshake();
      if (!result) error = result.error();
      done = result && *result;
    }
    carry(self, other);
    return done;
  }
};

}  // namespace tideline::tls
