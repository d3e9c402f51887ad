// Arguments that a tool wants repeated as HTTP headers (`x-mcp-header` in its inputSchema), and how a header value is written. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_slice.hpp"

namespace tideline::mcp {

struct HeaderParam {
  std::string header;             ///< as annotated; sent as Mcp-Param-<header>
  std::vector<std::string> path;  ///< property names from the root of the arguments
};

/// Collects the annotations of a schema. Returns what breaks the rules, or empty: the value is a non-empty HTTP token, unique ignoring case, on a
/// string, integer or boolean, reached through `properties` alone.
std::string read_header_params(Slice schema, std::vector<HeaderParam>& out);

/// The value at `path` inside the arguments; absent when missing.
Slice find_argument(Slice arguments, const HeaderParam& param);

/// Decodes a header value: outer blanks trimmed; `=?base64?...?=` decoded strictly to UTF-8; anything else literal. Nothing when malformed.
std::optional<std::string> decode_header_value(std::string_view value);
/// The form in which `value` travels in a header: literal where that is possible, else the sentinel.
std::string encode_header_value(std::string_view value);

/// Whether a decoded header value says the same as an argument: text equal, integers compared as numbers, booleans true or false.
bool header_matches(std::string_view decoded, Slice argument);

/// HTTP token characters of RFC 9110.
bool is_http_token(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim_blanks(std::string_view text);

}  // namespace tideline::mcp
