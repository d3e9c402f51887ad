#include "agent/gateway/context_provider.hpp"

#include <algorithm>

#include "agent/gateway/tool_arguments.hpp"
#include "base/limits.hpp"
#include "context/path.hpp"
#include "mcp/content.hpp"
#include "mcp/query_arguments.hpp"

namespace tideline::agent {
namespace {

constexpr std::string_view tool_prefix = "context_";
constexpr Duration ttl_most = seconds(1);  // anybody may change it at any time; subscribers hear of it at once

/// The path that an address names; "" is the list. False when it names none.
bool path_of(std::string_view address, std::string& path) {
  path.clear();
  if (address == uri::context) return true;
  return address.starts_with(uri::context_entry) && decode_percent(address.substr(uri::context_entry.size()), path) && context::is_path(path);
}

std::string read_body(std::string_view address, std::string_view json, int64_t ttl_ms) {
  std::string body = mcp::read_result({mcp::text_resource(address, "application/json", json)});
  body.pop_back();
  return body + R"(,"ttlMs":)" + std::to_string(ttl_ms) + R"(,"cacheScope":"private"})";
}

}  // namespace

ContextProvider::ContextProvider(ContextKeeper& keeper, ContextCommands& commands, Answers& answers) : keeper_(keeper), commands_(commands), answers_(answers) {
  keeper_.add_watcher(*this);
}
ContextProvider::~ContextProvider() { keeper_.remove_watcher(*this); }

Offer ContextProvider::offer() const { return context_offer(); }

bool ContextProvider::takes(const mcp::Call& call) const {
  std::string path;
  switch (call.method) {
    case mcp::Method::call_tool: {
      constexpr std::string_view names[] = {"context_get", "context_set", "context_delete", "context_list"};
      return std::find(std::begin(names), std::end(names), call.target) != std::end(names);
    }
    case mcp::Method::read_resource: return path_of(call.target, path);
    case mcp::Method::complete: return call.target == uri::context_template;
    default: return false;
  }
}

void ContextProvider::on_call(const CallKey& key, const mcp::Call& call) {
  if (call.method == mcp::Method::read_resource) return read(key, call.target);
  if (call.method == mcp::Method::complete) return complete(key, call.params);
  const mcp::Slice arguments = call.arguments.is_present() ? call.arguments : mcp::Slice("{}");
  const bool is_known = commands_.run(call.target.substr(tool_prefix.size()), arguments, std::string(call.principal), [this, key](const ContextAnswer& answer) {
    answers_.reply_own(key, answer.is_done ? mcp::tool_answer(answer.text, answer.json) : mcp::tool_error(answer.text));
  });
  if (!is_known) answers_.fail_not_found(key, call.target);
}

void ContextProvider::read(const CallKey& key, std::string_view address) {
  std::string path;
  if (path_of(address, path) && path.empty()) {
    answers_.reply(key, read_body(address, commands_.list(mcp::Slice(R"({"limit":1000})")).json, ttl_most.millis()));
    return;
  }
  const context::Entry* entry = keeper_.book().find(path);
  const context::View view = entry == nullptr ? context::View{} : keeper_.view(*entry, path);
  if (view.value == nullptr && view.loser == nullptr) {
    answers_.fail_not_found(key, address);
    return;
  }
  int64_t ttl_ms = ttl_most.millis();
  if (view.winner->expires_ms != 0) ttl_ms = std::clamp<int64_t>(view.winner->expires_ms - keeper_.now_ms(), 0, ttl_ms);
  answers_.reply(key, read_body(address, commands_.entry_json(path), ttl_ms));
}

void ContextProvider::complete(const CallKey& key, mcp::Slice params) {
  const mcp::Slice argument = mcp::find_member(params, "argument");
  const std::string typed = mcp::text_argument(argument, "value");
  std::vector<std::string> values;
  const auto& entries = keeper_.book().entries();
  for (auto at = entries.lower_bound(typed); at != entries.end() && at->first.starts_with(typed); ++at) {
    if (keeper_.view(at->second, at->first).value != nullptr) values.push_back(at->first);
  }
  answers_.reply(key, mcp::completion_result(values));
}

void ContextProvider::on_watch(std::string_view address, bool is_watched) {
  std::string path;
  if (!path_of(address, path)) return;
  if (is_watched) {
    watched_.insert_or_assign(std::string(address), std::move(path));
  } else if (const auto found = watched_.find(address); found != watched_.end()) {
    watched_.erase(found);
  }
}

void ContextProvider::on_context_changed(const std::string& path) {
  for (const auto& [address, watched] : watched_) {
    if (watched.empty() || watched == path) answers_.resource_updated(address);
  }
}

}  // namespace tideline::agent
