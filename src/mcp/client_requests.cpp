// Client: messages both ways.
#include <algorithm>
#include <charconv>

#include "mcp/client.hpp"
#include "mcp/envelope.hpp"
#include "mcp/json_write.hpp"
#include "mcp/result_shape.hpp"

namespace tideline::mcp {
namespace {

/// Our ids are integers; a few servers send them back as strings.
std::optional<uint64_t> read_id(std::string_view raw) {
  if (raw.size() > 2 && raw.front() == '"') raw = raw.substr(1, raw.size() - 2);
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), id);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return id;
}

std::optional<ListKind> changed_list(Method method) {
  if (method == Method::tools_changed) return ListKind::tools;
  if (method == Method::prompts_changed) return ListKind::prompts;
  if (method == Method::resources_changed) return ListKind::resources;
  return std::nullopt;
}

/// What a modern answer must be; legacy ones are free.
const char* answer_problem(Revision revision, Method method, Slice result) {
  if (era_of(revision) == Era::legacy) return nullptr;
  if (!find_member(result, "resultType").is_present()) return "the answer has no resultType";
  switch (result_type(result)) {
    case ResultType::complete: return nullptr;
    case ResultType::input_required: return may_ask(method) ? nullptr : "the answer asks for input where that is not allowed";
    case ResultType::task: return method == Method::call_tool ? nullptr : "the answer is a task where that is not allowed";
    case ResultType::other: break;
  }
  return "the answer has an unknown resultType";
}

}  // namespace

Client::Pending* Client::find(uint64_t id) {
  const auto found = std::find_if(pending_.begin(), pending_.end(), [id](const Pending& p) { return p.id == id; });
  return found == pending_.end() ? nullptr : &*found;
}

std::string Client::params_json(uint64_t id, std::string_view members, const ClientRequest& extra, bool is_modern) const {
  std::string meta;
  const auto add = [&meta](std::string_view more) {
    if (!meta.empty() && !more.empty()) meta.push_back(',');
    meta += more;
  };
  if (is_modern) {
    const std::string_view capabilities = extra.capabilities_json.empty() ? std::string_view(options_.capabilities_json) : extra.capabilities_json;
    add(envelope_members(options_.name, options_.version, capabilities));
  }
  if (extra.wants_progress) add("\"progressToken\":" + std::to_string(id));
  add(extra.meta);
  std::string out = "{";
  out += members;
  if (!meta.empty()) out += (members.empty() ? R"("_meta":{)" : R"(,"_meta":{)") + meta + "}";
  return out + "}";
}

uint64_t Client::send_request(Purpose purpose, Method method, std::string_view members, const ClientRequest& extra, Instant now, Duration timeout) {
  const uint64_t id = ++last_id_;
  const bool is_modern = purpose == Purpose::discover || (state_ == State::ready && era_of(revision_) == Era::modern);
  const Instant last = purpose == Purpose::listen ? never : now + (extra.wants_progress ? std::max(timeout, options_.call_timeout) : timeout);
  pending_.push_back({id, purpose, method, extra.wants_progress, purpose == Purpose::listen ? never : now + timeout, last});
  listener_.on_line_out(request_line(std::to_string(id), method_text(method), params_json(id, members, extra, is_modern)));
  return id;
}

Result<uint64_t> Client::request(const ClientRequest& request, Instant now) {
  if (state_ != State::ready) return Error{ErrorCode::closed, 0, "the server is not ready"};
  const MethodRule& rule = method_rule(request.method);
  if (era_of(revision_) == Era::modern ? !rule.is_modern : !rule.is_legacy) return Error{ErrorCode::unsupported, 0, "not a method of the server's revision"};
  const auto is_call = [](const Pending& p) { return p.purpose == Purpose::call; };
  if (static_cast<size_t>(std::count_if(pending_.begin(), pending_.end(), is_call)) >= limits::mcp_in_flight) {
    return Error{ErrorCode::limit, 0, "too many requests are under way at the server"};
  }
  if (request.members.size() + request.meta.size() > limits::mcp_line_bytes - 4096) return Error{ErrorCode::limit, 0, "the request is too long"};
  return send_request(Purpose::call, request.method, request.members, request, now, options_.request_timeout);
}

Result<uint64_t> Client::call_tool(std::string_view name, Slice arguments, Instant now) {
  std::string members;
  ObjectWriter writer(members);
  writer.text("name", name);
  if (arguments.is_present()) writer.raw("arguments", arguments.raw());
  return request({.method = Method::call_tool, .members = std::string_view(members).substr(1), .wants_progress = true}, now);
}

void Client::send_cancel(uint64_t id, std::string_view reason) {
  std::string params;
  ObjectWriter writer(params);
  writer.integer("requestId", static_cast<int64_t>(id));
  if (!reason.empty()) writer.text("reason", reason);
  writer.end();
  listener_.on_line_out(notification_line(method_text(Method::cancelled), params));
}

void Client::cancel(uint64_t tag, std::string_view reason) {
  const Pending* pending = find(tag);
  if (pending == nullptr || pending->purpose != Purpose::call) return;
  std::erase_if(pending_, [tag](const Pending& p) { return p.id == tag; });
  send_cancel(tag, reason);
}

void Client::answer(std::string_view id, std::string_view result_json, const RpcError* error) {
  listener_.on_line_out(error != nullptr ? error_line(id, *error) : result_line(id, result_json));
}

void Client::expire(const Pending& pending, Instant now) {
  std::erase_if(pending_, [&](const Pending& p) { return p.id == pending.id; });
  switch (pending.purpose) {
    case Purpose::discover:
      // Silence: the entry stays, without deadline, for an answer that comes late.
      if (options_.era == EraChoice::modern) return give_up("no answer to server/discover in time");
      pending_.push_back(pending);
      pending_.back().deadline = never;
      return greet(now);
    case Purpose::initialize: return give_up("no answer to initialize in time");
    case Purpose::list:
      send_cancel(pending.id, "timeout");
      return fail_list(*list_kind(pending.method), "no answer in time", now);
    case Purpose::listen:
    case Purpose::watch: return;
    case Purpose::call: break;
  }
  send_cancel(pending.id, "timeout");
  listener_.on_outcome({pending.id, {}, {}, Error{ErrorCode::timeout, 0, "the server did not answer in time"}});
}

void Client::on_line(std::string_view line, Instant now) {
  if (state_ == State::idle || state_ == State::unusable) return;
  if (line.size() > limits::mcp_line_bytes) {
    ++counters_.bad_lines;
    return;
  }
  const Message message = parse_message(line);
  if (message.kind != MessageKind::batch) return on_message(message, now);
  size_t count = 0;
  for (Walk walk(message.array); ++count <= limits::mcp_batch && walk.next();) on_message(read_message(walk.value()), now);
}

void Client::on_message(const Message& message, Instant now) {
  switch (message.kind) {
    case MessageKind::request: return on_server_request(message);
    case MessageKind::notification: return on_notification(message, now);
    case MessageKind::response: return on_response(message, now);
    case MessageKind::batch:
    case MessageKind::invalid: ++counters_.bad_lines;
  }
}

void Client::on_response(const Message& message, Instant now) {
  const std::optional<uint64_t> id = read_id(message.id);
  const Pending* found = id ? find(*id) : nullptr;
  if (found == nullptr) {
    ++counters_.stray;
    return;
  }
  const Pending pending = *found;
  std::erase_if(pending_, [&](const Pending& p) { return p.id == pending.id; });
  switch (pending.purpose) {
    case Purpose::discover: return on_discovered(message, now);
    case Purpose::initialize: return on_greeted(message, now);
    case Purpose::list: return on_page(*list_kind(pending.method), message, now);
    case Purpose::listen: return on_listen_end(pending, message, now);
    case Purpose::watch: return;
    case Purpose::call: return on_call_response(pending, message);
  }
}

void Client::on_call_response(const Pending& pending, const Message& message) {
  if (message.result.is_present()) {
    if (const char* problem = answer_problem(revision_, pending.method, message.result)) {
      return listener_.on_outcome({pending.id, {}, {}, Error{ErrorCode::corrupt, 0, problem}});
    }
  }
  listener_.on_outcome({pending.id, message.result, message.error, std::nullopt});
}

bool Client::is_declared(Method method) const {
  const ClientCapabilities can = read_capabilities(Slice(options_.capabilities_json));
  if (method == Method::create_message) return can.sampling;
  if (method == Method::list_roots) return can.roots;
  return method == Method::elicit && (can.elicitation_form || can.elicitation_url);
}

void Client::on_server_request(const Message& message) {
  if (message.method == Method::ping) return listener_.on_line_out(result_line(message.id, "{}"));
  const bool is_legacy = state_ == State::greeting || era_of(revision_) == Era::legacy;
  if (is_legacy && is_declared(message.method)) return listener_.on_request(message.id, message.method, message.params);
  listener_.on_line_out(error_line(message.id, {RpcCode::method_not_found, "method not found", {}}));
}

void Client::on_notification(const Message& message, Instant now) {
  if (const std::optional<ListKind> kind = changed_list(message.method)) {
    // Some servers send these before the answer to initialize; the lists are read after it anyway.
    if (state_ != State::ready) return;
    refresh(*kind, now);
    if (*kind == ListKind::resources) refresh(ListKind::templates, now);
    return;
  }
  if (message.method == Method::progress) return on_server_progress(message, now);
  if (message.method == Method::message) return listener_.on_log(message.params);
  if (message.method == Method::resource_updated) {
    const Slice uri = find_member(message.params, "uri");
    if (uri.is(JsonKind::string)) listener_.on_resource_updated(uri.text());
  }
}

void Client::on_server_progress(const Message& message, Instant now) {
  const std::optional<uint64_t> token = read_id(find_member(message.params, "progressToken").raw());
  Pending* pending = token ? find(*token) : nullptr;
  if (pending == nullptr || !pending->wants_progress) return;
  pending->deadline = std::min(now + options_.request_timeout, pending->last_deadline);
  listener_.on_progress(pending->id, message.params);
}

}  // namespace tideline::mcp
