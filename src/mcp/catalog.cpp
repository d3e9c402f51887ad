#include "mcp/catalog.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

constexpr uint64_t hash_start = 0xcbf29ce484222325;  // FNV-1a: tells versions apart, protects nothing

uint64_t add_hash(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

template <class T, class Key>
void sort_unique(std::vector<T>& items, Key key) {
  std::stable_sort(items.begin(), items.end(), [key](const T& a, const T& b) { return a.*key < b.*key; });
  items.erase(std::unique(items.begin(), items.end(), [key](const T& a, const T& b) { return a.*key == b.*key; }), items.end());
}

template <class T>
const T* find_named(const std::vector<T>& items, std::string_view name) {
  const auto found = std::lower_bound(items.begin(), items.end(), name, [](const T& item, std::string_view n) { return item.name < n; });
  return found != items.end() && found->name == name ? &*found : nullptr;
}

std::string make_cursor(uint64_t version, size_t offset) { return format("%llx.%zu", static_cast<unsigned long long>(version), offset); }

/// The offset a cursor stands for; nothing when it is not one we made for this version.
std::optional<size_t> read_cursor(Slice cursor, uint64_t version, size_t size) {
  const std::string text = cursor.text();
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return std::nullopt;
  size_t offset = 0;
  const auto [end, error] = std::from_chars(text.data() + dot + 1, text.data() + text.size(), offset);
  if (error != std::errc{} || end != text.data() + text.size() || offset == 0 || offset >= size) return std::nullopt;
  return make_cursor(version, offset) == text ? std::optional(offset) : std::nullopt;
}

}  // namespace

bool ListCatalog::renew_version(ListKind kind) {
  uint64_t hash = hash_start;
  std::string item;
  for (size_t i = 0; i < size(kind); ++i) {
    item.clear();
    append_item(kind, i, newest_modern, item);
    hash = add_hash(add_hash(hash, item), "\n");
  }
  uint64_t& version = versions_[static_cast<size_t>(kind)];
  const bool is_changed = version != hash;
  version = hash;
  return is_changed;
}

bool ListCatalog::set_tools(std::vector<Tool> tools) {
  tools_ = std::move(tools);
  sort_unique(tools_, &Tool::name);
  for (Tool& tool : tools_) {
    if (!tool.is_relayed) tool.digest = SchemaDigest(Slice(tool.input_schema_json));
  }
  return renew_version(ListKind::tools);
}

bool ListCatalog::set_resources(std::vector<Resource> resources) {
  resources_ = std::move(resources);
  sort_unique(resources_, &Resource::uri);
  return renew_version(ListKind::resources);
}

bool ListCatalog::set_templates(std::vector<ResourceTemplate> templates) {
  templates_ = std::move(templates);
  sort_unique(templates_, &ResourceTemplate::uri_template);
  return renew_version(ListKind::templates);
}

bool ListCatalog::set_prompts(std::vector<Prompt> prompts) {
  prompts_ = std::move(prompts);
  sort_unique(prompts_, &Prompt::name);
  return renew_version(ListKind::prompts);
}

size_t ListCatalog::size(ListKind kind) const {
  switch (kind) {
    case ListKind::tools: return tools_.size();
    case ListKind::resources: return resources_.size();
    case ListKind::templates: return templates_.size();
    case ListKind::prompts: return prompts_.size();
  }
  return 0;
}

void ListCatalog::append_item(ListKind kind, size_t index, Revision revision, std::string& out) const {
  switch (kind) {
    case ListKind::tools: return append_tool(out, tools_[index], revision);
    case ListKind::resources: return append_resource(out, resources_[index]);
    case ListKind::templates: return append_template(out, templates_[index]);
    case ListKind::prompts: return append_prompt(out, prompts_[index]);
  }
}

const Tool* ListCatalog::find_tool(std::string_view name) const { return find_named(tools_, name); }

const Prompt* ListCatalog::find_prompt(std::string_view name) const { return find_named(prompts_, name); }

CacheHint ListCatalog::cache_hint(Method method) const {
  // Readings age at once: a reader of a resource states its own time to live in the body.
  return method == Method::read_resource ? CacheHint{} : hint_;
}

std::optional<ListKind> list_kind(Method method) {
  if (method == Method::list_tools) return ListKind::tools;
  if (method == Method::list_resources) return ListKind::resources;
  if (method == Method::list_templates) return ListKind::templates;
  if (method == Method::list_prompts) return ListKind::prompts;
  return std::nullopt;
}

std::string_view list_name(ListKind kind) {
  static constexpr std::array<std::string_view, list_kinds> names = {"tools", "resources", "resourceTemplates", "prompts"};
  return names[static_cast<size_t>(kind)];
}

Page list_page(const Catalog& catalog, ListKind kind, Revision revision, Slice cursor) {
  Page page;
  const size_t size = catalog.size(kind);
  const uint64_t version = catalog.version(kind);
  size_t at = 0;
  if (cursor.is_present()) {
    const std::optional<size_t> offset = read_cursor(cursor, version, size);
    if (!offset) {
      page.problem = RpcError{RpcCode::invalid_params, "unknown or stale cursor: start the list again without one", {}};
      return page;
    }
    at = *offset;
  }
  const size_t last = std::min(size, at + limits::mcp_page_items);
  ObjectWriter writer(page.body);
  writer.key(list_name(kind));
  page.body.push_back('[');
  for (bool is_first = true; at < last; ++at, is_first = false) {
    const size_t before = page.body.size();
    if (!is_first) page.body.push_back(',');
    catalog.append_item(kind, at, revision, page.body);
    if (page.body.size() > limits::mcp_page_bytes && !is_first) {
      page.body.resize(before);
      break;
    }
  }
  page.body.push_back(']');
  if (at < size) writer.text("nextCursor", make_cursor(version, at));
  writer.end();
  return page;
}

}  // namespace tideline::mcp
