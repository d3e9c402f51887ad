#include "hub/http/http_server.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/limits.hpp"
#include "net/acceptor.hpp"

namespace tideline::hub {
namespace {

/// A server on a loopback socket without TLS, on a port that the kernel chose, and one client.
class HttpServerTest : public testing::Test,
                       protected net::Acceptor::Listener,
                       protected net::CertificateClock,
                       protected HttpServer::Source,
                       protected uv::Stream::Listener {
 protected:
  HttpServerTest() : acceptor_(loop_, nullptr, *this, *this), server_(loop_, *this) {
    EXPECT_TRUE(acceptor_.listen(*uv::Address::parse("127.0.0.1", 0)));
    connect();
  }
  void connect() { client_ = std::move(*uv::Stream::connect_tcp(loop_, *this, acceptor_.address())); }
  void send(std::string_view text) { client_->write(ByteBuffer(text.begin(), text.end())); }
  /// Turns the loop until `is_done`; at most 2,000 turns, which is no time.
  bool run_until(const std::function<bool()>& is_done) {
    for (int turn = 0; turn < 2000 && !is_done(); ++turn) loop_.run_once();
    return is_done();
  }
  bool wait_for(std::string_view text) {
    return run_until([&] { return received_.find(text) != std::string::npos; });
  }
  bool wait_for_end() {
    return run_until([&] { return is_ended_; });
  }
  void tick(Duration since_start) { server_.on_tick(Instant{} + since_start); }

  void on_connection(std::unique_ptr<net::Connection> connection) override { server_.accept(std::move(connection)); }
  void on_refused(const std::string&, const net::CloseReason&) override {}
  tls::CertificateTime certificate_time() override { return {}; }
  Health health() override { return health_; }
  Metrics metrics() override { return {}; }
  void on_mcp_request(HttpConnection& connection, const http::Request&) override { connection.respond(http::text_response(501, "")); }
  void on_http_gone(uint64_t) override {}
  void on_connected(uv::Stream& stream) override { stream.start_reading(); }
  void on_read(uv::Stream&, Bytes bytes) override { received_.append(as_text(bytes)); }
  void on_end(uv::Stream&) override { is_ended_ = true; }
  void on_failed(uv::Stream&, Error) override { is_ended_ = true; }

  uv::Loop loop_;
  net::Acceptor acceptor_;  // outlives its connections, which the server holds
  HttpServer server_;
  std::unique_ptr<uv::Stream> client_;
  std::string received_;
  bool is_ended_ = false;
  Health health_;
};

TEST_F(HttpServerTest, a_page_is_served_and_the_connection_stays) {
  send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait_for("\"status\":\"ok\""));
  EXPECT_EQ(server_.open(), 1u);
  send("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(wait_for("404 Not Found"));
  EXPECT_EQ(server_.requests(), 2u);
}

TEST_F(HttpServerTest, a_client_that_says_close_gets_its_answer_and_the_end) {
  health_.store_ok = false;
  send("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(received_.find("HTTP/1.1 503 "), 0u);
  client_->close();
  EXPECT_TRUE(run_until([&] { return server_.open() == 0; }));
}

TEST_F(HttpServerTest, pipelined_requests_are_answered_in_order) {
  send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /metrics HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait_for("404 Not Found"));
  EXPECT_LT(received_.find("application/json"), received_.find("version=0.0.4"));
}

TEST_F(HttpServerTest, what_is_not_http_gets_an_answer_and_the_end) {
  send("\x16\x03\x01 nonsense\r\n\r\n");
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(received_.find("HTTP/1.1 400 "), 0u);
}

TEST_F(HttpServerTest, a_request_that_drips_is_ended_with_408) {
  send("GET /healthz HTTP/1.1\r\n");
  ASSERT_TRUE(run_until([&] { return server_.traffic().received_bytes == 23; }));
  tick(seconds(1));
  send("Host: h\r\n");
  ASSERT_TRUE(run_until([&] { return server_.traffic().received_bytes == 32; }));
  tick(limits::http_deadline);
  EXPECT_EQ(server_.open(), 1u);
  tick(limits::http_deadline + seconds(1));
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(received_.find("HTTP/1.1 408 "), 0u) << received_;
}

TEST_F(HttpServerTest, an_idle_connection_is_ended_without_a_word) {
  send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait_for("\"status\":\"ok\""));
  const std::string before = received_;
  tick(seconds(1));
  tick(limits::http_deadline + seconds(1));
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(received_, before);
}

TEST_F(HttpServerTest, closing_all_lets_clients_go) {
  send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait_for("\"status\":\"ok\""));
  server_.close_all();
  EXPECT_TRUE(wait_for_end());
}

TEST_F(HttpServerTest, expect_continue_is_answered_before_the_body) {
  send("POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(wait_for("HTTP/1.1 100 Continue\r\n\r\n"));
  send("ok");
  EXPECT_TRUE(wait_for("405 Method Not Allowed"));
}

}  // namespace
}  // namespace tideline::hub
