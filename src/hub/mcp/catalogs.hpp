// What every device offers over MCP, as it last told: the hub answers lists from here, whether the device is awake or not (law 9).
// Devices with the same catalog share one copy.
//
// Pure; owned by McpService. Thread: loop. The texts are kept in the archive by its owner. Bounds: limits::hub_catalog_bytes a device,
// limits::mcp_list_items a list.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "hub/store/archive.hpp"
#include "mcp/catalog.hpp"

namespace tideline::hub {

/// The lists of one device, for callers who may do everything and for those who only read.
struct DeviceModel {
  uint64_t hash = 0;                  ///< as the device told it
  std::string text;                   ///< the catalog as it came: what is kept, and what makes two the same
  mcp::ListCatalog all;
  mcp::ListCatalog reading;           ///< without tools that change something
  std::vector<std::string> problems;  ///< definitions left out, and why
  size_t devices = 0;
};

class Catalogs {
 public:
  struct Change {
    bool tools = false;
    bool resources = false;
    bool templates = false;
    bool prompts = false;
  };
  Catalogs();

  /// `catalog` is the object that devices send: {"hash":"16 hex digits","tools":[...],"resources":[...],"resourceTemplates":[...],"prompts":[...]}.
  /// Bad definitions are left out one by one. Errors: invalid, limit; then the device keeps what it had.
  Result<Change> put(DeviceKey device, mcp::Slice catalog);
  /// Of a device that never told, an empty one.
  const DeviceModel& of(DeviceKey device) const;
  uint64_t hash(DeviceKey device) const { return of(device).hash; }
  /// Grows with every change of any device's catalog.
  uint64_t version() const { return version_; }

 private:
  Result<std::unique_ptr<DeviceModel>> read(mcp::Slice catalog) const;

  DeviceModel nothing_;
  // By text, not by the hash that came with it: no device can put its definitions under another's hash.
  std::map<std::string_view, std::unique_ptr<DeviceModel>> models_;
  std::unordered_map<DeviceKey, DeviceModel*> by_device_;
  uint64_t version_ = 1;
};

/// What one caller sees of one device: follows the device's catalog as it changes.
class DeviceView final : public mcp::Catalog {
 public:
  DeviceView(const Catalogs& catalogs, DeviceKey device, bool may_change) : catalogs_(catalogs), device_(device), may_change_(may_change) {}

  uint64_t version(mcp::ListKind kind) const override { return list().version(kind); }
  size_t size(mcp::ListKind kind) const override { return list().size(kind); }
  void append_item(mcp::ListKind kind, size_t index, mcp::Revision revision, std::string& out) const override {
    list().append_item(kind, index, revision, out);
  }
  const mcp::Tool* find_tool(std::string_view name) const override { return list().find_tool(name); }
  const mcp::Prompt* find_prompt(std::string_view name) const override { return list().find_prompt(name); }
  mcp::CacheHint cache_hint(mcp::Method method) const override { return list().cache_hint(method); }

 private:
  const mcp::ListCatalog& list() const {
    const DeviceModel& model = catalogs_.of(device_);
    return may_change_ ? model.all : model.reading;
  }
  const Catalogs& catalogs_;
  DeviceKey device_;
  bool may_change_;
};

}  // namespace tideline::hub
