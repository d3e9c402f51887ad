#include "wrap/http/request_parser.hpp"

#define BOOST_NO_EXCEPTIONS
#define BOOST_ASIO_NO_TYPEID
#define BOOST_BEAST_USE_STD_STRING_VIEW
#include <boost/beast/http/basic_parser.hpp>
#include <cassert>
#include <cstdlib>

#include "base/limits.hpp"

// With BOOST_NO_EXCEPTIONS Boost reports through these. The parser reports by error_code and never gets here with input.
namespace boost {
BOOST_NORETURN void throw_exception(const std::exception&) { std::abort(); }
BOOST_NORETURN void throw_exception(const std::exception&, const boost::source_location&) { std::abort(); }
}  // namespace boost

namespace tideline::http {
namespace beast = boost::beast;

/// Collects the request line and the fields. skip(true) makes Beast stop after the head.
class RequestParser::HeadParser final : public beast::http::basic_parser<true> {
 public:
  explicit HeadParser(Request& request) : request_(request) {
    skip(true);
    header_limit(static_cast<uint32_t>(limits::http_header_bytes));
  }
  uint16_t refused_status = 0;
  const char* refused_text = "";
  bool is_chunked = false;
  bool is_http11 = false;

 private:
  using string_view = beast::string_view;

  void refuse(uint16_t status, const char* text, beast::error_code& error) {
    refused_status = status;
    refused_text = text;
    error = beast::http::error::bad_value;
  }
  void on_request_impl(beast::http::verb, string_view method, string_view target, int version, beast::error_code&) override {
    request_.method.assign(method);
    request_.target.assign(target);
    is_http11 = version >= 11;
  }
  void on_field_impl(beast::http::field field, string_view name, string_view value, beast::error_code& error) override {
    if (request_.headers.size() == limits::http_headers) return refuse(431, "too many header fields", error);
    if (field == beast::http::field::host && request_.has_header("host")) return refuse(400, "more than one Host header", error);
    if (field == beast::http::field::transfer_encoding) {
      if (!beast::iequals(value, "chunked")) return refuse(501, "the only transfer coding understood is chunked", error);
      is_chunked = true;
    }
    request_.headers.push_back({std::string(name), std::string(value)});
  }
  void on_header_impl(beast::error_code& error) override {
    if (is_http11 && !request_.has_header("host")) return refuse(400, "the Host header is missing", error);
    if (is_chunked && !is_http11) return refuse(400, "HTTP/1.0 has no chunked transfer coding", error);
  }
  void on_finish_impl(beast::error_code&) override {}
  // Responses and bodies do not reach this parser.
  void on_response_impl(int, string_view, int, beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, beast::error_code&) override {}
  size_t on_body_impl(string_view body, beast::error_code&) override { return body.size(); }
  void on_chunk_header_impl(uint64_t, string_view, beast::error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view body, beast::error_code&) override { return body.size(); }

  Request& request_;
};

RequestParser::RequestParser() = default;
RequestParser::~RequestParser() = default;

size_t RequestParser::feed(Bytes input) {
  size_t used = 0;
  // RFC 9112 section 2.2: empty lines before a request line are ignored; some clients send one after a body.
  while (state_ == State::idle && used < input.size() && (input[used] == '\r' || input[used] == '\n')) ++used;
  if (state_ == State::idle && used < input.size()) {
    state_ = State::head;
    head_ = std::make_unique<HeadParser>(request_);
  }
  if (state_ == State::head) used += feed_head(input.subspan(used));
  if (state_ == State::body) used += is_chunked_ ? feed_chunked(input.subspan(used)) : feed_body(input.subspan(used));
  return used;
}

Request RequestParser::take() {
  assert(state_ == State::ready);
  state_ = State::idle;
  return std::exchange(request_, {});
}

bool RequestParser::take_expects_continue() { return state_ == State::body && std::exchange(expects_continue_, false); }

size_t RequestParser::feed_head(Bytes input) {
  // Only as much as the limit lets through is ever kept, so that a flood cannot grow `pending_`.
  const size_t room = limits::http_header_bytes - head_bytes_;
  const size_t before = pending_.size();
  const size_t offered = std::min(input.size(), room - before);
  pending_.append(as_text(input.first(offered)));
  beast::error_code error;
  size_t taken = 0;
  while (!head_->is_done() && taken < pending_.size()) {
    taken += head_->put(boost::asio::const_buffer(pending_.data() + taken, pending_.size() - taken), error);
    if (error) break;
  }
  if (head_->is_done() && !error) {
    const size_t used = taken - before;
    pending_.clear();
    on_head_done();
    return used;
  }
  head_bytes_ += taken;
  pending_.erase(0, taken);
  if (error && error != beast::http::error::need_more) {
    if (head_->refused_status != 0) {
      fail(head_->refused_status, head_->refused_text);
    } else if (error == beast::http::error::header_limit) {
      fail(431, "the header is larger than 16 KiB");
    } else if (error == beast::http::error::bad_version) {
      fail(505, "the protocol version is not HTTP/1.1 or HTTP/1.0");
    } else {
      fail(400, "not a well-formed HTTP/1.1 request");
    }
  } else if (head_bytes_ + pending_.size() >= limits::http_header_bytes) {
    fail(431, "the header is larger than 16 KiB");
  }
  return offered;
}

void RequestParser::on_head_done() {
  request_.keep_alive = head_->keep_alive();
  is_chunked_ = head_->is_chunked;
  const auto length = head_->content_length();
  expects_continue_ = head_->is_http11 && beast::iequals(request_.header("expect"), "100-continue");
  head_.reset();
  head_bytes_ = 0;
  body_left_ = length ? *length : 0;
  chunk_state_ = ChunkState::size;
  line_bytes_ = trailer_bytes_ = 0;
  has_digit_ = in_extension_ = false;
  if (is_chunked_) {
    body_left_ = 0;
    state_ = State::body;
  } else if (body_left_ > limits::http_body_bytes) {
    fail(413, "the body is larger than 4 MiB");
  } else {
    state_ = body_left_ == 0 ? State::ready : State::body;
  }
}

size_t RequestParser::feed_body(Bytes input) {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(input.size(), body_left_));
  request_.body.append(as_text(input.first(taken)));
  body_left_ -= taken;
  if (body_left_ == 0) state_ = State::ready;
  return taken;
}

size_t RequestParser::feed_chunked(Bytes input) {
  size_t used = 0;
  while (used < input.size() && state_ == State::body) {
    if (chunk_state_ == ChunkState::data) {
      const size_t taken = static_cast<size_t>(std::min<uint64_t>(input.size() - used, body_left_));
      request_.body.append(as_text(input.subspan(used, taken)));
      body_left_ -= taken;
      used += taken;
      if (body_left_ == 0) chunk_state_ = ChunkState::data_end;
    } else {
      used += feed_chunk_byte(input[used]);
    }
  }
  return used;
}

/// One byte outside chunk data; RFC 9112 section 7.1. Extensions and trailers are read over. Always takes the byte.
size_t RequestParser::feed_chunk_byte(uint8_t byte) {
  const auto bad = [this] { fail(400, "the chunked body is not well formed"); };
  switch (chunk_state_) {
    case ChunkState::size: {
      if (++line_bytes_ > limits::http_chunk_line_bytes) {
        bad();
      } else if (byte == '\r') {
        has_digit_ ? void(chunk_state_ = ChunkState::size_end) : bad();
      } else if (in_extension_) {
        if (byte == '\n') bad();
      } else if (byte == ';' && has_digit_) {
        in_extension_ = true;
      } else {
        const uint8_t folded = byte | 0x20;
        const bool is_digit = byte >= '0' && byte <= '9';
        if (!is_digit && !(folded >= 'a' && folded <= 'f')) return bad(), 1;
        body_left_ = body_left_ * 16 + (is_digit ? byte - '0' : folded - 'a' + 10u);
        has_digit_ = true;
        if (request_.body.size() + body_left_ > limits::http_body_bytes) fail(413, "the body is larger than 4 MiB");
      }
      return 1;
    }
    case ChunkState::size_end:
      if (byte != '\n') return bad(), 1;
      line_bytes_ = 0;
      has_digit_ = in_extension_ = false;
      chunk_state_ = body_left_ == 0 ? ChunkState::trailer : ChunkState::data;
      return 1;
    case ChunkState::data_end:
      byte == '\r' ? void(chunk_state_ = ChunkState::data_end_lf) : bad();
      return 1;
    case ChunkState::data_end_lf:
      byte == '\n' ? void(chunk_state_ = ChunkState::size) : bad();
      return 1;
    case ChunkState::trailer:
      if (++trailer_bytes_ > limits::http_header_bytes) {
        fail(431, "the trailer is larger than 16 KiB");
      } else if (byte == '\r') {
        chunk_state_ = ChunkState::trailer_lf;
      } else if (byte == '\n') {
        bad();
      } else {
        ++line_bytes_;
      }
      return 1;
    case ChunkState::trailer_lf:
      if (byte != '\n') return bad(), 1;
      if (line_bytes_ == 0) state_ = State::ready;
      line_bytes_ = 0;
      chunk_state_ = ChunkState::trailer;
      return 1;
    case ChunkState::data: break;
  }
  assert(false && "chunk data does not come here");
  return 1;
}

void RequestParser::fail(uint16_t status, const char* text) {
  state_ = State::failed;
  error_status_ = status;
  error_text_ = text;
  request_ = {};
  pending_.clear();
  head_.reset();
}

}  // namespace tideline::http
