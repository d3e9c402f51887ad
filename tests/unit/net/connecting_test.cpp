#include "unit/net/net_fixture.hpp"

namespace tideline::net {
namespace {

class ConnectingTest : public NetTest {
 protected:
  bool fails() {
    start_connecting();
    return run_until([&] { return device.failed == 1; }) && device.connected == 0;
  }
};

TEST_F(ConnectingTest, SecondConnectionIsResumedWithTheSameIdentity) {
  connect();
  ASSERT_TRUE(at_hub().send_frame(as_bytes("welcome")));  // TLS 1.3 gives its ticket with the first data
  ASSERT_TRUE(run_until([&] { return device.end.frames.size() == 1; }));
  connector->set_session(at_device().save_session());
  connect();
  EXPECT_TRUE(at_hub().was_resumed());
  EXPECT_TRUE(at_device().was_resumed());
  EXPECT_EQ(at_hub().peer().common_name, "device-7");
  EXPECT_EQ(acceptor->counts().resumed, 1u);
  EXPECT_EQ(acceptor->counts().accepted, 2u);
}

TEST_F(ConnectingTest, NobodyListeningIsSaidWithAHint) {
  listen();
  acceptor->stop_listening();
  run_turns(2);
  ASSERT_TRUE(fails());
  EXPECT_EQ(device.reason.error.code, ErrorCode::unreachable);
  EXPECT_NE(device.reason.text.find("connection refused (is the hub running"), std::string::npos) << device.reason.text;
}

TEST_F(ConnectingTest, FailureIsNeverReportedInsideConnect) {
  target = {"not an address or a name", 1, ""};
  start_connecting();
  EXPECT_EQ(device.failed, 0);
  ASSERT_TRUE(run_until([&] { return device.failed == 1; }));
  EXPECT_EQ(device.reason.error.code, ErrorCode::unreachable);
  EXPECT_FALSE(connector->is_connecting());
}

TEST_F(ConnectingTest, HubOfAnotherAuthorityIsRefusedInWords) {
  client_options.ca_pem = tls::make_authority("other", tls::test_year)->certificate_pem;
  listen();
  ASSERT_TRUE(fails());
  EXPECT_EQ(device.reason.error.code, ErrorCode::denied);
  EXPECT_NE(device.reason.text.find("is not signed by the trusted authority"), std::string::npos) << device.reason.text;
  ASSERT_TRUE(run_until([&] { return hub.refused.size() == 1; }));
  EXPECT_EQ(acceptor->counts().failed, 1u);
  run_turns(2);
  EXPECT_EQ(acceptor->counts().open, 0u);
}

TEST_F(ConnectingTest, CancelledIsSilentAtEveryStep) {
  listen();
  for (int turns = 0; turns < 12; ++turns) {
    start_connecting();
    run_turns(turns);
    if (device.connected == 0) connector->cancel();
    run_turns(3);
    EXPECT_EQ(device.failed, 0) << turns;
    device.end.connection.reset();
    device.connected = 0;
  }
}

TEST_F(ConnectingTest, DestroyedWhileConnectingIsSilent) {
  listen();
  start_connecting();
  run_turns(2);
  connector.reset();
  const int events = device.connected + device.failed;
  run_turns(5);
  EXPECT_EQ(device.connected + device.failed, events);
}

TEST_F(ConnectingTest, ClientThatNeverShakesHandsIsDroppedAtTheDeadline) {
  bounds.handshake_deadline = milliseconds(20);
  listen();
  uv::StreamEvents silent;
  auto stream = uv::must(uv::Stream::connect_tcp(loop, silent, acceptor->address()));
  ASSERT_TRUE(run_until([&] { return hub.refused.size() == 1; }));
  EXPECT_EQ(hub.refused[0].error.code, ErrorCode::timeout);
  run_turns(2);
  EXPECT_EQ(acceptor->counts().open, 0u);
}

TEST_F(ConnectingTest, HttpInTheClearIsRefusedNotServed) {
  listen();
  uv::StreamEvents events;
  auto stream = uv::must(uv::Stream::connect_tcp(loop, events, acceptor->address()));
  ASSERT_TRUE(run_until([&] { return events.connected; }));
  stream->write(uv::bytes_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(run_until([&] { return hub.refused.size() == 1; }));
  EXPECT_TRUE(hub.ends.empty());
}

TEST_F(ConnectingTest, ConnectionsBeyondTheBoundWaitForRoom) {
  bounds.connections = 2;
  listen();
  uv::StreamEvents events;
  std::vector<std::unique_ptr<uv::Stream>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(uv::must(uv::Stream::connect_tcp(loop, events, acceptor->address())));
  ASSERT_TRUE(run_until([&] { return acceptor->counts().open == 2; }));
  run_turns(20);
  EXPECT_EQ(acceptor->counts().open, 2u);
  EXPECT_EQ(acceptor->counts().accepted, 2u);
  clients[0].reset();
  ASSERT_TRUE(run_until([&] { return acceptor->counts().accepted == 3; }));
  EXPECT_EQ(acceptor->counts().open, 2u);
}

TEST_F(ConnectingTest, HandshakesBeyondTheBoundWaitForTheirTurn) {
  bounds.handshakes = 1;
  listen();
  uv::StreamEvents events;
  auto silent = uv::must(uv::Stream::connect_tcp(loop, events, acceptor->address()));
  ASSERT_TRUE(run_until([&] { return acceptor->counts().opening == 1; }));
  start_connecting();
  run_turns(50);
  EXPECT_EQ(device.connected, 0);
  silent.reset();
  EXPECT_TRUE(run_until([&] { return device.connected == 1; }));
}

TEST_F(ConnectingTest, RefusedByTheListenerIsClosed) {
  hub.refuse_all = true;
  listen();
  start_connecting();
  ASSERT_TRUE(run_until([&] { return device.connected == 1; })) << device.reason.text;
  ASSERT_TRUE(run_until([&] { return device.end.closed == 1; }));
  EXPECT_TRUE(run_until([&] { return acceptor->counts().open == 0; }));
}

TEST_F(ConnectingTest, OneConnectorMakesOneConnectionAtATime) {
  listen();
  start_connecting();
  run_turns(2);
  start_connecting();
  ASSERT_TRUE(run_until([&] { return device.connected == 1; }));
  run_turns(20);
  EXPECT_EQ(device.connected, 1);
  EXPECT_EQ(device.failed, 0);
}

TEST_F(ConnectingTest, RenewedServerCertificateServesNewConnections) {
  connect();
  server_options.identity = pki.make_hub({"renewed.test", "127.0.0.1"}, tls::test_year);
  auto renewed = tls::must(tls::make_server(server_options, &tickets));
  acceptor->set_server(*renewed);
  connect();
  EXPECT_EQ(at_device().peer().common_name, "renewed.test");
  device.end.connection.reset();
  hub.ends.clear();
}

}  // namespace
}  // namespace tideline::net
