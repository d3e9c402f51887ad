#include "mcp/server.hpp"

#include "base/log.hpp"
#include "mcp/json_write.hpp"
#include "mcp/server_request.hpp"

namespace tideline::mcp {
namespace {

constexpr const char* no_session_text =
    "no session: send initialize first, or put io.modelcontextprotocol/protocolVersion and io.modelcontextprotocol/clientCapabilities "
    "into params._meta";

std::string info_json(const ServerOptions& options) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("name", options.name).text("version", options.version);
  if (!options.title.empty()) writer.text("title", options.title);
  writer.end();
  return out;
}

RpcError unknown_method(Slice name) {
  return {RpcCode::method_not_found, "method not found: " + name.text().substr(0, limits::mcp_name_bytes), {}};
}

}  // namespace

Server::Server(ServerOptions options, const Catalog& catalog, Handler& handler, Output& output, Sealer* sealer)
    : options_(std::move(options)),
      catalog_(catalog),
      handler_(handler),
      output_(output),
      sealer_(sealer),
      server_info_(info_json(options_)),
      session_(options_.session) {}

void Server::on_line(std::string_view line, Instant now) {
  if (line.size() > limits::mcp_line_bytes) return on_long_line();
  on_message(parse_message(line), now);
}

void Server::on_long_line() {
  ++counters_.invalid;
  const RpcError error{RpcCode::invalid_request, format("the message is longer than %zu bytes", limits::mcp_line_bytes), {}};
  send_answer(0, 0, error_line({}, error), static_cast<int>(error.code));
}

void Server::on_message(const Message& message, Instant now) {
  switch (message.kind) {
    case MessageKind::request: return on_request(message, now, 0);
    case MessageKind::notification: return on_notification(message);
    case MessageKind::response: return on_response(message, now);
    case MessageKind::batch: return on_batch(message, now);
    case MessageKind::invalid: break;
  }
  ++counters_.invalid;
  send_answer(0, 0, error_line(message.id, message.problem), static_cast<int>(message.problem.code));
}

void Server::on_batch(const Message& message, Instant now) {
  std::vector<Slice> elements;
  for (Walk walk(message.array); elements.size() <= limits::mcp_batch && walk.next();) elements.push_back(walk.value());
  const bool is_allowed = session_ && session_->revision == Revision::r2025_03_26;
  if (!is_allowed || elements.empty() || elements.size() > limits::mcp_batch) {
    ++counters_.invalid;
    const char* why = is_allowed ? "a batch holds 1 to 64 messages" : "batches exist only in a session of revision 2025-03-26";
    return send_answer(0, 0, error_line({}, {RpcCode::invalid_request, why, {}}), static_cast<int>(RpcCode::invalid_request));
  }
  const uint32_t batch = batches_.open();
  for (const Slice element : elements) {
    const Message part = read_message(element);
    if (part.kind == MessageKind::request) {
      on_request(part, now, batch);
    } else if (part.kind != MessageKind::invalid) {
      on_message(part, now);
    } else {
      ++counters_.invalid;
      batches_.expect_answer(batch);
      batches_.add_answer(batch, error_line(part.id, part.problem));
    }
  }
  if (std::optional<std::string> lines = batches_.close(batch)) output_.on_outgoing({std::move(*lines), 0, true, 0});
}

void Server::on_request(const Message& message, Instant now, uint32_t batch) {
  ++counters_.requests;
  if (batch != 0) batches_.expect_answer(batch);
  const Result<RequestParams> read = read_params(message.params);
  const RequestParams params = read ? *read : RequestParams{};
  Request request{message, params, now, batch, newest_modern, {}};
  if (calls_.find_id(message.id) != nullptr || watches_.find(message.id) != nullptr) {
    return answer(request, {RpcCode::invalid_request, "a request with this id is still under way", {}});
  }
  if (!read) return answer(request, invalid_params(read.error().context));
  if (params.envelope.era() == Era::modern) return on_modern_request(request);
  on_legacy_request(request);
}

void Server::on_modern_request(Request& request) {
  if (std::optional<RpcError> problem = check_envelope(request.params.envelope)) return answer(request, *problem);
  const MethodRule& rule = method_rule(request.message.method);
  if (!rule.is_modern || !is_offered(rule.feature) || rule.method >= Method::initialized) {
    return answer(request, unknown_method(request.message.method_name));
  }
  request.capabilities = read_capabilities(request.params.envelope.capabilities);
  serve(request);
}

void Server::on_legacy_request(Request& request) {
  const Method method = request.message.method;
  request.revision = session_ ? session_->revision : newest_legacy;
  if (method == Method::initialize) return on_initialize(request);
  if (method == Method::ping) return answer(request, "{}");
  if (method == Method::discover || !session_) return answer(request, invalid_params(no_session_text));
  const MethodRule& rule = method_rule(method);
  if (!rule.is_legacy || !is_offered(rule.feature) || method >= Method::initialized) {
    return answer(request, unknown_method(request.message.method_name));
  }
  request.capabilities = session_->capabilities;
  serve(request);
}

void Server::on_initialize(const Request& request) {
  if (session_) return answer(request, {RpcCode::invalid_request, "initialize was already done", {}});
  const Slice asked = find_member(request.message.params, "protocolVersion");
  if (!asked.is(JsonKind::string)) return answer(request, invalid_params("protocolVersion must be a string"));
  session_ = LegacySession{negotiate_legacy(asked.text()), read_capabilities(find_member(request.message.params, "capabilities"))};
  std::string body;
  ObjectWriter writer(body);
  writer.text("protocolVersion", revision_text(session_->revision))
      .raw("capabilities", capabilities_json(session_->revision))
      .raw("serverInfo", server_info_);
  if (!options_.instructions.empty()) writer.text("instructions", options_.instructions);
  writer.end();
  answer(request, body);
}

void Server::serve(const Request& request) {
  if (const std::optional<ListKind> kind = list_kind(request.message.method)) return serve_list(request, *kind);
  switch (request.message.method) {
    case Method::discover: {
      std::string body;
      ObjectWriter writer(body);
      writer.raw("supportedVersions", "[" + json_string(revision_text(newest_modern)) + "]").raw("capabilities", capabilities_json(newest_modern));
      if (!options_.instructions.empty()) writer.text("instructions", options_.instructions);
      writer.end();
      return answer(request, body);
    }
    case Method::call_tool: return serve_tool(request);
    case Method::read_resource: return serve_resource(request);
    case Method::get_prompt: return serve_prompt(request);
    case Method::complete: return serve_completion(request);
    case Method::get_task:
    case Method::update_task:
    case Method::cancel_task: return serve_task(request);
    case Method::set_level: return serve_set_level(request);
    case Method::listen: return serve_listen(request);
    case Method::subscribe: return serve_subscribe(request, true);
    case Method::unsubscribe: return serve_subscribe(request, false);
    default: return answer(request, unknown_method(request.message.method_name));
  }
}

bool Server::is_offered(Feature feature) const {
  switch (feature) {
    case Feature::core: return true;
    case Feature::tools: return options_.tools;
    case Feature::resources:
    case Feature::watching: return options_.resources;
    case Feature::prompts: return options_.prompts;
    case Feature::completions: return options_.completions;
    case Feature::logging: return options_.logging;
    case Feature::tasks: return options_.tasks;
    case Feature::client: return false;
  }
  return false;
}

std::string Server::capabilities_json(Revision revision) const {
  std::string out;
  ObjectWriter writer(out);
  if (options_.tools) writer.raw("tools", R"({"listChanged":true})");
  if (options_.resources) writer.raw("resources", R"({"subscribe":true,"listChanged":true})");
  if (options_.prompts) writer.raw("prompts", R"({"listChanged":true})");
  if (options_.completions && revision >= Revision::r2025_03_26) writer.raw("completions", "{}");
  if (options_.logging) writer.raw("logging", "{}");
  if (options_.tasks && era_of(revision) == Era::modern) writer.raw("extensions", R"({"io.modelcontextprotocol/tasks":{}})");
  writer.end();
  return out;
}

void Server::on_notification(const Message& message) {
  if (message.method == Method::initialized && session_) session_->is_initialized = true;
  if (message.method == Method::cancelled) cancel(find_member(message.params, "requestId").raw());
}

void Server::cancel(std::string_view id) {
  tell_handler(watches_.remove(id));
  OpenCall* call = calls_.find_id(id);
  if (call == nullptr) return;  // unknown or finished: ignored, as the specification asks
  const CallToken token = call->token;
  const uint32_t batch = call->batch;
  forget_asked(token);
  calls_.remove(token);
  handler_.on_cancel(token);
  if (batch == 0) return;
  if (std::optional<std::string> lines = batches_.add_answer(batch, {})) output_.on_outgoing({std::move(*lines), token, true, 0});
}

void Server::on_close() {
  asked_.clear();
  for (const OpenCall& call : calls_.take_all()) handler_.on_cancel(call.token);
  tell_handler(watches_.clear());
}

void Server::on_timer(Instant now) {
  while (OpenCall* call = calls_.find_expired(now)) {
    const CallToken token = call->token;
    const bool waits_for_client = call->awaited > 0;
    finish_tool_error(*call, waits_for_client ? "no answer from the client to our question" : "the call took longer than allowed and was stopped");
    handler_.on_cancel(token);
  }
}

}  // namespace tideline::mcp
