#include "mcp/http_rules.hpp"

#include <algorithm>

#include "mcp/envelope.hpp"
#include "mcp/header_params.hpp"

namespace tideline::mcp {
namespace {

constexpr std::string_view version_header = "MCP-Protocol-Version";

std::string_view without_port(std::string_view host) {
  const size_t bracket = host.find(']');
  const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return host.substr(0, colon);
}

bool is_loopback_name(std::string_view host) {
  const std::string_view name = without_port(host);
  return equals_ignoring_case(name, "localhost") || name == "127.0.0.1" || name == "[::1]";
}

/// The media type without its parameters.
std::string_view media_type(std::string_view value) { return trim_blanks(value.substr(0, value.find(';'))); }

/// Whether an Accept header takes JSON or an event stream.
bool accepts_us(std::string_view accept) {
  while (!accept.empty()) {
    const size_t comma = std::min(accept.find(','), accept.size());
    const std::string_view type = media_type(accept.substr(0, comma));
    for (const std::string_view ours : {"application/json", "text/event-stream", "application/*", "text/*", "*/*"}) {
      if (equals_ignoring_case(type, ours)) return true;
    }
    accept.remove_prefix(std::min(comma + 1, accept.size()));
  }
  return false;
}

HttpRefusal refuse(int status, std::string_view id, RpcCode code, std::string text) {
  return {status, error_line(id, {code, std::move(text), {}})};
}

HttpRefusal mismatch(const Message& message, std::string text) { return refuse(400, message.id, RpcCode::header_mismatch, std::move(text)); }

/// The body value that Mcp-Name repeats, or absent where the method has none.
Slice named_value(const Message& message) {
  switch (message.method) {
    case Method::call_tool:
    case Method::get_prompt: return find_member(message.params, "name");
    case Method::read_resource: return find_member(message.params, "uri");
    case Method::get_task:
    case Method::update_task:
    case Method::cancel_task: return find_member(message.params, "taskId");
    default: return {};
  }
}

/// Empty, or why a header does not say what the body says. `value` present: the header must be there once and equal.
std::string header_problem(const HeaderSource& headers, const std::string& name, Slice value) {
  const size_t count = headers.count(name);
  if (count != 1) return "header " + name + (count == 0 ? " is missing" : " is given more than once");
  const std::optional<std::string> decoded = decode_header_value(headers.value(name));
  if (!decoded) return "header " + name + " is malformed";
  return header_matches(*decoded, value) ? std::string() : "header " + name + " does not match the body";
}

HttpRefusal check_version(const Message& message, const Envelope& envelope, const HeaderSource& headers) {
  if (message.method == Method::initialize && !envelope.version.is_present()) {
    return mismatch(message, "initialize belongs to an older revision than header MCP-Protocol-Version names");
  }
  std::optional<RpcError> problem = envelope.version.is_present()
                                        ? check_envelope(envelope)
                                        : RpcError{RpcCode::invalid_params, "params._meta needs io.modelcontextprotocol/protocolVersion", {}};
  const bool is_version = problem && problem->code == RpcCode::unsupported_version;
  if (problem && !is_version) return {400, error_line(message.id, *problem)};
  if (std::string why = header_problem(headers, std::string(version_header), envelope.version); !why.empty()) return mismatch(message, std::move(why));
  if (is_version) return {400, error_line(message.id, *problem)};
  return {};
}

HttpRefusal check_params(const Message& message, const HeaderSource& headers, const Catalog& catalog) {
  if (message.method != Method::call_tool) return {};
  const Tool* tool = catalog.find_tool(find_member(message.params, "name").text());
  if (tool == nullptr || tool->input_schema_json.find("x-mcp-header") == std::string::npos) return {};
  std::vector<HeaderParam> params;
  if (!read_header_params(Slice(tool->input_schema_json), params).empty()) return {};
  const Slice arguments = find_member(message.params, "arguments");
  for (const HeaderParam& param : params) {
    const std::string name = "Mcp-Param-" + param.header;
    const Slice value = find_argument(arguments, param);
    if (value.is_present() && !value.is(JsonKind::null)) {
      if (std::string why = header_problem(headers, name, value); !why.empty()) return mismatch(message, std::move(why));
    } else if (headers.count(name) > 0) {
      return mismatch(message, "header " + name + " has no counterpart in the arguments");
    }
  }
  return {};
}

HttpRefusal check_modern_request(const Message& message, const Envelope& envelope, const HeaderSource& headers, const Catalog& catalog) {
  if (HttpRefusal refusal = check_version(message, envelope, headers); refusal.status != 0) return refusal;
  // Case-sensitive, and a header is never the sentinel here: method names are plain.
  if (std::string why = header_problem(headers, "Mcp-Method", message.method_name); !why.empty()) return mismatch(message, std::move(why));
  const Slice named = named_value(message);
  if (named.is(JsonKind::string)) {
    if (std::string why = header_problem(headers, "Mcp-Name", named); !why.empty()) return mismatch(message, std::move(why));
  }
  if (!method_rule(message.method).is_modern || message.method >= Method::initialized) {
    return refuse(404, message.id, RpcCode::method_not_found, "method not found");
  }
  return check_params(message, headers, catalog);
}

}  // namespace

bool is_allowed_host(std::string_view host, const HostRules& rules) {
  host = trim_blanks(host);
  if (rules.is_loopback && is_loopback_name(host)) return true;
  return std::any_of(rules.hosts.begin(), rules.hosts.end(), [host](const std::string& allowed) {
    return equals_ignoring_case(allowed, host) || equals_ignoring_case(allowed, without_port(host));
  });
}

bool is_allowed_origin(std::string_view origin, std::string_view host, const HostRules& rules) {
  origin = trim_blanks(origin);
  const auto is_same = [origin](const std::string& allowed) { return equals_ignoring_case(allowed, origin); };
  if (std::any_of(rules.origins.begin(), rules.origins.end(), is_same)) return true;
  const size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority = origin.substr(scheme + 3);
  return equals_ignoring_case(authority, trim_blanks(host)) || (rules.is_loopback && is_loopback_name(authority));
}

HttpRefusal check_front(HttpVerb verb, const HeaderSource& headers, const HostRules& rules) {
  const std::string_view host = headers.value("Host");
  if (headers.count("Host") != 1 || !is_allowed_host(host, rules)) return {403, {}};
  if (headers.count("Origin") > 1) return {403, {}};
  if (headers.count("Origin") == 1 && !is_allowed_origin(headers.value("Origin"), host, rules)) return {403, {}};
  if (verb != HttpVerb::post) return {405, {}, "POST"};
  if (headers.count("Content-Type") != 1 || !equals_ignoring_case(media_type(headers.value("Content-Type")), "application/json")) return {415, {}};
  if (headers.count("Accept") == 1 && !accepts_us(headers.value("Accept"))) return {406, {}};
  return {};
}

HttpDecision check_message(const Message& message, const HeaderSource& headers, const Catalog& catalog) {
  HttpDecision out;
  const std::string_view header = trim_blanks(headers.value(version_header));
  const Result<Envelope> read = read_envelope(message.params);
  const Envelope envelope = read ? *read : Envelope{};
  const bool is_modern = envelope.version.is_present() || is_modern_date(header);
  out.era = is_modern ? Era::modern : Era::legacy;
  const std::optional<Revision> named = parse_revision(header);
  if (is_modern) {
    out.revision = newest_modern;
  } else if (named) {
    out.revision = *named;
  }
  if (message.kind == MessageKind::invalid) {
    out.refusal = {400, error_line(message.id, message.problem)};
  } else if (message.kind == MessageKind::batch) {
    const bool is_allowed = !is_modern && out.revision == Revision::r2025_03_26;
    if (!is_allowed) out.refusal = refuse(400, {}, RpcCode::invalid_request, "batches exist only in revision 2025-03-26");
  } else if (message.kind == MessageKind::response) {
    if (is_modern) out.refusal = refuse(400, {}, RpcCode::invalid_request, "a client has nothing to answer in this revision");
  } else if (message.kind == MessageKind::request) {
    if (!read) {
      out.refusal = refuse(400, message.id, RpcCode::invalid_params, read.error().context);
    } else if (is_modern) {
      out.refusal = check_modern_request(message, envelope, headers, catalog);
    } else if (!header.empty() && !named && message.method != Method::initialize) {
      out.refusal = refuse(400, message.id, RpcCode::invalid_request, "header MCP-Protocol-Version names no revision known here");
    }
    out.prefers_stream = message.method == Method::listen || envelope.progress_token.is_present() || envelope.log_level.is_present();
  }
  return out;
}

int http_status(Era era, int error_code) {
  switch (static_cast<RpcCode>(error_code)) {
    case RpcCode::parse_error:
    case RpcCode::invalid_request: return 400;
    case RpcCode::method_not_found: return era == Era::modern ? 404 : 200;
    case RpcCode::header_mismatch:
    case RpcCode::missing_capability:
    case RpcCode::unsupported_version: return 400;
    case RpcCode::invalid_params:  // of the handler's level; the envelope was checked before
    case RpcCode::internal_error:
    case RpcCode::legacy_not_found: break;
  }
  return 200;
}

}  // namespace tideline::mcp
