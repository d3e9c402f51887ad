// Server: what goes out.
#include <cmath>

#include "base/log.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"
#include "mcp/server.hpp"
#include "mcp/server_request.hpp"

namespace tideline::mcp {

void Server::send(std::string line, CallToken stream) { output_.on_outgoing({std::move(line), stream, false, 0}); }

void Server::send_answer(uint32_t batch, CallToken stream, std::string line, int error_code) {
  if (batch == 0) return output_.on_outgoing({std::move(line), stream, true, error_code});
  if (std::optional<std::string> lines = batches_.add_answer(batch, line)) output_.on_outgoing({std::move(*lines), stream, true, 0});
}

std::string Server::too_long_line(std::string_view id, Method method, Revision revision, size_t size, int& error_code) const {
  const std::string problem = format("the answer of %zu bytes is longer than the %zu allowed: ask for less", size, limits::mcp_line_bytes);
  if (method == Method::call_tool) return own_line(id, method, revision, tool_error(problem), error_code);
  error_code = static_cast<int>(RpcCode::internal_error);
  return error_line(id, {RpcCode::internal_error, problem, {}});
}

std::string Server::own_line(std::string_view id, Method method, Revision revision, std::string_view body, int& error_code) const {
  error_code = 0;
  std::string line = begin_result_line(id, body.size() + server_info_.size() + 160);
  append_own_result(line, body, {revision, method, catalog_.cache_hint(method), server_info_});
  line.push_back('}');
  return line.size() <= limits::mcp_line_bytes ? line : too_long_line(id, method, revision, line.size(), error_code);
}

std::string Server::shaped_line(std::string_view id, Method method, Revision revision, std::string_view body, int& error_code) const {
  const Result<std::string> shaped = shape_result(Slice(body), {revision, method, catalog_.cache_hint(method), server_info_});
  if (!shaped) {
    error_code = static_cast<int>(RpcCode::internal_error);
    return error_line(id, {RpcCode::internal_error, format("the answer is malformed: %s", shaped.error().context), {}});
  }
  error_code = 0;
  std::string line = result_line(id, *shaped);
  return line.size() <= limits::mcp_line_bytes ? line : too_long_line(id, method, revision, line.size(), error_code);
}

void Server::answer(const Request& request, std::string_view body) {
  int error_code = 0;
  std::string line = own_line(request.message.id, request.message.method, request.revision, body, error_code);
  send_answer(request.batch, 0, std::move(line), error_code);
}

void Server::answer(const Request& request, const RpcError& error) {
  send_answer(request.batch, 0, error_line(request.message.id, error), static_cast<int>(error.code));
}

void Server::finish(OpenCall& call, std::string line, int error_code) {
  const CallToken token = call.token;
  const uint32_t batch = call.batch;
  forget_asked(token);
  calls_.remove(token);  // `call` is gone from here on
  send_answer(batch, token, std::move(line), error_code);
}

void Server::finish_error(OpenCall& call, const RpcError& error) {
  RpcError sent = error;
  // An upstream server may speak another era than the client: an unknown resource has the code of the client's.
  if (era_of(call.revision) == Era::modern) {
    if (sent.code == RpcCode::legacy_not_found) sent.code = RpcCode::invalid_params;
  } else if (call.method == Method::read_resource && sent.code == RpcCode::invalid_params && find_member(Slice(sent.data), "uri").is_present()) {
    sent.code = RpcCode::legacy_not_found;
  }
  finish(call, error_line(call.id, sent), static_cast<int>(sent.code));
}

void Server::finish_tool_error(OpenCall& call, const std::string& text) {
  if (call.method != Method::call_tool) return finish_error(call, {RpcCode::internal_error, text, {}});
  int error_code = 0;
  std::string line = own_line(call.id, call.method, call.revision, tool_error(text), error_code);
  finish(call, std::move(line), error_code);
}

bool Server::reply(CallToken token, std::string_view result_json, Instant now) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  const Slice body(result_json);
  const ResultType type = body.is(JsonKind::object) ? result_type(body) : ResultType::other;
  if (type == ResultType::input_required) {
    const Slice state = find_member(body, "requestState");
    const std::string state_text = state.text();
    return put_question(*call, find_member(body, "inputRequests"), state.is(JsonKind::string) ? &state_text : nullptr, now);
  }
  if (type == ResultType::task && !call->capabilities.tasks) {
    finish_tool_error(*call, "this call needs a client that supports tasks (extension io.modelcontextprotocol/tasks)");
    return true;
  }
  int error_code = 0;
  std::string line = shaped_line(call->id, call->method, call->revision, result_json, error_code);
  finish(*call, std::move(line), error_code);
  return true;
}

bool Server::reply_own(CallToken token, std::string_view result_json) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  int error_code = 0;
  std::string line = own_line(call->id, call->method, call->revision, result_json, error_code);
  finish(*call, std::move(line), error_code);
  return true;
}

bool Server::reply_task(CallToken token, const Task& task, Instant now) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  return reply(token, call->method == Method::call_tool ? task_created(task) : task_state(task), now);
}

bool Server::fail(CallToken token, const RpcError& error) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  finish_error(*call, error);
  return true;
}

bool Server::fail_not_found(CallToken token, std::string_view what) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  const bool is_resource = call->method == Method::read_resource;
  RpcError error = invalid_params("not found: " + std::string(what.substr(0, limits::mcp_uri_bytes)));
  if (is_resource && era_of(call->revision) == Era::legacy) error.code = RpcCode::legacy_not_found;
  if (is_resource) ObjectWriter(error.data).text("uri", what).end();
  finish_error(*call, error);
  return true;
}

bool Server::fail_missing(CallToken token, std::string_view why, std::string_view capabilities_json) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  if (era_of(call->revision) == Era::legacy) {
    finish_tool_error(*call, std::string(why));
  } else {
    finish_error(*call, missing_capability(std::string(why), std::string(capabilities_json)));
  }
  return true;
}

bool Server::progress(CallToken token, const Progress& progress, Instant now) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  if (call->progress_token.empty()) return true;
  const bool is_first = !call->progress.has_value();
  const bool is_rising = std::isfinite(progress.done) && (is_first || progress.done > *call->progress);
  if (!is_rising || (!is_first && now - call->progressed_at < limits::mcp_progress_interval)) {
    ++counters_.dropped_progress;
    return true;
  }
  call->progress = progress.done;
  call->progressed_at = now;
  std::string params;
  ObjectWriter writer(params);
  writer.raw("progressToken", call->progress_token).real("progress", progress.done);
  if (progress.total && std::isfinite(*progress.total)) writer.real("total", *progress.total);
  if (!progress.text.empty()) writer.text("message", progress.text);
  writer.end();
  send(notification_line(method_text(Method::progress), params), token);
  return true;
}

bool Server::log(CallToken token, Severity severity, std::string_view logger, std::string_view data_json) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  if (!options_.logging || !call->log_level || severity < *call->log_level) return true;
  std::string params;
  ObjectWriter writer(params);
  writer.text("level", severity_text(severity));
  if (!logger.empty()) writer.text("logger", logger);
  writer.raw("data", data_json).end();
  send(notification_line(method_text(Method::message), params), token);
  return true;
}

}  // namespace tideline::mcp
