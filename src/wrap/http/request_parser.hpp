// Incremental HTTP/1.1 (and 1.0) request parser. One request at a time: bytes of the next one stay with the caller.
//
// Boost.Beast reads the request line and the fields; where the message ends is decided here, because Beast 1.74 asserts when the
// last chunk of a chunked body arrives in pieces, and counts its header limit per call (tests: http_request_parser_test).
// What other servers are lenient about is refused, since a proxy before us may read it differently: two lengths, a length with
// a transfer coding, codings other than chunked, several Hosts, a bare line feed.
//
// Owner: one connection. Pure. Bounds: limits::http_header_bytes, http_headers, http_body_bytes, http_chunk_line_bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "wrap/http/message.hpp"

namespace tideline::http {

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class State : uint8_t { idle, head, body, ready, failed };

  /// Takes bytes from the front of `input` and returns how many; fewer than all only when the state is ready or failed.
  size_t feed(Bytes input);

  State state() const { return state_; }
  /// The request, when ready. The parser is idle again.
  Request take();

  /// When failed: the status and the text to answer with before closing. The state is final.
  uint16_t error_status() const { return error_status_; }
  const char* error_text() const { return error_text_; }

  /// True once per request whose client waits for "100 Continue" before it sends the body.
  bool take_expects_continue();

 private:
  class HeadParser;
  enum class ChunkState : uint8_t { size, size_end, data, data_end, data_end_lf, trailer, trailer_lf };

  size_t feed_head(Bytes input);
  size_t feed_body(Bytes input);
  size_t feed_chunked(Bytes input);
  size_t feed_chunk_byte(uint8_t byte);
  void on_head_done();
  void fail(uint16_t status, const char* text);

  State state_ = State::idle;
  Request request_;
  std::unique_ptr<HeadParser> head_;
  std::string pending_;          ///< head bytes that do not make a whole line yet
  size_t head_bytes_ = 0;
  uint64_t body_left_ = 0;       ///< of a body with a length, or of the current chunk
  bool is_chunked_ = false;
  bool expects_continue_ = false;
  ChunkState chunk_state_ = ChunkState::size;
  size_t line_bytes_ = 0;        ///< of the current chunk size line or trailer line
  size_t trailer_bytes_ = 0;
  bool has_digit_ = false;
  bool in_extension_ = false;
  uint16_t error_status_ = 0;
  const char* error_text_ = "";
};

}  // namespace tideline::http
