// JSON-RPC and MCP error codes, and an error as it is answered. Plain values.
#pragma once

#include <string>
#include <string_view>

namespace tideline::mcp {

enum class RpcCode : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  header_mismatch = -32020,
  missing_capability = -32021,
  unsupported_version = -32022,
  legacy_not_found = -32002,  ///< resource not found, before 2026-07-28
};

/// `data` is raw JSON or empty. The text is for people: what failed, on which object, what to do.
struct RpcError {
  RpcCode code = RpcCode::internal_error;
  std::string text;
  std::string data;
};

}  // namespace tideline::mcp
