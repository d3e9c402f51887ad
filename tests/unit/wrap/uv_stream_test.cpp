#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>

#include "unit/wrap/uv_fixture.hpp"
#include "wrap/uv/resolver.hpp"

namespace tideline::uv {
namespace {

class StreamTest : public LoopTest {
 protected:
  void connect(const char* host = "127.0.0.1") {
    socket = must(ListenSocket::listen_tcp(loop, server, *Address::parse(host, 0)));
    client = must(Stream::connect_tcp(loop, events, socket->address()));
    ASSERT_TRUE(run_until([&] { return events.connected && server.streams.size() == 1; }));
  }
  Stream& accepted() { return *server.streams[0]; }
  StreamEvents& accepted_events() { return *server.events[0]; }

  Server server;
  StreamEvents events;
  std::unique_ptr<ListenSocket> socket;
  std::unique_ptr<Stream> client;
};

TEST_F(StreamTest, BytesFlowBothWaysOverIpv4) {
  connect();
  EXPECT_NE(socket->address().port(), 0);
  EXPECT_EQ(client->peer().text(), socket->address().text());
  client->write(bytes_of("ping"));
  ASSERT_TRUE(run_until([&] { return accepted_events().text == "ping"; }));
  client->start_reading();
  accepted().write(bytes_of("pong"));
  EXPECT_TRUE(run_until([&] { return events.text == "pong"; }));
}

TEST_F(StreamTest, HalfCloseStillLetsTheOtherSideAnswer) {
  connect();
  client->start_reading();
  client->write(bytes_of("last words"));
  client->finish_writing();
  ASSERT_TRUE(run_until([&] { return accepted_events().ended; }));
  EXPECT_EQ(accepted_events().text, "last words");
  accepted().write(bytes_of("answer"));
  accepted().finish_writing();
  EXPECT_TRUE(run_until([&] { return events.ended; }));
  EXPECT_EQ(events.text, "answer");
}

TEST_F(StreamTest, RefusedConnectionFailsOnceAsEvent) {
  socket = must(ListenSocket::listen_tcp(loop, server, *Address::parse("127.0.0.1", 0)));
  const Address gone = socket->address();
  socket.reset();
  run_turns(2);
  client = must(Stream::connect_tcp(loop, events, gone));
  EXPECT_FALSE(events.failed);
  ASSERT_TRUE(run_until([&] { return events.failed; }));
  EXPECT_EQ(events.error.code, ErrorCode::unreachable);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(StreamTest, SlowReaderLeavesBytesQueuedAndDrainsLater) {
  connect();
  accepted().stop_reading();
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 16; ++i) client->write(bytes_of(block));
  EXPECT_GT(client->queued_bytes(), 1u << 20);
  EXPECT_EQ(events.drained, 0);
  accepted().start_reading();
  ASSERT_TRUE(run_until([&] { return events.drained > 0; }));
  EXPECT_EQ(client->queued_bytes(), 0u);
  ASSERT_TRUE(run_until([&] { return accepted_events().text.size() == block.size() * 16; }));
}

TEST_F(StreamTest, DestroyedWithWritesPendingIsSilent) {
  connect();
  accepted().stop_reading();
  for (int i = 0; i < 16; ++i) client->write(ByteBuffer(1 << 20));
  client.reset();
  run_turns(5);
  EXPECT_FALSE(events.failed);
  EXPECT_EQ(events.drained, 0);
}

TEST_F(StreamTest, WriteToAClosedPeerFailsAsEvent) {
  connect();
  server.streams.clear();
  run_turns(3);
  ASSERT_TRUE(run_until([&] {
    client->write(bytes_of("x"));
    return events.failed;
  }));
  EXPECT_EQ(events.error.code, ErrorCode::closed);
}

TEST_F(StreamTest, WriteAfterFinishFailsAsEventNotAtOnce) {
  connect();
  client->finish_writing();
  run_turns(2);
  client->write(bytes_of("too late"));
  EXPECT_FALSE(events.failed);
  EXPECT_TRUE(run_until([&] { return events.failed; }));
}

struct RetireOnRead : StreamEvents {
  explicit RetireOnRead(Loop& owner) : loop(owner) {}
  void on_read(Stream& stream, Bytes bytes) override {
    StreamEvents::on_read(stream, bytes);
    stream.close();
    loop.retire(std::move(self));
  }
  Loop& loop;
  std::unique_ptr<Stream> self;
};

TEST_F(StreamTest, MayBeRetiredInsideItsOwnEvent) {
  connect();
  RetireOnRead retiring(loop);
  retiring.self = std::move(client);
  retiring.self->set_listener(retiring);
  retiring.self->start_reading();
  accepted().write(bytes_of("bye"));
  ASSERT_TRUE(run_until([&] { return retiring.text == "bye"; }));
  EXPECT_EQ(retiring.self, nullptr);
  EXPECT_TRUE(run_until([&] { return accepted_events().ended; }));
}

TEST_F(StreamTest, UnacceptedConnectionsWait) {
  server.hold = true;
  socket = must(ListenSocket::listen_tcp(loop, server, *Address::parse("127.0.0.1", 0)));
  std::vector<std::unique_ptr<Stream>> clients;
  StreamEvents many;
  for (int i = 0; i < 3; ++i) clients.push_back(must(Stream::connect_tcp(loop, many, socket->address())));
  ASSERT_TRUE(run_until([&] { return server.announced == 1; }));
  run_turns(20);
  EXPECT_EQ(server.announced, 1);
  EXPECT_TRUE(server.streams.empty());
  server.hold = false;
  server.take(*socket);
  ASSERT_TRUE(run_until([&] { return server.streams.size() == 3; }));
  EXPECT_EQ(socket->accept(many).error().code, ErrorCode::not_found);
}

class LocalSocket : public StreamTest {
 protected:
  test::TempDir directory;
  std::string path = directory.file("agent.sock");
};

TEST_F(LocalSocket, OwnerAndGroupMayConnect) {
  socket = must(ListenSocket::listen_local(loop, server, path));
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  client = must(Stream::connect_local(loop, events, path));
  ASSERT_TRUE(run_until([&] { return events.connected && server.streams.size() == 1; }));
  EXPECT_TRUE(client->peer().is_empty());
  client->write(bytes_of("hello"));
  EXPECT_TRUE(run_until([&] { return accepted_events().text == "hello"; }));
}

TEST_F(LocalSocket, StaleFileIsReplaced) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);  // the file stays, as after a crash
  EXPECT_TRUE(ListenSocket::listen_local(loop, server, path));
}

TEST_F(LocalSocket, LiveServerIsNotReplaced) {
  socket = must(ListenSocket::listen_local(loop, server, path));
  EXPECT_EQ(ListenSocket::listen_local(loop, server, path).error().code, ErrorCode::busy);
}

TEST_F(LocalSocket, OtherFilesAreNeverRemoved) {
  std::ofstream(path) << "data";
  EXPECT_EQ(ListenSocket::listen_local(loop, server, path).error().code, ErrorCode::exists);
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST_F(LocalSocket, LongPathIsRefusedNotCut) {
  const std::string longest = "/tmp/" + std::string(200, 'x');
  EXPECT_EQ(ListenSocket::listen_local(loop, server, longest).error().code, ErrorCode::invalid);
  EXPECT_EQ(Stream::connect_local(loop, events, longest).error().code, ErrorCode::invalid);
}

TEST_F(LocalSocket, NobodyThereIsNotFound) {
  client = must(Stream::connect_local(loop, events, path));
  ASSERT_TRUE(run_until([&] { return events.failed; }));
  EXPECT_EQ(events.error.code, ErrorCode::not_found);
}

TEST(Address, TextAndBack) {
  EXPECT_EQ(Address::parse("192.0.2.1", 8443)->text(), "192.0.2.1:8443");
  EXPECT_EQ(Address::parse("2001:db8::1", 1)->text(), "[2001:db8::1]:1");
  EXPECT_TRUE(Address::parse("::1", 1)->is_loopback());
  EXPECT_TRUE(Address::parse("127.9.9.9", 1)->is_loopback());
  EXPECT_FALSE(Address::parse("10.0.0.1", 1)->is_loopback());
  EXPECT_EQ(Address::parse("hub.example", 1).error().code, ErrorCode::invalid);
  EXPECT_EQ(Address().text(), "");
}

struct ResolverEvents : Resolver::Listener {
  void on_resolved(Resolver&, Result<std::vector<Address>> result) override {
    ++answers;
    if (result) addresses = *result;
    else error = result.error();
  }
  std::vector<Address> addresses;
  Error error;
  int answers = 0;
};

class ResolverTest : public LoopTest {};

TEST_F(ResolverTest, NumericHostsResolveToThemselves) {
  ResolverEvents events;
  Resolver resolver(loop, events);
  resolver.resolve("127.0.0.1", 99);
  ASSERT_TRUE(run_until([&] { return events.answers == 1; }));
  ASSERT_EQ(events.addresses.size(), 1u);
  EXPECT_EQ(events.addresses[0].text(), "127.0.0.1:99");
}

TEST_F(ResolverTest, CancelledOrDestroyedIsSilent) {
  ResolverEvents events;
  {
    Resolver resolver(loop, events);
    resolver.resolve("127.0.0.1", 99);
    resolver.cancel();
    resolver.resolve("127.0.0.1", 99);
  }
  while (loop.run_once()) {
  }
  EXPECT_EQ(events.answers, 0);
}

struct CountTurnEnds : TurnEnd::Listener {
  void on_turn_end() override {
    ++count;
    if (other != nullptr) other->cancel();
  }
  TurnEnd* other = nullptr;
  int count = 0;
};

TEST_F(LoopTest, TurnEndComesOnceHoweverOftenRequested) {
  CountTurnEnds events;
  TurnEnd end(loop, events);
  end.request();
  end.request();
  run_turns(3);
  EXPECT_EQ(events.count, 1);
}

TEST_F(LoopTest, TurnEndMayBeCancelledByAnother) {
  CountTurnEnds first;
  CountTurnEnds second;
  TurnEnd one(loop, first);
  TurnEnd two(loop, second);
  first.other = &two;
  one.request();
  two.request();
  run_turns(2);
  EXPECT_EQ(second.count, 0);
}

}  // namespace
}  // namespace tideline::uv
