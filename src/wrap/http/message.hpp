// HTTP requests and responses as plain values, and the bytes of a response. Pure, any thread.
//
// Bounds: a Request made by RequestParser holds at most limits::http_header_bytes, http_headers and http_body_bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tideline::http {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;           ///< as sent; methods are case sensitive
  std::string target;           ///< origin form as sent: "/metrics?x=1"
  std::vector<Header> headers;  ///< in the order received
  std::string body;             ///< without transfer coding
  bool keep_alive = true;       ///< the connection may carry another request after the answer

  /// Value of the first header called `name`, whatever its case; "" if there is none.
  std::string_view header(std::string_view name) const;
  bool has_header(std::string_view name) const;
  /// The target up to the question mark, still percent-encoded.
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

struct Response {
  uint16_t status = 200;
  std::vector<Header> headers;  ///< without Content-Length, Date, Connection: head() adds what framing needs
  std::string body;
};

/// A text answer that ends in a newline, for errors and small pages.
Response text_response(uint16_t status, std::string_view text);
Response json_response(uint16_t status, std::string json);

/// How the receiver finds the end of the body.
enum class Framing : uint8_t {
  length,   ///< Content-Length: the body is complete
  chunked,  ///< a stream: chunk() for each piece, last_chunk at the end
};

/// Status line and headers, up to the empty line. Header values with line breaks are a bug of the caller (asserted).
std::string head(const Response& response, Framing framing, bool keep_alive);
/// Head and body in one piece; for HEAD requests the body is left out but its length is told.
std::string encode(const Response& response, bool keep_alive, bool head_only = false);
/// One chunk of a stream; "" gives "" because an empty chunk would end it.
std::string chunk(std::string_view data);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// "Not Found" for 404; "" for a status this program never sends.
std::string_view reason_phrase(uint16_t status);

}  // namespace tideline::http
