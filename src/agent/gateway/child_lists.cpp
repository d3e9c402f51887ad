#include "agent/gateway/child_lists.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::agent {
namespace {

constexpr size_t hash_digits = 8;

/// A template's fixed parts as a glob: enough to tell whose it is; the child decides.
std::string glob_of(std::string_view uri_template) {
  std::string glob;
  bool is_inside = false;
  for (const char c : uri_template) {
    if (c == '{') glob.push_back('*');
    is_inside = (is_inside || c == '{') && c != '}';
    if (!is_inside && c != '}') glob.push_back(c);
  }
  return glob;
}

}  // namespace

const std::string* ChildLists::find(const Names& names, std::string_view name) {
  const auto found = names.find(name);
  return found != names.end() ? &found->second : nullptr;
}

bool ChildLists::is_complete() const {
  return std::all_of(is_known_.begin(), is_known_.end(), [](bool known) { return known; });
}

bool ChildLists::has_uri(std::string_view uri) const {
  return std::any_of(offer_.resources.begin(), offer_.resources.end(), [&](const mcp::Resource& one) { return one.uri == uri; }) ||
         std::any_of(offer_.templates.begin(), offer_.templates.end(), [&](const mcp::ResourceTemplate& one) { return matches_glob(glob_of(one.uri_template), uri); });
}

bool ChildLists::has_template(std::string_view uri_template) const {
  return std::any_of(offer_.templates.begin(), offer_.templates.end(), [&](const mcp::ResourceTemplate& one) { return one.uri_template == uri_template; });
}

/// Hosts take names of at most 64; a longer one keeps its beginning and gets a hash, the same at every start.
std::string ChildLists::renamed(const std::string& name) const {
  if (config_.prefix.empty()) return name;
  const std::string full = config_.prefix + "__" + name;
  if (full.size() <= limits::child_tool_name_bytes) return full;
  return full.substr(0, limits::child_tool_name_bytes - hash_digits - 1) + "_" + tls::sha256_hex(as_bytes(full)).substr(0, hash_digits);
}

bool ChildLists::is_chosen(std::string_view name) const {
  const auto matches = [&](const std::vector<std::string>& globs) {
    return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return matches_glob(glob, name); });
  };
  return (config_.include.empty() || matches(config_.include)) && !matches(config_.exclude);
}

void ChildLists::tell(std::string problem, std::vector<std::string>& fresh) {
  if (told_.size() >= limits::child_quarantined || std::find(told_.begin(), told_.end(), problem) != told_.end()) return;
  told_.push_back(problem);
  fresh.push_back(std::move(problem));
}

template <class T, class Judge, class Keep>
void ChildLists::judge_all(const std::vector<std::string>& items, mcp::ListKind kind, Judge judge, Keep keep, std::vector<std::string>& fresh) {
  std::vector<std::string>& bad = bad_[static_cast<size_t>(kind)];
  bad.clear();
  for (const std::string& item : items) {
    mcp::Judged<T> judged = judge(mcp::Slice(item));
    if (!judged.value && bad.size() < limits::child_quarantined) bad.push_back(judged.problem);
    if (!judged.problem.empty()) tell(judged.problem, fresh);
    if (judged.value) keep(std::move(*judged.value));
  }
}

std::vector<std::string> ChildLists::take(mcp::ListKind kind, const std::vector<std::string>& items) {
  std::vector<std::string> fresh;
  is_known_[static_cast<size_t>(kind)] = true;
  switch (kind) {
    case mcp::ListKind::tools:
      offer_.tools.clear();
      tools_.clear();
      judge_all<mcp::Tool>(items, kind, &mcp::judge_tool, [&](mcp::Tool tool) {
        if (!is_chosen(tool.name)) return;
        std::string own = std::exchange(tool.name, renamed(tool.name));
        if (!tools_.emplace(tool.name, std::move(own)).second) return;  // twice: the first is kept
        offer_.tools.push_back(std::move(tool));
      }, fresh);
      break;
    case mcp::ListKind::prompts:
      offer_.prompts.clear();
      prompts_.clear();
      judge_all<mcp::Prompt>(items, kind, &mcp::judge_prompt, [&](mcp::Prompt prompt) {
        std::string own = std::exchange(prompt.name, renamed(prompt.name));
        if (!prompts_.emplace(prompt.name, std::move(own)).second) return;
        offer_.prompts.push_back(std::move(prompt));
      }, fresh);
      break;
    case mcp::ListKind::resources:
      offer_.resources.clear();
      judge_all<mcp::Resource>(items, kind, &mcp::judge_resource, [&](mcp::Resource one) { offer_.resources.push_back(std::move(one)); }, fresh);
      break;
    case mcp::ListKind::templates:
      offer_.templates.clear();
      judge_all<mcp::ResourceTemplate>(items, kind, &mcp::judge_template, [&](mcp::ResourceTemplate one) { offer_.templates.push_back(std::move(one)); }, fresh);
      break;
  }
  join_quarantined();
  return fresh;
}

void ChildLists::join_quarantined() {
  quarantined_.clear();
  for (const std::vector<std::string>& bad : bad_) quarantined_.insert(quarantined_.end(), bad.begin(), bad.end());
}

std::string list_note(std::string_view source, std::string_view era, const std::vector<std::string>& items) {
  std::string text;
  mcp::ObjectWriter writer(text);
  writer.text("source", source).text("era", era).key("items");
  text.push_back('[');
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text.push_back(',');
    text += items[i];
    if (text.size() > limits::child_note_bytes) return {};
  }
  text.push_back(']');
  writer.end();
  return text;
}

std::optional<StoredList> read_list_note(std::string_view text, std::string_view source) {
  const Result<mcp::Slice> json = mcp::check_json(text);
  mcp::Slice from, era, items;
  if (!json || !mcp::read_members(*json, {{"source", &from}, {"era", &era}, {"items", &items}})) return std::nullopt;
  if (!from.equals(source) || !items.is(mcp::JsonKind::array)) return std::nullopt;
  StoredList stored;
  stored.era = era.text();
  for (mcp::Walk walk(items); walk.next();) stored.items.emplace_back(walk.value().raw());
  return stored;
}

std::string source_of(const ChildConfig& config) {
  std::string all;
  const auto add = [&](std::string_view text) { mcp::append_string(all, text); };
  for (const std::string& word : config.command) add(word);
  all += "|";
  for (const std::string& name : config.environment) add(name);
  all += "|";
  for (const auto& [name, value] : config.env) add(name), add(value);
  all += "|";
  add(config.directory);
  add(era_choice_name(config.era));
  return tls::sha256_hex(as_bytes(all));
}

}  // namespace tideline::agent
