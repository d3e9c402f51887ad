// Server: requests that are checked here and then reach the handler.
#include "base/log.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"
#include "mcp/schema_check.hpp"
#include "mcp/server.hpp"
#include "mcp/server_request.hpp"

namespace tideline::mcp {
namespace {

/// For messages: as much of a name as helps.
std::string shown(std::string_view name) { return std::string(name.substr(0, limits::mcp_name_bytes)); }

bool can_answer_questions(const ClientCapabilities& can) { return can.sampling || can.roots || can.elicitation_form || can.elicitation_url; }

/// Empty, or why the arguments of a prompt do not fit.
std::string prompt_problem(const Prompt& prompt, Slice arguments) {
  for (Walk walk(arguments); walk.next();) {
    if (!walk.value().is(JsonKind::string)) return "argument " + shown(walk.key().text()) + " must be a string";
  }
  for (const PromptArgument& argument : prompt.arguments) {
    if (argument.is_required && !find_member(arguments, argument.name).is_present()) return "argument " + argument.name + " is required";
  }
  return {};
}

}  // namespace

void Server::serve_list(const Request& request, ListKind kind) {
  const Page page = list_page(catalog_, kind, request.revision, request.params.cursor);
  if (page.problem) return answer(request, *page.problem);
  answer(request, page.body);
}

void Server::serve_tool(const Request& request) {
  const Slice name = request.params.name;
  const Slice arguments = request.params.arguments;
  if (!name.is(JsonKind::string)) return answer(request, invalid_params("params.name must be a string"));
  if (arguments.is_present() && !arguments.is(JsonKind::object)) return answer(request, invalid_params("params.arguments must be an object"));
  const std::string tool_name = name.text();
  const Tool* tool = catalog_.find_tool(tool_name);
  if (tool == nullptr) return answer(request, invalid_params("unknown tool: " + shown(tool_name)));
  if (!tool->is_relayed && !tool->digest.surely_fits(arguments)) {
    // A wrong argument is for the model to correct, so it is a result, not a protocol error.
    const std::string problem = check_arguments(Slice(tool->input_schema_json), arguments);
    if (!problem.empty()) return answer(request, tool_error(problem));
  }
  if (calls_.is_full()) return answer(request, tool_error(format("busy: %zu requests are under way; try again", calls_.size())));
  start(request, {tool_name, arguments, tool->is_relayed, tool->may_ask || tool->is_relayed});
}

void Server::serve_resource(const Request& request) {
  const Slice uri = request.params.uri;
  if (!uri.is(JsonKind::string) || uri.raw().size() > limits::mcp_uri_bytes) {
    return answer(request, invalid_params(format("params.uri must be a string of at most %zu bytes", limits::mcp_uri_bytes)));
  }
  // No definition says whose a URI is, and none of our own asks: state given with a question is somebody else's, as for relayed tools.
  start(request, {uri.text(), {}, true, true});
}

void Server::serve_prompt(const Request& request) {
  const Slice name = request.params.name;
  const Slice arguments = request.params.arguments;
  if (!name.is(JsonKind::string)) return answer(request, invalid_params("params.name must be a string"));
  if (arguments.is_present() && (!arguments.is(JsonKind::object) || !check_keys(arguments))) {
    return answer(request, invalid_params("params.arguments must be an object without duplicate keys"));
  }
  const std::string prompt_name = name.text();
  const Prompt* prompt = catalog_.find_prompt(prompt_name);
  if (prompt == nullptr) return answer(request, invalid_params("unknown prompt: " + shown(prompt_name)));
  if (std::string problem = prompt_problem(*prompt, arguments); !problem.empty()) return answer(request, invalid_params(std::move(problem)));
  start(request, {prompt_name, arguments, prompt->is_relayed, true});
}

void Server::serve_completion(const Request& request) {
  const Slice ref = request.params.ref;
  const Slice argument = request.params.argument;
  const Slice type = find_member(ref, "type");
  const bool is_prompt = type.equals("ref/prompt");
  const Slice target = find_member(ref, is_prompt ? "name" : "uri");
  if ((!is_prompt && !type.equals("ref/resource")) || !target.is(JsonKind::string)) {
    return answer(request, invalid_params("params.ref must be a ref/prompt with a name or a ref/resource with a uri"));
  }
  if (!find_member(argument, "name").is(JsonKind::string) || !find_member(argument, "value").is(JsonKind::string)) {
    return answer(request, invalid_params("params.argument must have a name and a value, both strings"));
  }
  const std::string name = target.text();
  if (is_prompt && catalog_.find_prompt(name) == nullptr) return answer(request, invalid_params("unknown prompt: " + shown(name)));
  start(request, {name, {}, false, false});
}

void Server::serve_task(const Request& request) {
  if (!request.capabilities.tasks) {
    return answer(request, missing_capability("tasks/* needs the client capability extensions[\"io.modelcontextprotocol/tasks\"]",
                                              R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})"));
  }
  const Slice id = request.params.task_id;
  if (!id.is(JsonKind::string) || id.raw().size() > limits::mcp_id_bytes) return answer(request, invalid_params("params.taskId must be a string"));
  const Slice responses = request.params.input_responses;
  if (request.message.method == Method::update_task && (!responses.is(JsonKind::object) || !check_keys(responses))) {
    return answer(request, invalid_params("params.inputResponses must be an object without duplicate keys"));
  }
  start(request, {id.text(), {}, false, false});
}

void Server::serve_set_level(const Request& request) {
  const std::optional<Severity> level = parse_severity(request.params.level);
  if (!level) return answer(request, invalid_params("params.level must be one of debug, info, notice, warning, error, critical, alert, emergency"));
  session_->log_level = *level;
  answer(request, "{}");
}

std::string Server::seal_context(Method method, std::string_view target, Slice arguments) const {
  // Quoted, so that no choice of names or arguments reads like another.
  std::string out = json_string(options_.principal);
  out += method_text(method);
  append_string(out, target);
  append_compact(out, arguments);
  return out;
}

bool Server::read_state(const Request& request, const Target& target, Slice& responses, std::string& state) {
  responses = request.params.input_responses;
  const Slice sealed = request.params.request_state;
  const auto refuse = [&](std::string why) {
    answer(request, invalid_params(std::move(why)));
    return false;
  };
  if (responses.is_present()) {
    if (!responses.is(JsonKind::object) || !check_keys(responses)) return refuse("params.inputResponses must be an object without duplicate keys");
    for (Walk walk(responses); walk.next();) {
      if (!walk.value().is(JsonKind::object)) return refuse("params.inputResponses." + shown(walk.key().text()) + " must be an object");
    }
  }
  if (!sealed.is_present()) return true;
  if (!sealed.is(JsonKind::string)) return refuse("params.requestState must be a string");
  state = sealed.text();
  if (target.is_relayed || sealer_ == nullptr) return true;
  Result<std::string> opened = sealer_->open(state, seal_context(request.message.method, target.name, target.arguments));
  // Never a new question: whoever changed the state would only be given a fresh one.
  if (!opened) return refuse("requestState is not valid or too old: make the request again without it");
  state = std::move(*opened);
  return true;
}

void Server::start(const Request& request, const Target& target) {
  const Method method = request.message.method;
  const bool is_modern = era_of(request.revision) == Era::modern;
  Slice responses;
  std::string state;
  if (method == Method::update_task) responses = request.params.input_responses;
  if (is_modern && mcp::may_ask(method) && !read_state(request, target, responses, state)) return;
  if (calls_.is_full()) return answer(request, {RpcCode::internal_error, "busy: too many requests are under way; try again", {}});
  OpenCall call;
  call.id = request.message.id;
  call.method = method;
  call.revision = request.revision;
  call.target = target.name;
  call.capabilities = request.capabilities;
  call.progress_token = request.params.envelope.progress_token.raw();
  call.log_level = is_modern ? parse_severity(request.params.envelope.log_level) : session_->log_level;
  call.batch = request.batch;
  call.deadline = request.now + options_.call_timeout;
  call.is_relayed = target.is_relayed;
  const bool keeps = target.may_ask && (is_modern ? sealer_ != nullptr && !target.is_relayed : can_answer_questions(request.capabilities));
  if (keeps && request.message.params.raw().size() <= limits::mcp_kept_params_bytes) call.params = request.message.params.raw();
  const std::optional<Severity> log_level = call.log_level;
  const CallToken token = calls_.add(std::move(call)).token;
  handler_.on_call({token, method, request.revision, target.name, target.arguments, request.message.params, request.params.envelope.meta,
                    request.capabilities, request.params.envelope.capabilities.raw(), responses, state, request.params.envelope.progress_token.is_present(), log_level, options_.principal});
}

}  // namespace tideline::mcp
