#include "wrap/http/message.hpp"

#include <gtest/gtest.h>

namespace tideline::http {
namespace {

TEST(HttpMessage, header_names_are_found_whatever_their_case) {
  Request request;
  request.headers = {{"Content-Type", "text/plain"}, {"ACCEPT", "a"}, {"accept", "b"}};
  EXPECT_EQ(request.header("content-type"), "text/plain");
  EXPECT_EQ(request.header("Accept"), "a");
  EXPECT_EQ(request.header("Origin"), "");
  EXPECT_FALSE(request.has_header("Conten"));
}

TEST(HttpMessage, path_is_the_target_without_the_query) {
  Request request;
  request.target = "/metrics?name=a?b";
  EXPECT_EQ(request.path(), "/metrics");
  request.target = "/healthz";
  EXPECT_EQ(request.path(), "/healthz");
}

TEST(HttpMessage, a_complete_answer_tells_its_length_and_whether_the_connection_stays) {
  EXPECT_EQ(encode(text_response(200, "ok"), true),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nok\n");
  EXPECT_EQ(encode(json_response(503, "{}"), false),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

TEST(HttpMessage, the_answer_to_head_tells_the_length_but_has_no_body) {
  EXPECT_EQ(encode(json_response(200, "[1]"), true, true),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n");
}

TEST(HttpMessage, a_status_without_body_has_no_length) {
  EXPECT_EQ(encode({202, {}, ""}, true), "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(encode({204, {}, ""}, true), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(HttpMessage, a_stream_is_a_head_chunks_and_a_last_chunk) {
  EXPECT_EQ(head({200, {{"Content-Type", "text/event-stream"}}, ""}, Framing::chunked, true),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(chunk("data: 0123456789\n\n"), "12\r\ndata: 0123456789\n\n\r\n");
  EXPECT_EQ(chunk(""), "");
}

TEST(HttpMessageDeath, a_line_break_in_a_header_value_is_our_own_bug) {
  EXPECT_DEATH((void)encode({200, {{"X", "a\r\nSet-Cookie: b"}}, ""}, true), "response splitting");
}

}  // namespace
}  // namespace tideline::http
