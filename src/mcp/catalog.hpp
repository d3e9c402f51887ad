// The lists a server answers from, in a fixed order, and how one is cut into pages. A Catalog is what one caller may see: list,
// lookup and error text all use the same one. Pure; ListCatalog has one owner and is read by many servers of the same thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/definition.hpp"
#include "mcp/error_code.hpp"
#include "mcp/method.hpp"
#include "mcp/result_shape.hpp"

namespace tideline::mcp {

enum class ListKind : uint8_t { tools, resources, templates, prompts };
inline constexpr size_t list_kinds = 4;

class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Changes when the list changes, and is the same for the same content on any replica: cursors carry it.
  virtual uint64_t version(ListKind kind) const = 0;
  virtual size_t size(ListKind kind) const = 0;
  /// Appends entry `index` as JSON.
  virtual void append_item(ListKind kind, size_t index, Revision revision, std::string& out) const = 0;
  virtual const Tool* find_tool(std::string_view name) const = 0;
  virtual const Prompt* find_prompt(std::string_view name) const = 0;
  virtual CacheHint cache_hint(Method method) const = 0;
};

/// Lists held as vectors, sorted by name or URI; of two with the same name the first is kept.
class ListCatalog final : public Catalog {
 public:
  /// Each returns whether the list changed: the time for a notification.
  bool set_tools(std::vector<Tool> tools);
  bool set_resources(std::vector<Resource> resources);
  bool set_templates(std::vector<ResourceTemplate> templates);
  bool set_prompts(std::vector<Prompt> prompts);
  void set_cache_hint(CacheHint hint) { hint_ = hint; }

  const std::vector<Tool>& tools() const { return tools_; }

  uint64_t version(ListKind kind) const override { return versions_[static_cast<size_t>(kind)]; }
  size_t size(ListKind kind) const override;
  void append_item(ListKind kind, size_t index, Revision revision, std::string& out) const override;
  const Tool* find_tool(std::string_view name) const override;
  const Prompt* find_prompt(std::string_view name) const override;
  CacheHint cache_hint(Method method) const override;

 private:
  bool renew_version(ListKind kind);

  std::vector<Tool> tools_;
  std::vector<Resource> resources_;
  std::vector<ResourceTemplate> templates_;
  std::vector<Prompt> prompts_;
  std::array<uint64_t, list_kinds> versions_ = {};
  CacheHint hint_;
};

/// A page as the raw body of a list result: {"tools":[...],"nextCursor":"..."}. Cut by limits::mcp_page_bytes and mcp_page_items; a page
/// has at least one entry. A cursor that is not ours, or of another version of the list, is an error (-32602).
struct Page {
  std::string body;
  std::optional<RpcError> problem;
};
Page list_page(const Catalog& catalog, ListKind kind, Revision revision, Slice cursor);

std::optional<ListKind> list_kind(Method method);
std::string_view list_name(ListKind kind);  ///< the member that holds it: "tools", "resourceTemplates", ...

}  // namespace tideline::mcp
