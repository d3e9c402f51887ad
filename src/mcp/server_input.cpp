// Server: questions to the client in the middle of a call. A modern client gets them as the result and calls again; a legacy client gets
// them as requests of ours, and the handler is called again when all answers are in.
#include <algorithm>

#include "mcp/json_write.hpp"
#include "mcp/server.hpp"
#include "mcp/server_request.hpp"

namespace tideline::mcp {
namespace {

/// The client capability that a request for input needs, as raw JSON; empty when declared, "?" when the request makes no sense.
std::string_view missing_for(Slice request, const ClientCapabilities& can) {
  switch (find_method(find_member(request, "method"))) {
    case Method::create_message: return can.sampling ? "" : R"({"sampling":{}})";
    case Method::list_roots: return can.roots ? "" : R"({"roots":{}})";
    case Method::elicit:
      if (find_member(find_member(request, "params"), "mode").equals("url")) return can.elicitation_url ? "" : R"({"elicitation":{"url":{}}})";
      return can.elicitation_form ? "" : R"({"elicitation":{"form":{}}})";
    default: return "?";
  }
}

std::string question_json(const Question& question) {
  std::string out;
  ObjectWriter writer(out);
  for (const InputRequest& request : question.requests) {
    std::string value;
    ObjectWriter(value).text("method", method_text(request.method)).raw("params", request.params_json).end();
    writer.raw_key(Slice(json_string(request.key)), Slice(value));
  }
  writer.end();
  return out;
}

std::string question_body(Slice requests, const std::string* state) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("resultType", "input_required");
  if (requests.is_present()) writer.raw("inputRequests", requests.raw());
  if (state != nullptr) writer.text("requestState", *state);
  writer.end();
  return out;
}

}  // namespace

bool Server::ask(CallToken token, const Question& question, Instant now) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return false;
  const std::string requests = question.requests.empty() ? std::string() : question_json(question);
  const bool is_modern = era_of(call->revision) == Era::modern;
  if (question.state.empty() || !is_modern || sealer_ == nullptr || call->is_relayed) {
    return put_question(*call, Slice(requests), question.state.empty() ? nullptr : &question.state, now);
  }
  if (call->params.empty()) {
    finish_tool_error(*call, "this call has to ask for input, and its arguments are too long for that");
    return true;
  }
  const Slice arguments = find_member(Slice(call->params), "arguments");
  const std::string sealed = sealer_->seal(question.state, seal_context(call->method, call->target, arguments));
  return put_question(*call, Slice(requests), &sealed, now);
}

bool Server::put_question(OpenCall& call, Slice requests, const std::string* state, Instant now) {
  size_t count = 0;
  bool is_sound = (requests.is_present() || state != nullptr) && (!requests.is_present() || check_keys(requests)) && may_ask(call.method);
  for (Walk walk(requests); is_sound && walk.next();) {
    const std::string_view missing = missing_for(walk.value(), call.capabilities);
    is_sound = missing != "?" && ++count <= limits::mcp_input_requests;
    if (is_sound && !missing.empty()) {
      return fail_missing(call.token, "this call has to ask the client for " + find_member(walk.value(), "method").text() + ", which it did not declare", missing);
    }
  }
  if (!is_sound) {
    finish_error(call, {RpcCode::internal_error, "the server asked for input in a way that makes no sense", {}});
    return true;
  }
  if (era_of(call.revision) == Era::legacy) return ask_legacy(call, requests, state != nullptr ? *state : std::string(), now);
  int error_code = 0;
  std::string line = shaped_line(call.id, call.method, call.revision, question_body(requests, state), error_code);
  finish(call, std::move(line), error_code);
  return true;
}

bool Server::ask_legacy(OpenCall& call, Slice requests, const std::string& state, Instant now) {
  if (call.params.empty() || ++call.rounds > limits::mcp_input_rounds) {
    finish_tool_error(call, call.params.empty() ? "this call has to ask for input, which this client cannot give here" : "this call asked for input too often");
    return true;
  }
  const CallToken token = call.token;
  call.state = state;
  call.answers.clear();
  call.awaited = 0;
  call.deadline = now + limits::mcp_input_timeout;
  std::vector<std::string> lines;
  for (Walk walk(requests); walk.next(); ++call.awaited) {
    const Slice params = find_member(walk.value(), "params");
    const Slice method = find_member(walk.value(), "method");
    std::string id = json_string(options_.request_prefix + std::to_string(++last_request_));
    lines.push_back(request_line(id, method.text(), params.raw()));
    asked_.push_back({std::move(id), std::string(walk.key().raw()), token, find_method(method)});
  }
  if (lines.empty()) {
    resume(token, now);  // state alone means: again, now
    return true;
  }
  for (std::string& line : lines) send(std::move(line), token);
  return true;
}

void Server::on_response(const Message& message, Instant now) {
  const auto found = std::find_if(asked_.begin(), asked_.end(), [&](const Asked& asked) { return asked.id == message.id; });
  if (found == asked_.end()) {
    ++counters_.stray;  // modern clients have nothing to answer; late answers of legacy ones end here too
    return;
  }
  const Asked asked = std::move(*found);
  asked_.erase(found);
  OpenCall* call = calls_.find(asked.token);
  if (call == nullptr) return;
  std::string_view answer_json = message.result.raw();
  if (message.error.is_present()) {
    if (asked.method != Method::elicit) {
      finish_tool_error(*call, "the client refused " + std::string(method_text(asked.method)) + ": " + find_member(message.error, "message").text());
      return handler_.on_cancel(asked.token);
    }
    answer_json = R"({"action":"cancel"})";
  }
  if (call->answers.size() + answer_json.size() > limits::mcp_line_bytes) {
    finish_tool_error(*call, "the answers of the client are too long");
    return handler_.on_cancel(asked.token);
  }
  if (!call->answers.empty()) call->answers.push_back(',');
  call->answers += asked.key;
  call->answers.push_back(':');
  call->answers += answer_json;
  if (--call->awaited == 0) resume(asked.token, now);
}

void Server::resume(CallToken token, Instant now) {
  OpenCall* call = calls_.find(token);
  if (call == nullptr) return;
  call->deadline = now + options_.call_timeout;
  // Copies: the handler may answer at once, and the table moves its entries then.
  const std::string params = call->params;
  const std::string target = call->target;
  const std::string state = call->state;
  const std::string responses = "{" + call->answers + "}";
  const Result<Envelope> envelope = read_envelope(Slice(params));
  handler_.on_call({token, call->method, call->revision, target, find_member(Slice(params), "arguments"), Slice(params),
                    envelope ? envelope->meta : Slice(), call->capabilities, {}, Slice(responses), state, !call->progress_token.empty(), call->log_level, options_.principal});
}

void Server::forget_asked(CallToken token) {
  std::vector<std::string> lines;
  for (const Asked& asked : asked_) {
    if (asked.token == token) lines.push_back(notification_line(method_text(Method::cancelled), R"({"requestId":)" + asked.id + "}"));
  }
  if (lines.empty()) return;
  std::erase_if(asked_, [token](const Asked& asked) { return asked.token == token; });
  for (std::string& line : lines) send(std::move(line), token);
}

}  // namespace tideline::mcp
