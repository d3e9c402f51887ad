#include "mcp/watches.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

bool contains(const std::vector<std::string>& texts, std::string_view text) { return std::find(texts.begin(), texts.end(), text) != texts.end(); }

Status read_flag(Slice value, bool is_offered, bool& out) {
  if (value.is_present() && !value.is(JsonKind::boolean)) return Error{ErrorCode::invalid, 0, "a filter of list changes must be true or false"};
  out = is_offered && value.is_true();
  return {};
}

/// Takes the first `most` different texts; those too long for a URI are not granted.
Status read_texts(Slice value, bool is_offered, size_t most, std::vector<std::string>& out) {
  if (!value.is_present()) return {};
  if (!value.is(JsonKind::array)) return Error{ErrorCode::invalid, 0, "resourceSubscriptions and taskIds must be arrays of strings"};
  for (Walk walk(value); walk.next();) {
    if (!walk.value().is(JsonKind::string)) return Error{ErrorCode::invalid, 0, "resourceSubscriptions and taskIds must be arrays of strings"};
    if (!is_offered || out.size() == most) continue;
    std::string text = walk.value().text();
    if (text.size() <= limits::mcp_uri_bytes && !contains(out, text)) out.push_back(std::move(text));
  }
  return {};
}

std::string texts_json(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out.push_back(',');
    append_string(out, text);
  }
  return out + "]";
}

}  // namespace

Result<Listen> read_listen(Slice filter, const ListenOffer& offer) {
  Listen out;
  Slice tools, prompts, resources, uris, tasks;
  RETURN_IF_ERROR(read_members(filter, {{"toolsListChanged", &tools},
                                        {"promptsListChanged", &prompts},
                                        {"resourcesListChanged", &resources},
                                        {"resourceSubscriptions", &uris},
                                        {"taskIds", &tasks}}));
  RETURN_IF_ERROR(read_flag(tools, offer.tools, out.tools));
  RETURN_IF_ERROR(read_flag(prompts, offer.prompts, out.prompts));
  RETURN_IF_ERROR(read_flag(resources, offer.resources, out.resources));
  RETURN_IF_ERROR(read_texts(uris, offer.watching, limits::mcp_watched_uris, out.uris));
  RETURN_IF_ERROR(read_texts(tasks, offer.tasks, limits::mcp_watched_tasks, out.tasks));
  return out;
}

std::string listen_filter(const Listen& listen) {
  std::string out;
  ObjectWriter writer(out);
  if (listen.tools) writer.boolean("toolsListChanged", true);
  if (listen.prompts) writer.boolean("promptsListChanged", true);
  if (listen.resources) writer.boolean("resourcesListChanged", true);
  if (!listen.uris.empty()) writer.raw("resourceSubscriptions", texts_json(listen.uris));
  if (!listen.tasks.empty()) writer.raw("taskIds", texts_json(listen.tasks));
  writer.end();
  return out;
}

bool Watches::is_full() const { return listens_.size() >= limits::mcp_listens; }

bool Watches::is_watched(std::string_view uri) const {
  return is_subscribed(uri) || std::any_of(listens_.begin(), listens_.end(), [&](const Listen& l) { return wants_uri(l, uri); });
}

std::vector<Watches::Change> Watches::add(Listen listen) {
  std::vector<Change> changes;
  for (const std::string& uri : listen.uris) {
    if (!is_watched(uri)) changes.push_back({uri, true});
  }
  listens_.push_back(std::move(listen));
  return changes;
}

std::vector<Watches::Change> Watches::remove(std::string_view id) {
  std::vector<Change> changes;
  const auto found = std::find_if(listens_.begin(), listens_.end(), [id](const Listen& l) { return l.id == id; });
  if (found == listens_.end()) return changes;
  const Listen gone = std::move(*found);
  listens_.erase(found);
  for (const std::string& uri : gone.uris) {
    if (!is_watched(uri)) changes.push_back({uri, false});
  }
  return changes;
}

std::vector<Watches::Change> Watches::clear() {
  std::vector<Change> changes;
  const auto tell = [&changes](const std::string& uri) {
    if (std::none_of(changes.begin(), changes.end(), [&](const Change& c) { return c.uri == uri; })) changes.push_back({uri, false});
  };
  for (const Listen& listen : listens_) std::for_each(listen.uris.begin(), listen.uris.end(), tell);
  std::for_each(subscribed_.begin(), subscribed_.end(), tell);
  listens_.clear();
  subscribed_.clear();
  return changes;
}

const Listen* Watches::find(std::string_view id) const {
  const auto found = std::find_if(listens_.begin(), listens_.end(), [id](const Listen& l) { return l.id == id; });
  return found == listens_.end() ? nullptr : &*found;
}

bool Watches::subscribe(const std::string& uri, std::vector<Change>& changes) {
  if (is_subscribed(uri)) return true;
  if (subscribed_.size() >= limits::mcp_watched_uris) return false;
  if (!is_watched(uri)) changes.push_back({uri, true});
  subscribed_.push_back(uri);
  return true;
}

std::vector<Watches::Change> Watches::unsubscribe(std::string_view uri) {
  std::vector<Change> changes;
  if (std::erase(subscribed_, uri) > 0 && !is_watched(uri)) changes.push_back({std::string(uri), false});
  return changes;
}

bool Watches::is_subscribed(std::string_view uri) const { return contains(subscribed_, uri); }

bool wants_list(const Listen& listen, ListKind kind) {
  switch (kind) {
    case ListKind::tools: return listen.tools;
    case ListKind::prompts: return listen.prompts;
    case ListKind::resources:
    case ListKind::templates: return listen.resources;
  }
  return false;
}

bool wants_uri(const Listen& listen, std::string_view uri) { return contains(listen.uris, uri); }

bool wants_task(const Listen& listen, std::string_view task_id) { return contains(listen.tasks, task_id); }

}  // namespace tideline::mcp
