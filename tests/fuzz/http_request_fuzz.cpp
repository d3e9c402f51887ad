// HTTP requests from anybody who reaches the port. The first byte decides where the input is cut into packets; what was parsed must
// not depend on the cuts.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/limits.hpp"
#include "wrap/http/request_parser.hpp"

namespace {

using tideline::http::RequestParser;

/// Everything that was parsed. A head that is not complete counts as refused: Beast looks at it again only once its end is there.
std::string parse(tideline::Bytes input, size_t piece) {
  RequestParser parser;
  std::string seen;
  while (!input.empty() && parser.state() != RequestParser::State::failed) {
    size_t used = parser.feed(input.first(std::min(piece, input.size())));
    parser.take_expects_continue();  // depends on the cuts: a body that has arrived whole needs no leave to be sent
    if (parser.state() == RequestParser::State::ready) {
      const auto request = parser.take();
      assert(request.body.size() <= tideline::limits::http_body_bytes);
      assert(request.headers.size() <= tideline::limits::http_headers);
      seen += request.method + " " + request.target + " " + request.body + (request.keep_alive ? " keep\n" : " close\n");
      for (const auto& header : request.headers) seen += header.name + "=" + header.value + "\n";
      if (!request.keep_alive) return seen;
    } else if (used < std::min(piece, input.size())) {
      assert(parser.state() == RequestParser::State::failed);
    }
    input = input.subspan(used);
  }
  if (parser.state() == RequestParser::State::failed || parser.state() == RequestParser::State::head) seen += "refused";
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const tideline::Bytes input(data + 1, size - 1);
  const std::string whole = parse(input, input.size() + 1);
  const std::string cut = parse(input, size_t{data[0]} + 1);
  assert(whole == cut);
  return 0;
}
