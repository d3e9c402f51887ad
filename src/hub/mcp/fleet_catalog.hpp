// What one caller sees at the fleet's endpoint: the hub's own tools, and each tool type of the devices he may see once, with an argument
// that names the device. The list grows with device models, not with devices.
//
// Two devices may offer different tools under one name (another firmware): the definition of the first device by id keeps the name, the
// others get a suffix made of their definition, the same on every hub and after every restart.
//
// Pure; owned by McpService. Thread: loop. Bounds: limits::hub_catalog_views lists are kept; a list is made anew when a catalog or a record
// changed. Cost of making one: one look at every device, one pass over the tools of every distinct catalog.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/fleet/registry.hpp"
#include "hub/mcp/access.hpp"
#include "hub/mcp/catalogs.hpp"

namespace tideline::hub {

/// A tool type of the fleet.
struct FleetTool {
  std::string name;             ///< at the device
  std::string definition;       ///< as the device gave it, in the newest revision's form: what tells variants apart
  std::string device_argument;  ///< "device", or another name when the tool has one called so
  bool is_read_only = false;
  bool is_idempotent = false;
  std::vector<const DeviceModel*> models;  ///< that offer it; valid until the next change of any catalog
};

struct FleetCatalog {
  mcp::ListCatalog lists;
  std::map<std::string, FleetTool, std::less<>> tools;  ///< by published name
};

/// The hub's own offer, the same for everybody; tools that change something are left out for viewers.
struct FleetOffer {
  std::vector<mcp::Tool> tools;
  std::vector<mcp::Resource> resources;
  std::vector<mcp::ResourceTemplate> templates;
  std::vector<mcp::Prompt> prompts;
};

class FleetCatalogs {
 public:
  FleetCatalogs(const Catalogs& catalogs, const Registry& registry, FleetOffer own) : catalogs_(catalogs), registry_(registry), own_(std::move(own)) {}
  /// Keys changed: what callers may see is found out anew.
  void clear() { kept_.clear(); }
  /// Valid until the next call.
  const FleetCatalog& of(const Principal& principal);

 private:
  struct Kept {
    uint64_t catalogs_version = 0;
    uint64_t registry_version = 0;
    uint64_t used = 0;
    FleetCatalog catalog;
  };
  void build(const Principal& principal, FleetCatalog& out) const;

  const Catalogs& catalogs_;
  const Registry& registry_;
  FleetOffer own_;
  std::map<std::string, std::unique_ptr<Kept>> kept_;  // by principal
  uint64_t uses_ = 0;
};

class FleetView final : public mcp::Catalog {
 public:
  FleetView(FleetCatalogs& catalogs, Principal principal) : catalogs_(catalogs), principal_(std::move(principal)) {}

  uint64_t version(mcp::ListKind kind) const override { return lists().version(kind); }
  size_t size(mcp::ListKind kind) const override { return lists().size(kind); }
  void append_item(mcp::ListKind kind, size_t index, mcp::Revision revision, std::string& out) const override {
    lists().append_item(kind, index, revision, out);
  }
  const mcp::Tool* find_tool(std::string_view name) const override { return lists().find_tool(name); }
  const mcp::Prompt* find_prompt(std::string_view name) const override { return lists().find_prompt(name); }
  mcp::CacheHint cache_hint(mcp::Method method) const override { return lists().cache_hint(method); }

 private:
  const mcp::ListCatalog& lists() const { return catalogs_.of(principal_).lists; }
  FleetCatalogs& catalogs_;
  Principal principal_;
};

/// The tool as published: its schema with one more required argument, called `argument`; without an output schema, because a call on
/// several devices answers with a list.
mcp::Tool with_device_argument(const mcp::Tool& tool, std::string_view argument);

}  // namespace tideline::hub
