#include "hub/mcp/catalogs.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::hub {
namespace {

constexpr mcp::CacheHint list_hint{10'000, false};

bool read_hash(const std::string& digits, uint64_t& out) {
  uint8_t bytes[8] = {};
  if (!from_hex(digits, bytes, sizeof bytes)) return false;
  out = 0;
  for (const uint8_t byte : bytes) out = out << 8 | byte;
  return out != 0;
}

/// Judges every entry of one list; the bad ones are told and left out.
template <class T>
Result<std::vector<T>> read_list(mcp::Slice list, mcp::Judged<T> (*judge)(mcp::Slice), const char* what, std::vector<std::string>& problems) {
  std::vector<T> values;
  if (!list.is_present()) return values;
  if (!list.is(mcp::JsonKind::array)) return Error{ErrorCode::invalid, 0, "a list of the catalog is no array"};
  for (mcp::Walk walk(list); walk.next();) {
    if (values.size() >= limits::mcp_list_items) return Error{ErrorCode::limit, 0, "the catalog has more than 1024 entries of one kind"};
    mcp::Judged<T> judged = judge(walk.value());
    if (!judged.problem.empty()) problems.push_back(std::string(what) + ": " + judged.problem);
    if (judged.value) values.push_back(std::move(*judged.value));
  }
  return values;
}

}  // namespace

Catalogs::Catalogs() {
  nothing_.all.set_cache_hint(list_hint);
  nothing_.reading.set_cache_hint(list_hint);
}

const DeviceModel& Catalogs::of(DeviceKey device) const {
  const auto found = by_device_.find(device);
  return found == by_device_.end() ? nothing_ : *found->second;
}

Result<std::unique_ptr<DeviceModel>> Catalogs::read(mcp::Slice catalog) const {
  mcp::Slice hash;
  mcp::Slice tools;
  mcp::Slice resources;
  mcp::Slice templates;
  mcp::Slice prompts;
  RETURN_IF_ERROR(mcp::read_members(
      catalog, {{"hash", &hash}, {"tools", &tools}, {"resources", &resources}, {"resourceTemplates", &templates}, {"prompts", &prompts}}));
  auto model = std::make_unique<DeviceModel>();
  model->text = catalog.raw();
  if (!read_hash(hash.text(), model->hash)) return Error{ErrorCode::invalid, 0, "the catalog has no hash of 16 hexadecimal digits"};
  ASSIGN_OR_RETURN(auto all_tools, read_list(tools, &mcp::judge_tool, "tool", model->problems));
  ASSIGN_OR_RETURN(auto all_resources, read_list(resources, &mcp::judge_resource, "resource", model->problems));
  ASSIGN_OR_RETURN(auto all_templates, read_list(templates, &mcp::judge_template, "template", model->problems));
  ASSIGN_OR_RETURN(auto all_prompts, read_list(prompts, &mcp::judge_prompt, "prompt", model->problems));
  std::vector<mcp::Tool> reading_tools;
  for (mcp::Tool& tool : all_tools) {
    tool.is_relayed = true;
    if (mcp::read_hints(mcp::Slice(tool.annotations_json)).is_read_only) reading_tools.push_back(tool);
  }
  for (mcp::Prompt& prompt : all_prompts) prompt.is_relayed = true;
  for (mcp::ListCatalog* list : {&model->all, &model->reading}) {
    list->set_cache_hint(list_hint);
    (void)list->set_resources(all_resources);
    (void)list->set_templates(all_templates);
    (void)list->set_prompts(all_prompts);
  }
  (void)model->all.set_tools(std::move(all_tools));
  (void)model->reading.set_tools(std::move(reading_tools));
  return model;
}

Result<Catalogs::Change> Catalogs::put(DeviceKey device, mcp::Slice catalog) {
  if (catalog.raw().size() > limits::hub_catalog_bytes) return Error{ErrorCode::limit, 0, "the catalog is longer than 1 MiB"};
  auto known = models_.find(catalog.raw());
  const DeviceModel& before = of(device);
  if (known != models_.end() && known->second.get() == &before) return Change{};
  if (known == models_.end()) {
    ASSIGN_OR_RETURN(auto model, read(catalog));
    const std::string_view text = model->text;
    known = models_.emplace(text, std::move(model)).first;
  }
  DeviceModel* const model = known->second.get();
  Change change;
  const auto differs = [&](mcp::ListKind kind) { return before.all.version(kind) != model->all.version(kind); };
  change.tools = differs(mcp::ListKind::tools);
  change.resources = differs(mcp::ListKind::resources);
  change.templates = differs(mcp::ListKind::templates);
  change.prompts = differs(mcp::ListKind::prompts);
  DeviceModel*& place = by_device_[device];
  DeviceModel* const old = place;
  place = model;
  ++place->devices;
  if (old != nullptr && --old->devices == 0) models_.erase(old->text);
  ++version_;
  return change;
}

}  // namespace tideline::hub
