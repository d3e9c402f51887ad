// ChildServer: what it offers, now and as known from the last run; what is watched.
#include <algorithm>

#include "agent/gateway/child_server.hpp"

namespace tideline::agent {
namespace {

constexpr mcp::ListKind kinds[] = {mcp::ListKind::tools, mcp::ListKind::resources, mcp::ListKind::templates, mcp::ListKind::prompts};

}  // namespace

std::string ChildServer::note_key(mcp::ListKind kind) const { return "child/" + config_.name + "/" + std::string(mcp::list_name(kind)); }

void ChildServer::read_next_note() { notebook_.read(note_key(kinds[mcp::list_kinds - notes_left_]), *this); }

void ChildServer::on_read(const std::string&, const Result<std::string>& text) {
  const mcp::ListKind kind = kinds[mcp::list_kinds - notes_left_--];
  if (is_stopped_) return;
  if (const std::optional<StoredList> stored = text ? read_list_note(*text, source_) : std::nullopt) {
    known_era_ = stored->era;
    take_list(kind, stored->items);
  }
  if (notes_left_ > 0) return read_next_note();
  if (options_.on_notes_read) options_.on_notes_read();
  // Without knowing what it offers nobody could ever call it.
  if (!lists_.is_complete() || is_used()) start_soon();
}

void ChildServer::on_list(mcp::ListKind kind, const std::vector<std::string>& items, bool is_cut) {
  if (is_cut) log_warning(log_, "child", "%s: its list of %s is too long, the first %zu are offered", config_.name.c_str(), std::string(mcp::list_name(kind)).c_str(), items.size());
  take_list(kind, items);
  keep_list(kind, items);
}

void ChildServer::keep_list(mcp::ListKind kind, const std::vector<std::string>& items) {
  // Not kept when too long for a note: then the server is started with the agent. A refusal is no harm either.
  (void)notebook_.save(note_key(kind), list_note(source_, known_era_, items), *this).has_value();
}

void ChildServer::on_list_failed(mcp::ListKind kind, std::string_view why) {
  log_warning(log_, "child", "%s: its list of %s could not be read: %.*s", config_.name.c_str(), std::string(mcp::list_name(kind)).c_str(),
              static_cast<int>(std::min<size_t>(why.size(), 200)), why.data());
  // Known as empty now; not kept so, as it may go well the next time. But servers exist that declare resources and know no templates.
  if (!lists_.is_known(kind)) take_list(kind, {});
  if (kind == mcp::ListKind::templates) keep_list(kind, {});
}

void ChildServer::take_list(mcp::ListKind kind, const std::vector<std::string>& items) {
  for (const std::string& problem : lists_.take(kind, items)) {
    log_warning(log_, "child", "%s: %s: %s", config_.name.c_str(), std::string(mcp::list_name(kind)).c_str(), problem.c_str());
  }
  answers_.offer_changed();
  if (kind == mcp::ListKind::resources || kind == mcp::ListKind::templates) renew_watches();
}

void ChildServer::on_saved(const std::string& key, const Status& status) {
  if (!status) log_debug(log_, "child", "%s was not kept: %s", key.c_str(), error_name(status.error().code));
}

void ChildServer::on_watch(std::string_view uri, bool is_watched) {
  if (is_watched) watched_.emplace(uri);
  else if (const auto found = watched_.find(uri); found != watched_.end()) watched_.erase(found);
  renew_watches();
}

void ChildServer::renew_watches() {
  std::vector<std::string> here;
  std::copy_if(watched_.begin(), watched_.end(), std::back_inserter(here), [&](const std::string& uri) { return lists_.has_uri(uri); });
  if (here == watched_here_) return;
  watched_here_ = std::move(here);
  used_at_ = options_.now();
  if (client_ != nullptr) client_->watch(watched_here_, used_at_);
  if (!watched_here_.empty()) start_soon();
  set_alarm();
}

}  // namespace tideline::agent
