#include "agent/gateway/gateway.hpp"

#include <cassert>

#include "mcp/json_write.hpp"

namespace tideline::agent {
namespace {

constexpr std::array all_lists = {mcp::ListKind::tools, mcp::ListKind::resources, mcp::ListKind::templates, mcp::ListKind::prompts};

template <class T>
void move_all(std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Calls `twice(name)` for each entry but the first of a name.
template <class T, class Twice>
void find_twice(const std::vector<T>& items, std::string T::*name, Twice twice) {
  std::set<std::string_view> seen;
  for (const T& item : items) {
    if (!seen.insert(item.*name).second) twice(item.*name);
  }
}

}  // namespace

Gateway::Gateway(GatewayOptions options, mcp::Sealer* sealer, Listener& listener, Log& log)
    : options_(std::move(options)), sealer_(sealer), listener_(listener), log_(log) {
  catalog_.set_cache_hint(options_.lists);
}

Gateway::~Gateway() { assert(desks_.empty()); }

void Gateway::add(Provider& provider) {
  providers_.push_back(&provider);
  (void)rebuild();
}

std::unique_ptr<Desk> Gateway::open_stream(StreamOptions options, mcp::Output& output) {
  mcp::ServerOptions server;
  server.name = options_.name;
  server.version = options_.version;
  server.title = options_.title;
  server.instructions = options_.instructions;
  server.resources = server.prompts = server.completions = server.logging = server.tasks = true;
  server.announced_tasks = own_task_start;
  server.is_http = options.is_http;
  server.principal = std::move(options.principal);
  server.call_timeout = options.call_timeout;
  std::unique_ptr<Desk> desk(new Desk(*this, ++last_stream_, std::move(server), output));
  desks_.emplace(desk->stream(), desk.get());
  return desk;
}

void Gateway::forget(const Desk& desk) { desks_.erase(desk.stream()); }

Provider* Gateway::find_provider(const mcp::Call& call) const {
  for (Provider* provider : providers_) {
    if (provider->takes(call)) return provider;
  }
  return nullptr;
}

void Gateway::on_timer(Instant now) {
  for (const auto& [stream, desk] : desks_) {
    if (desk->next_deadline() <= now) desk->on_timer(now);
  }
  if (rebuild_at_ > now) return;
  const Changes changes = rebuild();
  for (const auto& [stream, desk] : desks_) {
    if (changes.tools) desk->server_.announce_list(mcp::ListKind::tools);
    if (changes.resources) desk->server_.announce_list(mcp::ListKind::resources);
    if (changes.prompts) desk->server_.announce_list(mcp::ListKind::prompts);
  }
  if (changes.tools || changes.resources || changes.prompts) listener_.on_catalog_changed();
}

void Gateway::flush_changes() {
  if (rebuild_at_ == never) return;
  rebuild_at_ = now();
  on_timer(rebuild_at_);
}

void Gateway::end_listens() {
  for (const auto& [stream, desk] : desks_) desk->end_listens();
}

Gateway::Changes Gateway::rebuild() {
  rebuild_at_ = never;
  Offer all;
  for (const Provider* provider : providers_) {
    Offer one = provider->offer();
    move_all(one.tools, all.tools);
    move_all(one.resources, all.resources);
    move_all(one.templates, all.templates);
    move_all(one.prompts, all.prompts);
  }
  find_twice(all.tools, &mcp::Tool::name, [&](const std::string& name) { note_twice("tool", name); });
  find_twice(all.resources, &mcp::Resource::uri, [&](const std::string& uri) { note_twice("resource", uri); });
  find_twice(all.templates, &mcp::ResourceTemplate::uri_template, [&](const std::string& uri) { note_twice("resource template", uri); });
  find_twice(all.prompts, &mcp::Prompt::name, [&](const std::string& name) { note_twice("prompt", name); });
  Changes changes;
  changes.tools = catalog_.set_tools(std::move(all.tools));
  changes.resources = catalog_.set_resources(std::move(all.resources));
  changes.resources |= catalog_.set_templates(std::move(all.templates));
  changes.prompts = catalog_.set_prompts(std::move(all.prompts));
  return changes;
}

void Gateway::note_twice(const char* kind, const std::string& name) {
  if (named_twice_.size() >= limits::mcp_list_items || !named_twice_.insert(std::string(kind) + " " + name).second) return;
  log_warning(log_, "gateway", "two parts offer the %s %s: the first is served", kind, name.c_str());
}

std::string Gateway::catalog_json() const {
  std::string out;
  mcp::ObjectWriter writer(out);
  writer.text("hash", format("%016llx", static_cast<unsigned long long>(catalog_hash())));
  for (const mcp::ListKind kind : all_lists) {
    writer.key(mcp::list_name(kind));
    out.push_back('[');
    for (size_t i = 0; i < catalog_.size(kind); ++i) {
      if (i > 0) out.push_back(',');
      catalog_.append_item(kind, i, mcp::newest_modern, out);
    }
    out.push_back(']');
  }
  writer.end();
  return out;
}

uint64_t Gateway::catalog_hash() const {
  uint64_t hash = 0;
  for (const mcp::ListKind kind : all_lists) {
    hash = (hash ^ catalog_.version(kind)) * 0x9e3779b97f4a7c15;  // each version is a hash already; this makes their order count
    hash ^= hash >> 32;
  }
  return hash != 0 ? hash : 1;
}

Desk* Gateway::find(const CallKey& key) {
  const auto found = desks_.find(key.stream);
  return found != desks_.end() ? found->second : nullptr;
}

/// Runs `act` on the server of the call, and forgets who answers it when that ended it.
template <class Act>
bool Gateway::on_server(const CallKey& key, Act act) {
  Desk* const desk = find(key);
  if (desk == nullptr) return false;
  const size_t open_before = desk->open_calls();
  const bool is_taken = act(desk->server_);
  if (desk->open_calls() < open_before) desk->work_.erase(key.token);
  return is_taken;
}

bool Gateway::reply(const CallKey& key, std::string_view result_json) {
  return on_server(key, [&](mcp::Server& server) { return server.reply(key.token, result_json, now()); });
}

bool Gateway::reply_own(const CallKey& key, std::string_view result_json) {
  return on_server(key, [&](mcp::Server& server) { return server.reply_own(key.token, result_json); });
}

bool Gateway::fail(const CallKey& key, const mcp::RpcError& error) {
  return on_server(key, [&](mcp::Server& server) { return server.fail(key.token, error); });
}

bool Gateway::fail_not_found(const CallKey& key, std::string_view what) {
  return on_server(key, [&](mcp::Server& server) { return server.fail_not_found(key.token, what); });
}

bool Gateway::fail_missing(const CallKey& key, std::string_view why, std::string_view capabilities_json) {
  return on_server(key, [&](mcp::Server& server) { return server.fail_missing(key.token, why, capabilities_json); });
}

bool Gateway::ask(const CallKey& key, const mcp::Question& question) {
  return on_server(key, [&](mcp::Server& server) { return server.ask(key.token, question, now()); });
}

bool Gateway::reply_task(const CallKey& key, const mcp::Task& task) {
  return on_server(key, [&](mcp::Server& server) { return server.reply_task(key.token, task, now()); });
}

bool Gateway::progress(const CallKey& key, const mcp::Progress& progress) {
  return on_server(key, [&](mcp::Server& server) { return server.progress(key.token, progress, now()); });
}

bool Gateway::log(const CallKey& key, mcp::Severity severity, std::string_view logger, std::string_view data_json) {
  return on_server(key, [&](mcp::Server& server) { return server.log(key.token, severity, logger, data_json); });
}

void Gateway::offer_changed() {
  if (rebuild_at_ != never) return;
  rebuild_at_ = now() + limits::mcp_announce_interval;
  listener_.on_gateway_due(rebuild_at_);
}

void Gateway::resource_updated(std::string_view uri) {
  if (!is_watched(uri)) return;
  for (const auto& [stream, desk] : desks_) desk->server_.announce_resource(uri);
}

void Gateway::task_changed(const mcp::Task& task) {
  for (const auto& [stream, desk] : desks_) desk->server_.announce_task(task);
}

void Gateway::count_watch(std::string_view uri, bool is_watched) {
  auto found = watched_.find(uri);
  if (is_watched) {
    if (found == watched_.end()) found = watched_.emplace(uri, 0).first;
    if (++found->second > 1) return;
  } else {
    if (found == watched_.end() || --found->second > 0) return;
    watched_.erase(found);
  }
  for (Provider* provider : providers_) provider->on_watch(uri, is_watched);
}

}  // namespace tideline::agent
