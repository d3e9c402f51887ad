// What a Streamable HTTP endpoint checks, as pure functions: the front (host, origin, verb, type) before the body is read, then the
// message against its headers, in the order in which the specification and the official servers check. No HTTP library here.
// Authentication lies between the two: the wall answers before anything is parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/catalog.hpp"
#include "mcp/message.hpp"
#include "mcp/revision.hpp"

namespace tideline::mcp {

/// Header fields of one request; names are compared ignoring case.
class HeaderSource {
 public:
  virtual ~HeaderSource() = default;
  virtual size_t count(std::string_view name) const = 0;
  /// The first with that name, or empty.
  virtual std::string_view value(std::string_view name) const = 0;
};

enum class HttpVerb : uint8_t { post, get, erase, other };

struct HostRules {
  std::vector<std::string> hosts;    ///< "hub.example" for any port, or "hub.example:8443"
  std::vector<std::string> origins;  ///< "https://app.example", whole
  bool is_loopback = false;          ///< bound to loopback: localhost, 127.0.0.1 and [::1] are ours
};
bool is_allowed_host(std::string_view host, const HostRules& rules);
/// An origin is allowed when listed, when it is the host that was asked, or a loopback name on a loopback endpoint.
bool is_allowed_origin(std::string_view origin, std::string_view host, const HostRules& rules);

/// A refusal, ready to send. status 0: go on.
struct HttpRefusal {
  int status = 0;
  std::string body;          ///< a JSON-RPC error, or empty
  std::string_view allow{};  ///< the Allow header of a 405
};

/// Host and Origin (403), verb (405), Content-Type (415), Accept (406): before the body and before authentication.
HttpRefusal check_front(HttpVerb verb, const HeaderSource& headers, const HostRules& rules);

struct HttpDecision {
  HttpRefusal refusal;
  Era era = Era::legacy;
  Revision revision = Revision::r2025_03_26;  ///< of a legacy message: from its header, else this (the specification's default)
  bool prefers_stream = false;                ///< answer as SSE: always for listen; when progress or logs may come before the result
};

/// The ladder for one parsed message: batch, envelope, version, Mcp-Method, Mcp-Name, method, Mcp-Param-*. `catalog` is what the caller may
/// see. Capabilities, names and arguments are checked by Server, whose error codes http_status() maps.
HttpDecision check_message(const Message& message, const HeaderSource& headers, const Catalog& catalog);

/// The status of an answer that begins with this JSON-RPC error code (0: a result), when no stream is open yet.
int http_status(Era era, int error_code);

}  // namespace tideline::mcp
