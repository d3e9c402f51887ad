// Inside of Server: one request on its way through the dispatcher. Views live while the line does.
#pragma once

#include "mcp/server.hpp"

namespace tideline::mcp {

struct Server::Request {
  const Message& message;
  const RequestParams& params;
  Instant now;
  uint32_t batch = 0;
  Revision revision = newest_modern;
  ClientCapabilities capabilities;
};

/// What a request is about, checked.
struct Server::Target {
  std::string name;
  Slice arguments;
  bool is_relayed = false;
  bool may_ask = false;
};

inline RpcError invalid_params(std::string text) { return {RpcCode::invalid_params, std::move(text), {}}; }

}  // namespace tideline::mcp
