#include "unit/wrap/tls_fixture.hpp"

namespace tideline::tls {
namespace {

/// The rules that every engine keeps.
class TlsSession : public TlsPair, public ::testing::WithParamInterface<Engine> {
 protected:
  TlsSession() { engine = GetParam(); }
};

TEST_P(TlsSession, BothSidesLearnWhoTheOtherIs) {
  ASSERT_TRUE(shake());
  EXPECT_TRUE(server->peer().is_verified);
  EXPECT_EQ(server->peer().common_name, "device-7");
  EXPECT_EQ(server->peer().fingerprint, (*read_certificates(pki.device.certificate_pem))[0].fingerprint);
  EXPECT_EQ(server->peer().validity.not_after, test_year.not_after);
  EXPECT_EQ(client->peer().common_name, "hub.test");
  EXPECT_EQ(server->alpn(), "tideline/1");
  EXPECT_FALSE(server->was_resumed());
}

TEST_P(TlsSession, ChaChaIsPreferredAndNothingBelow12IsSpoken) {
  ASSERT_TRUE(shake());
  EXPECT_NE(client->suite().find("CHACHA20-POLY1305"), std::string::npos);
  EXPECT_EQ(client->version(), library_version()[0] == '2' ? "TLSv1.2" : "TLSv1.3");
}

TEST_P(TlsSession, DataFlowsBothWaysAcrossRecords) {
  ASSERT_TRUE(shake());
  std::string big(100'000, 'x');
  big.back() = 'y';
  EXPECT_EQ(send(*client, *server, big), big);
  EXPECT_EQ(send(*server, *client, "short"), "short");
}

TEST_P(TlsSession, CiphertextMayArriveByteByByte) {
  ASSERT_TRUE(shake());
  ASSERT_TRUE(client->write(as_bytes("one byte at a time")));
  ByteBuffer sent;
  sent.swap(client->output());
  std::string got;
  for (const uint8_t& byte : sent) {
    server->feed({&byte, 1});
    got += receive(*server);
    EXPECT_FALSE(server->has_input());
  }
  EXPECT_EQ(got, "one byte at a time");
}

TEST_P(TlsSession, ClientWithoutCertificateIsLetInUnverified) {
  client_options.identity = {};
  ASSERT_TRUE(shake());
  EXPECT_FALSE(server->peer().has_certificate);
  EXPECT_FALSE(server->peer().is_verified);
  EXPECT_EQ(server->peer().common_name, "");
}

TEST_P(TlsSession, ClientOfAnotherAuthorityIsLetInUnverifiedWithReason) {
  const Identity other = *make_authority("other", test_year);
  client_options.identity.key_pem = make_key();
  client_options.identity.certificate_pem =
      *sign_request(other, *make_request(client_options.identity.key_pem, "device-7"), "device-7", test_year);
  ASSERT_TRUE(shake());
  EXPECT_TRUE(server->peer().has_certificate);
  EXPECT_FALSE(server->peer().is_verified);
  EXPECT_EQ(server->peer().problem, "the certificate of \"device-7\" is not signed by the trusted authority");
}

TEST_P(TlsSession, ExpiredClientIsUnverifiedByOurTimeNotTheMachines) {
  server_time.now = test_year.not_after + seconds(1);
  client_time.now = test_now;
  server_options.identity = pki.server;
  ASSERT_TRUE(shake());
  EXPECT_FALSE(server->peer().is_verified);
  EXPECT_NE(server->peer().problem.find("has expired on 2028-01-15"), std::string::npos) << server->peer().problem;
}

TEST_P(TlsSession, DeviceCertificateCannotServe) {
  server_options.identity = pki.device;
  server_name = "device-7";
  EXPECT_FALSE(shake());
  EXPECT_EQ(client_error.code, ErrorCode::denied);
}

TEST_P(TlsSession, HubOfAnotherAuthorityIsRefused) {
  client_options.ca_pem = make_authority("test authority", test_year)->certificate_pem;
  EXPECT_FALSE(shake());
  EXPECT_EQ(client_error.code, ErrorCode::denied);
  EXPECT_NE(client->reason().find("is not signed by the trusted authority"), std::string::npos) << client->reason();
  EXPECT_FALSE(client->write(as_bytes("x")));
}

TEST_P(TlsSession, ExpiredHubIsRefused) {
  client_time.now = test_year.not_after + hours(1);
  EXPECT_FALSE(shake());
  EXPECT_EQ(client_error.code, ErrorCode::denied);
  EXPECT_NE(client->reason().find("has expired on"), std::string::npos) << client->reason();
}

TEST_P(TlsSession, HubNotYetValidIsRefusedByACertainClockOnly) {
  client_time.now = UtcNanos{};  // 1970
  EXPECT_FALSE(shake());
  EXPECT_NE(client->reason().find("is not valid before"), std::string::npos) << client->reason();
  client_time.is_uncertain = true;
  EXPECT_TRUE(shake());
}

TEST_P(TlsSession, UncertainClockStillSeesExpiry) {
  client_time = {test_year.not_after + hours(1), true};
  EXPECT_FALSE(shake());
}

TEST_P(TlsSession, HubOfAnotherNameIsRefused) {
  server_name = "other.test";
  EXPECT_FALSE(shake());
  EXPECT_NE(client->reason().find("is not for \"other.test\" but for hub.test, 127.0.0.1, ::1"), std::string::npos) << client->reason();
}

TEST_P(TlsSession, HubIsKnownByAddressToo) {
  server_name = "127.0.0.1";
  EXPECT_TRUE(shake());
  server_name = "0:0:0::1";
  EXPECT_TRUE(shake());
  server_name = "127.0.0.2";
  EXPECT_FALSE(shake());
  EXPECT_EQ(client_error.code, ErrorCode::denied);
}

TEST_P(TlsSession, PinnedAuthorityIsTrusted) {
  client_options.ca_pem.clear();
  client_options.ca_fingerprint = pki.pin;
  client_options.identity = {};
  EXPECT_TRUE(shake()) << client->reason();
  EXPECT_TRUE(client->peer().is_verified);
  server_name = "";
  EXPECT_TRUE(shake());
}

TEST_P(TlsSession, PinChecksNameDatesAndFingerprint) {
  client_options.ca_pem.clear();
  client_options.ca_fingerprint = pki.pin;
  server_name = "other.test";
  EXPECT_FALSE(shake());
  server_name = "hub.test";
  client_time.now = test_year.not_after + hours(1);
  EXPECT_FALSE(shake());
  client_time.now = test_now;
  client_context.reset();
  client_options.ca_fingerprint[0] = client_options.ca_fingerprint[0] == '0' ? '1' : '0';
  EXPECT_FALSE(shake());
  EXPECT_EQ(client_error.code, ErrorCode::denied);
  EXPECT_NE(client->reason().find("is not signed by the trusted authority"), std::string::npos) << client->reason();
}

TEST_P(TlsSession, PinOfALeafIsNotEnough) {
  client_options.ca_pem.clear();
  client_options.ca_fingerprint = (*read_certificates(pki.server.certificate_pem))[0].fingerprint;
  EXPECT_FALSE(shake());
}

TEST_P(TlsSession, PinFailsWhenTheHubDoesNotSendItsAuthority) {
  client_options.ca_pem.clear();
  client_options.ca_fingerprint = pki.pin;
  server_options.identity = *make_server_certificate(pki.authority, {"hub.test"}, test_year);
  EXPECT_FALSE(shake());
}

TEST_P(TlsSession, AlpnIsEmptyForAClientThatNamesNone) {
  client_options.alpn.clear();
  ASSERT_TRUE(shake());
  EXPECT_EQ(server->alpn(), "");
  client_context.reset();
  client_options.alpn = {"http/1.1"};
  ASSERT_TRUE(shake());
  EXPECT_EQ(server->alpn(), "http/1.1");
}

TEST_P(TlsSession, NoCommonProtocolFails) {
  client_options.alpn = {"smtp"};
  EXPECT_FALSE(shake());
  EXPECT_NE(server_error.context, std::string());
}

TEST_P(TlsSession, GoodbyeIsToldFromDamage) {
  ASSERT_TRUE(shake());
  client->close();
  EXPECT_FALSE(client->write(as_bytes("late")));
  carry(*client, *server);
  uint8_t buffer[16];
  EXPECT_EQ(server->read(buffer).error().code, ErrorCode::closed);
  EXPECT_EQ(server->read(buffer).error().code, ErrorCode::closed);
}

TEST_P(TlsSession, ChangedCiphertextFailsForGood) {
  ASSERT_TRUE(shake());
  ASSERT_TRUE(client->write(as_bytes("important")));
  client->output().back() ^= 1;
  carry(*client, *server);
  uint8_t buffer[16];
  EXPECT_EQ(server->read(buffer).error().code, ErrorCode::corrupt);
  EXPECT_EQ(server->read(buffer).error().code, ErrorCode::corrupt);
  EXPECT_FALSE(server->reason().empty());
}

TEST_P(TlsSession, PlainHttpIsNotTls) {
  server_context = must(engine.make_server(server_options, tickets.get()));
  server = must(server_context->make_session(server_time));
  const std::string request = "GET / HTTP/1.1\r\nHost: hub\r\n\r\n";
  server->feed(as_bytes(request));
  EXPECT_FALSE(server->handshake());
  EXPECT_FALSE(server->reason().empty());
}

TEST_P(TlsSession, KeyOfAnotherCertificateIsRefusedEarly) {
  server_options.identity.key_pem = make_key();
  EXPECT_EQ(engine.make_server(server_options, nullptr).error().code, ErrorCode::invalid);
}

TEST_P(TlsSession, TrustMustBeGivenOnce) {
  client_options.ca_fingerprint = pki.pin;
  EXPECT_FALSE(Context::make_client(client_options));
  client_options.ca_pem.clear();
  client_options.ca_fingerprint = "abc";
  EXPECT_FALSE(Context::make_client(client_options));
}

INSTANTIATE_TEST_SUITE_P(Engines, TlsSession, ::testing::ValuesIn(engines()), [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace tideline::tls
