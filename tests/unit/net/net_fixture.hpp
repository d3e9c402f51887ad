// A hub and a device on loopback: an acceptor, a connector, and listeners that write down what came.
#pragma once

#include <deque>

#include "net/acceptor.hpp"
#include "net/connector.hpp"
#include "unit/wrap/tls_fixture.hpp"
#include "unit/wrap/uv_fixture.hpp"

namespace tideline::net {

struct End : Connection::Listener {
  void on_frame(Connection& from, Bytes payload) override {
    frames.emplace_back(as_text(payload));
    if (pause_after_frame) from.pause_reading();
    if (close_after_frame) from.close();
  }
  void on_bytes(Connection& from, Bytes bytes) override {
    text += as_text(bytes);
    if (pause_after_frame) from.pause_reading();
  }
  void on_writable(Connection&) override { ++writable; }
  void on_closed(Connection& from, const CloseReason& why) override {
    ++closed;
    reason = why;
    if (connection.get() == &from && loop != nullptr) loop->retire(std::move(connection));
  }
  void adopt(std::unique_ptr<Connection> given) {
    connection = std::move(given);
    connection->set_listener(*this);
  }
  std::unique_ptr<Connection> connection;
  uv::Loop* loop = nullptr;  // set: retires the connection when it closes
  std::vector<std::string> frames;
  std::string text;
  CloseReason reason;
  int closed = 0;
  int writable = 0;
  bool pause_after_frame = false;
  bool close_after_frame = false;
};

struct HubEvents : Acceptor::Listener {
  void on_connection(std::unique_ptr<Connection> connection) override {
    if (refuse_all) return loop->retire(std::move(connection));
    ends.emplace_back();
    ends.back().adopt(std::move(connection));
  }
  void on_refused(const std::string&, const CloseReason& why) override { refused.push_back(why); }
  std::deque<End> ends;
  std::vector<CloseReason> refused;
  uv::Loop* loop = nullptr;
  bool refuse_all = false;
};

struct DeviceEvents : Connector::Listener {
  void on_connected(std::unique_ptr<Connection> connection) override {
    ++connected;
    end.adopt(std::move(connection));
  }
  void on_connect_failed(const CloseReason& why) override {
    ++failed;
    reason = why;
  }
  End end;
  CloseReason reason;
  int connected = 0;
  int failed = 0;
};

struct FixedClock : CertificateClock {
  tls::CertificateTime certificate_time() override { return time; }
  tls::CertificateTime time{tls::test_now, false};
};

class NetTest : public uv::LoopTest {
 protected:
  NetTest() {
    server_options.identity = pki.server;
    server_options.client_ca_pem = pki.authority.certificate_pem;
    server_options.alpn = {link_protocol, http_protocol};
    client_options.identity = pki.device;
    client_options.ca_pem = pki.authority.certificate_pem;
    client_options.alpn = {link_protocol};
    hub.loop = &loop;
  }
  ~NetTest() override {
    connector.reset();
    device.end.connection.reset();
    hub.ends.clear();
    acceptor.reset();
  }
  void listen() {
    tls_server = tls::must(tls::make_server(server_options, &tickets));
    acceptor = std::make_unique<Acceptor>(loop, tls_server.get(), clock, hub, bounds);
    ASSERT_TRUE(acceptor->listen(*uv::Address::parse("127.0.0.1", 0)));
    target = {"127.0.0.1", acceptor->address().port(), ""};
  }
  void start_connecting() {
    client_contexts.push_back(tls::must(tls::Context::make_client(client_options)));  // outlives its connections
    if (connector == nullptr) connector = std::make_unique<Connector>(loop, clock, device);
    connector->connect(target, *client_contexts.back());
  }
  void connect() {
    if (acceptor == nullptr) listen();
    const size_t before = hub.ends.size();
    const int connected = device.connected;
    start_connecting();
    ASSERT_TRUE(run_until([&] { return device.connected > connected && hub.ends.size() > before; })) << device.reason.text;
  }
  Connection& at_device() { return *device.end.connection; }
  Connection& at_hub() { return *hub.ends.back().connection; }
  End& hub_end() { return hub.ends.back(); }

  const tls::TestPki& pki = tls::TestPki::get();
  tls::ServerOptions server_options;
  tls::ClientOptions client_options;
  tls::TicketKeys tickets{tls::test_now};
  std::unique_ptr<tls::Server> tls_server;
  std::vector<std::unique_ptr<tls::Context>> client_contexts;
  FixedClock clock;
  AcceptorBounds bounds;
  HubEvents hub;
  DeviceEvents device;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<Connector> connector;
  Target target;
};

}  // namespace tideline::net
