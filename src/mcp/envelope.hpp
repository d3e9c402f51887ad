// What rides in params._meta: the modern envelope, the progress token, the trace context. Views into the request. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mcp/error_code.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/revision.hpp"

namespace tideline::mcp {

namespace key {
inline constexpr std::string_view protocol_version = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view client_capabilities = "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view client_info = "io.modelcontextprotocol/clientInfo";
inline constexpr std::string_view server_info = "io.modelcontextprotocol/serverInfo";
inline constexpr std::string_view log_level = "io.modelcontextprotocol/logLevel";
inline constexpr std::string_view subscription_id = "io.modelcontextprotocol/subscriptionId";
inline constexpr std::string_view tasks_extension = "io.modelcontextprotocol/tasks";
}  // namespace key

/// Severity of log messages, as in RFC 5424, rising.
enum class Severity : uint8_t { debug, info, notice, warning, error, critical, alert, emergency };
std::string_view severity_text(Severity severity);
std::optional<Severity> parse_severity(Slice text);

/// What a client said it can do: in the envelope, or once in `initialize`.
struct ClientCapabilities {
  bool sampling = false;
  bool roots = false;
  bool elicitation_form = false;
  bool elicitation_url = false;
  bool tasks = false;  ///< the extension, not the experiment of 2025-11-25
};
ClientCapabilities read_capabilities(Slice capabilities);

struct Envelope {
  Slice version;  ///< present: the request is modern
  Slice capabilities;
  Slice client_info;
  Slice log_level;
  Slice progress_token;
  Slice meta;  ///< all of _meta
  Era era() const { return version.is_present() ? Era::modern : Era::legacy; }
};

/// The members of params that some method reads, found in one pass.
struct RequestParams {
  Envelope envelope;
  Slice name, uri, task_id;            ///< what the request is about
  Slice arguments, ref, argument;      ///< of a tool, a prompt, a completion
  Slice cursor, notifications, level;
  Slice input_responses, request_state;
};

/// Absent params read as empty. Errors: invalid (a key twice, _meta is not an object, progressToken is none), limit.
Result<RequestParams> read_params(Slice params);
Result<Envelope> read_envelope(Slice params);

/// The checks of the modern envelope after its version key was found: in order, keys and their kinds (-32602), then the version
/// (-32022). Nothing when all is well.
std::optional<RpcError> check_envelope(const Envelope& envelope);
/// -32022 with what we support and what was asked.
RpcError unsupported_version(std::string_view asked);
/// -32021; `capabilities` is a raw ClientCapabilities object, e.g. {"sampling":{}}.
RpcError missing_capability(std::string text, std::string capabilities);

/// Writes the envelope keys of a client as members, for splicing into _meta: without braces.
std::string envelope_members(std::string_view client_name, std::string_view client_version, std::string_view capabilities);

/// `meta` without the reserved envelope keys and without the progress token: what may be passed on to another hop. Raw members
/// without braces; trace context and vendor keys stay.
std::string passing_meta(Slice meta);

}  // namespace tideline::mcp
