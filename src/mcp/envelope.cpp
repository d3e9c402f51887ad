#include "mcp/envelope.hpp"

#include <array>

#include "mcp/json_write.hpp"
#include "mcp/message.hpp"

namespace tideline::mcp {
namespace {

constexpr std::array<std::string_view, 8> severities = {"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};

RpcError wrong(std::string text) { return {RpcCode::invalid_params, std::move(text), {}}; }

}  // namespace

std::string_view severity_text(Severity severity) { return severities[static_cast<size_t>(severity)]; }

std::optional<Severity> parse_severity(Slice text) {
  for (size_t i = 0; i < severities.size(); ++i) {
    if (text.equals(severities[i])) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

ClientCapabilities read_capabilities(Slice capabilities) {
  ClientCapabilities out;
  for (Walk walk(capabilities); walk.next();) {
    if (!walk.value().is(JsonKind::object)) continue;
    if (walk.key().equals("sampling")) out.sampling = true;
    if (walk.key().equals("roots")) out.roots = true;
    if (walk.key().equals("elicitation")) {
      out.elicitation_url = find_member(walk.value(), "url").is(JsonKind::object);
      // An empty object means forms, as before there were modes.
      out.elicitation_form = find_member(walk.value(), "form").is(JsonKind::object) || !out.elicitation_url;
    }
    if (walk.key().equals("extensions")) out.tasks = find_member(walk.value(), key::tasks_extension).is(JsonKind::object);
  }
  return out;
}

Result<RequestParams> read_params(Slice params) {
  RequestParams out;
  Envelope& envelope = out.envelope;
  if (!params.is_present()) return out;
  RETURN_IF_ERROR(read_members(params, {{"_meta", &envelope.meta},
                                        {"name", &out.name},
                                        {"arguments", &out.arguments},
                                        {"uri", &out.uri},
                                        {"taskId", &out.task_id},
                                        {"ref", &out.ref},
                                        {"argument", &out.argument},
                                        {"cursor", &out.cursor},
                                        {"notifications", &out.notifications},
                                        {"level", &out.level},
                                        {"inputResponses", &out.input_responses},
                                        {"requestState", &out.request_state}}));
  if (!envelope.meta.is_present()) return out;
  if (!envelope.meta.is(JsonKind::object)) return Error{ErrorCode::invalid, 0, "_meta is not an object"};
  RETURN_IF_ERROR(read_members(envelope.meta, {{key::protocol_version, &envelope.version},
                                               {key::client_capabilities, &envelope.capabilities},
                                               {key::client_info, &envelope.client_info},
                                               {key::log_level, &envelope.log_level},
                                               {"progressToken", &envelope.progress_token}}));
  if (envelope.progress_token.is_present() && !is_token(envelope.progress_token)) {
    return Error{ErrorCode::invalid, 0, "progressToken must be a string or an integer of at most 256 bytes"};
  }
  return out;
}

Result<Envelope> read_envelope(Slice params) {
  ASSIGN_OR_RETURN(const RequestParams read, read_params(params));
  return read.envelope;
}

RpcError unsupported_version(std::string_view asked) {
  std::string data;
  ObjectWriter(data).raw("supported", "[" + json_string(revision_text(newest_modern)) + "]").text("requested", asked).end();
  return {RpcCode::unsupported_version, "unsupported protocol version", std::move(data)};
}

RpcError missing_capability(std::string text, std::string capabilities) {
  std::string data;
  ObjectWriter(data).raw("requiredCapabilities", capabilities).end();
  return {RpcCode::missing_capability, std::move(text), std::move(data)};
}

std::optional<RpcError> check_envelope(const Envelope& envelope) {
  if (!envelope.version.is(JsonKind::string)) return wrong("_meta: io.modelcontextprotocol/protocolVersion must be a string");
  if (!envelope.capabilities.is(JsonKind::object)) {
    return wrong("_meta: io.modelcontextprotocol/clientCapabilities is required, an object (it may be empty)");
  }
  if (envelope.client_info.is_present()) {
    Slice name, version;
    if (!read_members(envelope.client_info, {{"name", &name}, {"version", &version}}) || !name.is(JsonKind::string) ||
        !version.is(JsonKind::string)) {
      return wrong("_meta: io.modelcontextprotocol/clientInfo needs a name and a version");
    }
  }
  if (envelope.log_level.is_present() && !parse_severity(envelope.log_level)) {
    return wrong("_meta: io.modelcontextprotocol/logLevel is not one of debug, info, notice, warning, error, critical, alert, emergency");
  }
  const std::string asked = envelope.version.text();
  const std::optional<Revision> revision = parse_revision(asked);
  if (!revision || era_of(*revision) != Era::modern) return unsupported_version(asked);
  return std::nullopt;
}

std::string envelope_members(std::string_view client_name, std::string_view client_version, std::string_view capabilities) {
  std::string info;
  ObjectWriter(info).text("name", client_name).text("version", client_version).end();
  std::string out;
  ObjectWriter(out).text(key::protocol_version, revision_text(newest_modern)).raw(key::client_info, info).raw(key::client_capabilities, capabilities);
  return out.substr(1);
}

std::string passing_meta(Slice meta) {
  std::string out;
  ObjectWriter writer(out);
  for (Walk walk(meta); walk.next();) {
    bool is_own_hop = walk.key().equals("progressToken");
    for (const std::string_view name : {key::protocol_version, key::client_capabilities, key::client_info, key::log_level, key::subscription_id}) {
      is_own_hop = is_own_hop || walk.key().equals(name);
    }
    if (!is_own_hop) writer.raw_key(walk.key(), walk.value());
  }
  return out.substr(1);
}

}  // namespace tideline::mcp
