#include "hub/mcp/fleet_catalog.hpp"

#include <algorithm>
#include <set>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr mcp::CacheHint list_hint{10'000, false};
constexpr const char* argument_names[] = {"device", "on_device", "fleet_device"};
constexpr const char* argument_schema =
    R"({"type":"string","description":"Which device runs it: an id such as \"pump-7\", a glob such as \"pump-*\", or labels such as \"{site=berlin}\". )"
    R"(Several devices: the answer lists the result of each."})";

uint32_t short_hash(std::string_view text) {
  uint32_t hash = 0x811c9dc5;  // FNV-1a: tells variants apart, protects nothing
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

std::string definition_of(const mcp::Tool& tool) {
  std::string text;
  mcp::append_tool(text, tool, mcp::newest_modern);
  return text;
}

/// A name that the tool has no argument of its own for.
std::string_view free_argument(const mcp::Tool& tool) {
  const mcp::Slice properties = mcp::find_member(mcp::Slice(tool.input_schema_json), "properties");
  for (const char* name : argument_names) {
    if (!mcp::find_member(properties, name).is_present()) return name;
  }
  return {};
}

/// `object` with one more member in front; an absent one is made.
std::string with_member(mcp::Slice object, std::string_view name, std::string_view value) {
  std::string out;
  mcp::ObjectWriter writer(out);
  writer.raw(name, value);
  for (mcp::Walk walk(object); walk.next();) writer.raw_key(walk.key(), walk.value());
  writer.end();
  return out;
}

std::string with_element(mcp::Slice array, std::string_view text) {
  std::string out = "[" + mcp::json_string(text);
  for (mcp::Walk walk(array); walk.next();) out.append(",").append(walk.value().raw());
  return out + "]";
}

}  // namespace

mcp::Tool with_device_argument(const mcp::Tool& tool, std::string_view argument) {
  const mcp::Slice schema(tool.input_schema_json);
  const std::string properties = with_member(mcp::find_member(schema, "properties"), argument, argument_schema);
  const std::string required = with_element(mcp::find_member(schema, "required"), argument);
  mcp::Tool published = tool;
  published.input_schema_json.clear();
  mcp::ObjectWriter writer(published.input_schema_json);
  for (mcp::Walk walk(schema); walk.next();) {
    if (!walk.key().equals("properties") && !walk.key().equals("required")) writer.raw_key(walk.key(), walk.value());
  }
  writer.raw("properties", properties).raw("required", required);
  writer.end();
  published.output_schema_json.clear();
  published.description += published.description.empty() ? "Runs on the device or devices named." : " Runs on the device or devices named.";
  return published;
}

const FleetCatalog& FleetCatalogs::of(const Principal& principal) {
  std::unique_ptr<Kept>& kept = kept_[principal.id];
  if (kept == nullptr) kept = std::make_unique<Kept>();
  kept->used = ++uses_;
  if (kept->catalogs_version != catalogs_.version() || kept->registry_version != registry_.version()) {
    kept->catalogs_version = catalogs_.version();
    kept->registry_version = registry_.version();
    build(principal, kept->catalog);
  }
  const FleetCatalog& found = kept->catalog;
  if (kept_.size() > limits::hub_catalog_views) {
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return a.second->used < b.second->used; }));
  }
  return found;
}

void FleetCatalogs::build(const Principal& principal, FleetCatalog& out) const {
  std::vector<mcp::Tool> tools;
  for (const mcp::Tool& tool : own_.tools) {
    if (principal.may_change() || mcp::read_hints(mcp::Slice(tool.annotations_json)).is_read_only) tools.push_back(tool);
  }
  const auto is_own = [this](const std::string& name) {
    return std::any_of(own_.tools.begin(), own_.tools.end(), [&name](const mcp::Tool& tool) { return tool.name == name; });
  };
  out.tools.clear();
  std::set<const DeviceModel*> seen;
  for (const DeviceEntry* device : registry_.select(principal.devices)) {
    const DeviceModel& model = catalogs_.of(device->record.key);
    if (!seen.insert(&model).second) continue;
    for (const mcp::Tool& tool : principal.may_change() ? model.all.tools() : model.reading.tools()) {
      const std::string_view argument = free_argument(tool);
      if (is_own(tool.name) || argument.empty()) continue;
      std::string definition = definition_of(tool);
      std::string published = tool.name;
      auto known = out.tools.find(published);
      if (known != out.tools.end() && known->second.definition != definition) {
        published += format("__%04x", short_hash(definition) & 0xffff);
        known = out.tools.find(published);
      }
      if (known == out.tools.end()) {
        const mcp::ToolHints hints = mcp::read_hints(mcp::Slice(tool.annotations_json));
        known = out.tools.emplace(published, FleetTool{tool.name, std::move(definition), std::string(argument), hints.is_read_only, hints.is_idempotent, {}}).first;
        tools.push_back(with_device_argument(tool, argument));
        tools.back().name = published;
      }
      known->second.models.push_back(&model);
    }
  }
  out.lists.set_cache_hint(list_hint);
  (void)out.lists.set_tools(std::move(tools));
  (void)out.lists.set_resources(own_.resources);
  (void)out.lists.set_templates(own_.templates);
  (void)out.lists.set_prompts(own_.prompts);
}

}  // namespace tideline::hub
