// Server: listens of modern clients, subscriptions of legacy ones, and the changes both hear of.
#include "base/log.hpp"
#include "mcp/json_write.hpp"
#include "mcp/server.hpp"
#include "mcp/server_request.hpp"

namespace tideline::mcp {
namespace {

std::string subscription_meta(std::string_view id) {
  std::string out;
  ObjectWriter(out).raw(key::subscription_id, id).end();
  return out;
}

Method changed_method(ListKind kind) {
  switch (kind) {
    case ListKind::tools: return Method::tools_changed;
    case ListKind::prompts: return Method::prompts_changed;
    case ListKind::resources:
    case ListKind::templates: break;
  }
  return Method::resources_changed;
}

}  // namespace

void Server::serve_listen(const Request& request) {
  const Slice filter = request.params.notifications;
  const ListenOffer offer{options_.tools, options_.prompts, options_.resources, options_.resources, options_.tasks && request.capabilities.tasks};
  Result<Listen> listen = read_listen(filter, offer);
  if (!listen) return answer(request, invalid_params(format("params.notifications: %s", listen.error().context)));
  if (watches_.is_full()) {
    return answer(request, {RpcCode::internal_error, format("more than %zu listens on one stream", limits::mcp_listens), {}});
  }
  std::erase_if(listen->tasks, [this](const std::string& id) { return !id.starts_with(options_.announced_tasks); });
  listen->id = request.message.id;
  listen->token = calls_.next_token();
  const Listen granted = *listen;
  const std::vector<Watches::Change> changes = watches_.add(std::move(*listen));
  // The acknowledgement is the first message of the stream, so it leaves before the handler hears of the watch.
  notify(granted, Method::acknowledged, R"("notifications":)" + listen_filter(granted));
  tell_handler(changes);
}

void Server::serve_subscribe(const Request& request, bool is_on) {
  const Slice uri = request.params.uri;
  if (!uri.is(JsonKind::string) || uri.raw().size() > limits::mcp_uri_bytes) {
    return answer(request, invalid_params(format("params.uri must be a string of at most %zu bytes", limits::mcp_uri_bytes)));
  }
  std::vector<Watches::Change> changes;
  if (!is_on) {
    changes = watches_.unsubscribe(uri.text());
  } else if (!watches_.subscribe(uri.text(), changes)) {
    return answer(request, {RpcCode::internal_error, format("more than %zu subscriptions in one session", limits::mcp_watched_uris), {}});
  }
  answer(request, "{}");
  tell_handler(changes);
}

void Server::tell_handler(const std::vector<Watches::Change>& changes) {
  for (const Watches::Change& change : changes) handler_.on_watch(change.uri, change.is_watched);
}

void Server::notify(const Listen& listen, Method method, std::string_view members) {
  std::string params = "{";
  params += members;
  params += members.empty() ? R"("_meta":)" : R"(,"_meta":)";
  params += subscription_meta(listen.id) + "}";
  send(notification_line(method_text(method), params), listen.token);
}

bool Server::hears_unsolicited() const { return session_ && session_->is_initialized && !options_.is_http; }

void Server::announce_list(ListKind kind) {
  const Method method = changed_method(kind);
  for (const Listen& listen : watches_.listens()) {
    if (wants_list(listen, kind)) notify(listen, method, {});
  }
  const bool is_offered_kind = kind == ListKind::tools ? options_.tools : kind == ListKind::prompts ? options_.prompts : options_.resources;
  if (hears_unsolicited() && is_offered_kind) send(notification_line(method_text(method), {}), 0);
}

void Server::announce_resource(std::string_view uri) {
  const std::string member = R"("uri":)" + json_string(uri);
  for (const Listen& listen : watches_.listens()) {
    if (wants_uri(listen, uri)) notify(listen, Method::resource_updated, member);
  }
  if (hears_unsolicited() && watches_.is_subscribed(uri)) send(notification_line(method_text(Method::resource_updated), "{" + member + "}"), 0);
}

void Server::announce_task(const Task& task) {
  for (const Listen& listen : watches_.listens()) {
    if (wants_task(listen, task.id)) notify(listen, Method::task_changed, task_members(task));
  }
}

void Server::end_listens() {
  std::vector<Listen> ended = watches_.listens();
  for (const Listen& listen : ended) {
    tell_handler(watches_.remove(listen.id));
    const std::string body = R"({"resultType":"complete","_meta":)" + subscription_meta(listen.id) + "}";
    output_.on_outgoing({result_line(listen.id, body), listen.token, true, 0});
    // The specification asks for both on stdio; official clients read this order as a graceful end, the other as a drop.
    if (!options_.is_http) send(notification_line(method_text(Method::cancelled), R"({"requestId":)" + listen.id + "}"), listen.token);
  }
}

}  // namespace tideline::mcp
