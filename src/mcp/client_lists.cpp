// Client: lists kept up to date, and resources watched.
#include <algorithm>

#include "mcp/client.hpp"
#include "mcp/envelope.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

constexpr Duration listen_again = seconds(5);

Method list_method(ListKind kind) {
  switch (kind) {
    case ListKind::tools: return Method::list_tools;
    case ListKind::resources: return Method::list_resources;
    case ListKind::templates: return Method::list_templates;
    case ListKind::prompts: return Method::list_prompts;
  }
  return Method::unknown;
}

std::string uri_member(std::string_view uri) { return R"("uri":)" + json_string(uri); }

bool contains(const std::vector<std::string>& texts, const std::string& text) { return std::find(texts.begin(), texts.end(), text) != texts.end(); }

}  // namespace

bool Client::offers(ListKind kind) const {
  const std::string_view capability = kind == ListKind::tools ? "tools" : kind == ListKind::prompts ? "prompts" : "resources";
  return find_member(Slice(capabilities_), capability).is(JsonKind::object);
}

void Client::refresh(ListKind kind, Instant now) {
  if (state_ != State::ready || !offers(kind)) return;
  if (list(kind).is_loading) {
    list(kind).is_dirty = true;
    return;
  }
  list(kind) = {};
  list(kind).is_loading = true;
  request_page(kind, {}, now);
}

void Client::request_page(ListKind kind, Slice cursor, Instant now) {
  const std::string members = cursor.is_present() ? R"("cursor":)" + std::string(cursor.raw()) : std::string();
  send_request(Purpose::list, list_method(kind), members, {}, now, options_.request_timeout);
}

void Client::on_page(ListKind kind, const Message& message, Instant now) {
  ListState& state = list(kind);
  if (message.error.is_present()) return fail_list(kind, find_member(message.error, "message").text(), now);
  const Slice items = find_member(message.result, list_name(kind));
  if (!items.is(JsonKind::array)) return fail_list(kind, "the answer holds no list", now);
  for (Walk walk(items); walk.next();) {
    state.bytes += walk.value().raw().size();
    if (state.items.size() == limits::mcp_list_items || state.bytes > limits::mcp_list_bytes) return finish_list(kind, true, now);
    state.items.emplace_back(walk.value().raw());
  }
  ++state.pages;
  const Slice cursor = find_member(message.result, "nextCursor");
  // An empty string is a cursor like any other; only its absence ends the list.
  if (!cursor.is(JsonKind::string)) return finish_list(kind, false, now);
  if (state.pages == limits::mcp_list_pages) return finish_list(kind, true, now);
  request_page(kind, cursor, now);
}

void Client::finish_list(ListKind kind, bool is_cut, Instant now) {
  const ListState done = std::move(list(kind));
  list(kind) = {};
  listener_.on_list(kind, done.items, is_cut);
  if (done.is_dirty) refresh(kind, now);
}

void Client::fail_list(ListKind kind, std::string_view why, Instant now) {
  const bool is_dirty = list(kind).is_dirty;
  list(kind) = {};
  listener_.on_list_failed(kind, why);
  if (is_dirty) refresh(kind, now);
}

void Client::listen(Instant now) {
  listen_at_ = never;
  std::string filter;
  ObjectWriter writer(filter);
  const auto changes = [this](std::string_view capability) {
    return find_member(find_member(Slice(capabilities_), capability), "listChanged").is_true();
  };
  if (changes("tools")) writer.boolean("toolsListChanged", true);
  if (changes("prompts")) writer.boolean("promptsListChanged", true);
  if (changes("resources")) writer.boolean("resourcesListChanged", true);
  if (!watched_.empty()) {
    std::string uris;
    for (const std::string& uri : watched_) uris += (uris.empty() ? "[" : ",") + json_string(uri);
    writer.raw("resourceSubscriptions", uris + "]");
  }
  writer.end();
  const uint64_t before = listen_id_;
  listen_id_ = filter == "{}" ? 0 : send_request(Purpose::listen, Method::listen, R"("notifications":)" + filter, {}, now, options_.request_timeout);
  // The new listen stands before the old one goes, so that no change falls between.
  if (before == 0) return;
  std::erase_if(pending_, [before](const Pending& p) { return p.id == before; });
  send_cancel(before, {});
}

void Client::on_listen_end(const Pending& pending, const Message& message, Instant now) {
  if (pending.id != listen_id_) return;
  listen_id_ = 0;
  if (message.error.is_present()) return;  // it does not do listens: the lists are read at start only
  // Changes may have been missed between: read again, a little later.
  listen_at_ = now + listen_again;
  for (const ListKind kind : {ListKind::tools, ListKind::resources, ListKind::templates, ListKind::prompts}) refresh(kind, now);
}

void Client::watch(std::vector<std::string> uris, Instant now) {
  if (uris.size() > limits::mcp_watched_uris) uris.resize(limits::mcp_watched_uris);
  const std::vector<std::string> before = std::move(watched_);
  watched_ = std::move(uris);
  if (state_ != State::ready || watched_ == before) return;
  if (era_of(revision_) == Era::modern) return listen(now);
  watch_legacy(before, now);
}

void Client::watch_legacy(const std::vector<std::string>& before, Instant now) {
  if (!find_member(find_member(Slice(capabilities_), "resources"), "subscribe").is_true()) return;
  for (const std::string& uri : watched_) {
    if (!contains(before, uri)) send_request(Purpose::watch, Method::subscribe, uri_member(uri), {}, now, options_.request_timeout);
  }
  for (const std::string& uri : before) {
    if (!contains(watched_, uri)) send_request(Purpose::watch, Method::unsubscribe, uri_member(uri), {}, now, options_.request_timeout);
  }
}

}  // namespace tideline::mcp
