#include "wrap/http/request_parser.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace tideline::http {
namespace {

using State = RequestParser::State;

class HttpRequestParser : public testing::Test {
 protected:
  size_t feed(std::string_view text) { return parser_.feed(as_bytes(text)); }
  /// The status of the error that `text` causes, 0 if it causes none.
  static uint16_t error_of(std::string_view text) {
    RequestParser parser;
    parser.feed(as_bytes(text));
    return parser.state() == State::failed ? parser.error_status() : uint16_t{0};
  }
  RequestParser parser_;
};

constexpr std::string_view get_request = "GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n";
constexpr std::string_view chunked_request =
    "POST /mcp HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n5;note=1\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

TEST_F(HttpRequestParser, reads_line_and_headers) {
  EXPECT_EQ(feed(get_request), get_request.size());
  ASSERT_EQ(parser_.state(), State::ready);
  const Request request = parser_.take();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/healthz");
  EXPECT_EQ(request.header("host"), "hub");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(parser_.state(), State::idle);
}

TEST_F(HttpRequestParser, reads_a_body_with_a_length) {
  feed("POST /mcp HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(parser_.state(), State::body);
  EXPECT_EQ(feed("loGET"), 2u);
  ASSERT_EQ(parser_.state(), State::ready);
  EXPECT_EQ(parser_.take().body, "hello");
}

TEST_F(HttpRequestParser, the_cuts_between_packets_do_not_matter) {
  const uint64_t seed = 20261121;
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    RequestParser parser;
    std::string_view left = chunked_request;
    while (!left.empty()) {
      const size_t piece = round == 0 ? 1 : static_cast<size_t>(1 + random.below(12));
      const size_t used = parser.feed(as_bytes(left.substr(0, piece)));
      ASSERT_EQ(used, std::min(piece, left.size())) << "seed " << seed;
      left.remove_prefix(used);
    }
    ASSERT_EQ(parser.state(), State::ready) << "seed " << seed << " round " << round;
    ASSERT_EQ(parser.take().body, "hello 0123456789");
  }
}

TEST_F(HttpRequestParser, the_next_request_stays_with_the_caller) {
  std::string two(get_request);
  two += "GET /metrics HTTP/1.1\r\nHost: hub\r\n\r\n";
  const size_t used = feed(two);
  EXPECT_EQ(used, get_request.size());
  EXPECT_EQ(parser_.take().target, "/healthz");
  feed(std::string_view(two).substr(used));
  EXPECT_EQ(parser_.take().target, "/metrics");
}

TEST_F(HttpRequestParser, empty_lines_before_a_request_are_read_over) {
  EXPECT_EQ(feed("\r\n\r\n"), 4u);
  EXPECT_EQ(parser_.state(), State::idle);
  feed(get_request);
  EXPECT_EQ(parser_.state(), State::ready);
}

TEST_F(HttpRequestParser, connection_close_and_http_1_0_end_the_connection) {
  feed("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(parser_.take().keep_alive);
  feed("GET / HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(parser_.take().keep_alive);
  feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(parser_.take().keep_alive);
}

TEST_F(HttpRequestParser, a_client_that_waits_for_continue_is_told_once) {
  feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(parser_.take_expects_continue());
  EXPECT_FALSE(parser_.take_expects_continue());
  feed("ok");
  EXPECT_EQ(parser_.state(), State::ready);
}

TEST_F(HttpRequestParser, what_is_not_http_is_a_bad_request) {
  EXPECT_EQ(error_of("\x16\x03\x01\x02 hello\r\n\r\n"), 400);
  EXPECT_EQ(error_of("GET / HTTP/1.1\nHost: h\n\n"), 505);
  EXPECT_EQ(error_of("GET / HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(error_of("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), 400);
  EXPECT_EQ(error_of("GET / HTTP/1.1\r\n\r\n"), 400) << "Host is required";
}

TEST_F(HttpRequestParser, what_a_proxy_may_read_differently_is_refused) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(error_of(start + "Host: other\r\n\r\n"), 400);
  EXPECT_EQ(error_of(start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"), 400);
  EXPECT_EQ(error_of(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(error_of(start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), 400);
  EXPECT_EQ(error_of(start + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(error_of(start + "Transfer-Encoding: identity\r\n\r\n"), 501);
  EXPECT_EQ(error_of(start + "Content-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(error_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST_F(HttpRequestParser, malformed_chunks_are_refused) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(error_of(start + "\r\n"), 400);
  EXPECT_EQ(error_of(start + "g\r\n"), 400);
  EXPECT_EQ(error_of(start + "2\nab\r\n"), 400);
  EXPECT_EQ(error_of(start + "2\r\nabc\r\n"), 400);
  EXPECT_EQ(error_of(start + "0x2\r\nab\r\n"), 400);
  EXPECT_EQ(error_of(start + ";x\r\n"), 400);
  EXPECT_EQ(error_of(start + "fffffffffffffffff\r\n"), 413);
}

TEST_F(HttpRequestParser, the_header_may_be_as_long_as_its_limit_and_no_longer) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
  const auto with_header_of = [&](size_t total) {
    // Several fields, fed in pieces: the limit counts the whole header, not one call.
    std::string text = start;
    while (total - text.size() > 1200) text += "X: " + std::string(995, 'x') + "\r\n";
    text += "Y: " + std::string(total - text.size() - 7, 'y') + "\r\n\r\n";
    RequestParser parser;
    std::string_view left = text;
    while (!left.empty() && parser.state() != State::failed) left.remove_prefix(parser.feed(as_bytes(left.substr(0, 700))));
    return parser.state() == State::failed ? parser.error_status() : uint16_t{0};
  };
  EXPECT_EQ(with_header_of(limits::http_header_bytes), 0);
  EXPECT_EQ(with_header_of(limits::http_header_bytes + 1), 431);
  EXPECT_EQ(with_header_of(limits::http_header_bytes * 3), 431);
}

TEST_F(HttpRequestParser, a_request_has_at_most_its_limit_of_headers) {
  const auto with_headers = [&](size_t count) {
    std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (size_t i = 1; i < count; ++i) text += "a: b\r\n";
    return error_of(text + "\r\n");
  };
  EXPECT_EQ(with_headers(limits::http_headers), 0);
  EXPECT_EQ(with_headers(limits::http_headers + 1), 431);
}

TEST_F(HttpRequestParser, a_body_may_be_as_long_as_its_limit_and_no_longer) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(error_of(start + format("Content-Length: %zu\r\n\r\n", limits::http_body_bytes)), 0);
  EXPECT_EQ(error_of(start + format("Content-Length: %zu\r\n\r\n", limits::http_body_bytes + 1)), 413);
  EXPECT_EQ(error_of(start + format("Transfer-Encoding: chunked\r\n\r\n%zx\r\n", limits::http_body_bytes)), 0);
  EXPECT_EQ(error_of(start + format("Transfer-Encoding: chunked\r\n\r\n%zx\r\n", limits::http_body_bytes + 1)), 413);
  EXPECT_EQ(error_of(start + format("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n%zx\r\n", limits::http_body_bytes)), 413);
}

TEST_F(HttpRequestParser, chunk_lines_and_trailers_are_bounded) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(error_of(start + "1;" + std::string(limits::http_chunk_line_bytes - 3, 'x') + "\r\n"), 0);
  EXPECT_EQ(error_of(start + "1;" + std::string(limits::http_chunk_line_bytes - 2, 'x') + "\r\n"), 400);
  EXPECT_EQ(error_of(start + "0\r\n" + std::string(limits::http_header_bytes + 1, 'x')), 431);
}

TEST_F(HttpRequestParser, a_failed_parser_takes_nothing_more) {
  feed("nonsense\r\n\r\n");
  ASSERT_EQ(parser_.state(), State::failed);
  EXPECT_EQ(feed(get_request), 0u);
  EXPECT_EQ(parser_.state(), State::failed);
}

}  // namespace
}  // namespace tideline::http
