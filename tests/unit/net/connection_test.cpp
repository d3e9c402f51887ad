#include "unit/net/net_fixture.hpp"

namespace tideline::net {
namespace {

class ConnectionTest : public NetTest {};

TEST_F(ConnectionTest, DeviceIsKnownAndSpeaksLink) {
  connect();
  EXPECT_TRUE(at_hub().speaks_link());
  EXPECT_TRUE(at_hub().peer().is_verified);
  EXPECT_EQ(at_hub().peer().common_name, "device-7");
  EXPECT_EQ(at_device().peer().common_name, "hub.test");
  EXPECT_EQ(at_device().peer_address(), "127.0.0.1:" + std::to_string(target.port));
  EXPECT_NE(at_device().protection().find("CHACHA20"), std::string::npos);
}

TEST_F(ConnectionTest, FramesOfEverySizeArrive) {
  connect();
  std::vector<std::string> sent;
  for (const size_t size : {size_t{1}, size_t{2}, size_t{16 * 1024}, size_t{16 * 1024 + 1}, limits::frame_bytes}) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    ASSERT_TRUE(at_device().send_frame(as_bytes(sent.back())));
  }
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == sent.size(); }));
  EXPECT_EQ(hub_end().frames, sent);
  ASSERT_TRUE(at_hub().send_frame(as_bytes("answer")));
  ASSERT_TRUE(run_until([&] { return device.end.frames.size() == 1; }));
  EXPECT_EQ(at_hub().traffic().received_frames, sent.size());
  EXPECT_EQ(at_device().traffic().sent_frames, sent.size());
}

TEST_F(ConnectionTest, EmptyAndTooLargeFramesAreRefused) {
  connect();
  EXPECT_EQ(at_device().send_frame({}).error().code, ErrorCode::limit);
  EXPECT_EQ(at_device().send_frame(ByteBuffer(limits::frame_bytes + 1)).error().code, ErrorCode::limit);
}

TEST_F(ConnectionTest, ManySmallFramesOfOneTurnShareARecord) {
  connect();
  const uint64_t before = at_device().traffic().sent_bytes;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(at_device().send_frame(as_bytes("tiny")));
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == 100; }));
  const uint64_t payload = 100 * (4 + link::frame_header_bytes);
  EXPECT_LT(at_device().traffic().sent_bytes - before, payload + 64) << "the cost of one record";
}

TEST_F(ConnectionTest, HttpIsBytes) {
  client_options.alpn = {http_protocol};
  connect();
  EXPECT_FALSE(at_hub().speaks_link());
  ASSERT_TRUE(at_device().send_bytes(as_bytes("GET / HTTP/1.1\r\n\r\n")));
  ASSERT_TRUE(run_until([&] { return hub_end().text == "GET / HTTP/1.1\r\n\r\n"; }));
  const std::string large(limits::send_queue_bytes * 3, 'x');
  ASSERT_TRUE(at_hub().send_bytes(as_bytes(large))) << "an answer is sent whole";
  ASSERT_TRUE(run_until([&] { return device.end.text.size() == large.size(); }));
}

TEST_F(ConnectionTest, ClientWithoutAlpnSpeaksBytes) {
  client_options.alpn.clear();
  client_options.identity = {};
  connect();
  EXPECT_FALSE(at_hub().speaks_link());
  EXPECT_FALSE(at_hub().peer().has_certificate);
}

TEST_F(ConnectionTest, QueueIsBoundedAndTellsWhenThereIsRoom) {
  connect();
  at_hub().pause_reading();
  const ByteBuffer frame(limits::frame_bytes);
  Status status;
  int taken = 0;
  while ((status = at_device().send_frame(frame)).has_value()) {
    ++taken;
    run_turns(1);
    ASSERT_LT(taken, 1000);
  }
  EXPECT_EQ(status.error().code, ErrorCode::full);
  EXPECT_LE(at_device().queued_bytes(), limits::send_queue_bytes);
  EXPECT_GT(at_device().queued_bytes() + frame.size() + link::frame_header_bytes, limits::send_queue_bytes);
  EXPECT_EQ(device.end.writable, 0);
  at_hub().resume_reading();
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == static_cast<size_t>(taken); }));
  EXPECT_EQ(device.end.writable, 1);
  EXPECT_EQ(at_device().queued_bytes(), 0u);
}

TEST_F(ConnectionTest, PauseHoldsWhatHasArrivedAlready) {
  connect();
  hub_end().pause_after_frame = true;
  for (const char* text : {"one", "two", "three"}) ASSERT_TRUE(at_device().send_frame(as_bytes(text)));
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == 1; }));
  run_turns(10);
  EXPECT_EQ(hub_end().frames.size(), 1u);
  at_hub().resume_reading();
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == 2; }));
  hub_end().pause_after_frame = false;
  at_hub().resume_reading();
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == 3; }));
}

TEST_F(ConnectionTest, GoodbyeWhilePausedComesAfterTheData) {
  connect();
  hub_end().pause_after_frame = true;
  for (const char* text : {"one", "two"}) ASSERT_TRUE(at_device().send_frame(as_bytes(text)));
  at_device().close();
  ASSERT_TRUE(run_until([&] { return hub_end().frames.size() == 1; }));
  run_turns(10);
  EXPECT_EQ(hub_end().closed, 0);
  hub_end().pause_after_frame = false;
  at_hub().resume_reading();
  ASSERT_TRUE(run_until([&] { return hub_end().closed == 1; }));
  EXPECT_EQ(hub_end().frames.size(), 2u);
  EXPECT_EQ(hub_end().reason.error.code, ErrorCode::closed);
}

TEST_F(ConnectionTest, CloseSendsWhatIsQueuedAndBothSidesEndWell) {
  connect();
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(at_device().send_frame(ByteBuffer(limits::frame_bytes)));
  at_device().close();
  EXPECT_EQ(device.end.closed, 0) << "never inside close()";
  EXPECT_EQ(at_device().send_frame(as_bytes("late")).error().code, ErrorCode::closed);
  hub_end().loop = &loop;  // the hub lets go when it sees the goodbye
  ASSERT_TRUE(run_until([&] { return device.end.closed == 1 && hub_end().closed == 1; }));
  EXPECT_EQ(hub_end().frames.size(), 7u);
  EXPECT_EQ(hub_end().reason.error.code, ErrorCode::closed);
  EXPECT_EQ(device.end.reason.error.code, ErrorCode::closed);
}

TEST_F(ConnectionTest, PeerThatStopsWithoutGoodbyeIsAFailureInWords) {
  connect();
  device.end.connection.reset();
  ASSERT_TRUE(run_until([&] { return hub_end().closed == 1; }));
  EXPECT_NE(hub_end().reason.error.code, ErrorCode::closed);
  // With a ticket of TLS 1.3 unread at the device, the kernel says reset instead of end.
  const std::string& text = hub_end().reason.text;
  EXPECT_TRUE(text.find("without a goodbye") != std::string::npos || text.find("is lost: connection reset") != std::string::npos) << text;
}

TEST_F(ConnectionTest, FrameBeyondTheLimitEndsTheConnection) {
  client_options.alpn = {link_protocol};
  connect();
  uint8_t header[link::frame_header_bytes];
  store_be32(header, limits::frame_bytes + 1);
  ASSERT_TRUE(at_device().send_bytes(header));  // past the checks of send_frame()
  ASSERT_TRUE(run_until([&] { return hub_end().closed == 1; }));
  EXPECT_EQ(hub_end().reason.error.code, ErrorCode::limit);
  ASSERT_TRUE(run_until([&] { return device.end.closed == 1; }));
}

TEST_F(ConnectionTest, MayBeClosedAndRetiredInsideItsOwnEvents) {
  connect();
  hub_end().close_after_frame = true;
  hub_end().loop = &loop;
  device.end.loop = &loop;
  for (const char* text : {"one", "two"}) ASSERT_TRUE(at_device().send_frame(as_bytes(text)));
  ASSERT_TRUE(run_until([&] { return hub_end().closed == 1 && device.end.closed == 1; }));
  EXPECT_EQ(hub_end().frames.size(), 1u) << "nothing is delivered after close()";
  run_turns(2);
  EXPECT_EQ(hub_end().connection, nullptr);
  EXPECT_EQ(device.end.connection, nullptr);
}

TEST_F(ConnectionTest, WithoutTlsItIsBytesOnAUnixSocket) {
  test::TempDir directory;
  const std::string path = directory.file("hub.sock");
  acceptor = std::make_unique<Acceptor>(loop, nullptr, clock, hub, bounds);
  ASSERT_TRUE(acceptor->listen_local(path));
  uv::StreamEvents events;
  auto client = uv::must(uv::Stream::connect_local(loop, events, path));
  ASSERT_TRUE(run_until([&] { return hub.ends.size() == 1 && events.connected; }));
  client->start_reading();
  client->write(uv::bytes_of("GET"));
  ASSERT_TRUE(run_until([&] { return hub_end().text == "GET"; }));
  EXPECT_EQ(at_hub().peer_address(), "local");
  EXPECT_FALSE(at_hub().is_encrypted());
  ASSERT_TRUE(at_hub().send_bytes(as_bytes("200")));
  at_hub().close();
  ASSERT_TRUE(run_until([&] { return events.ended; }));
  EXPECT_EQ(events.text, "200");
  client.reset();
  ASSERT_TRUE(run_until([&] { return hub_end().closed == 1; }));
}

}  // namespace
}  // namespace tideline::net
