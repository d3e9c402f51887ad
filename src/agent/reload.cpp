#include "agent/reload.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "agent/config_keys.hpp"
#include "wrap/toml/keys.hpp"

namespace tideline::agent {
namespace {

bool equal_slots(const toml::Slot& a, const toml::Slot& b) {
  return std::visit(
      [&b](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        const auto& right = std::get<T>(b);
        if constexpr (std::is_same_v<T, toml::Choice>) {
          return left.get(left.target) == right.get(right.target);
        } else {
          return *left == *right;
        }
      },
      a);
}

/// Names of the keys whose values differ. By value: rows lead to members that may be changed.
template <class Section>
std::vector<std::string> different_keys(std::span<const toml::Key<Section>> keys, Section a, Section b) {
  std::vector<std::string> names;
  for (const toml::Key<Section>& key : keys) {
    if (!equal_slots(key.slot(a), key.slot(b))) names.emplace_back(key.name);
  }
  return names;
}

bool is_same(const ChildConfig& a, const ChildConfig& b) { return different_keys(child_keys(), a, b).empty(); }

bool is_same(const ActionConfig& a, const ActionConfig& b) {
  const auto is_same_argument = [](const ActionArgument& left, const ActionArgument& right) {
    return left.name == right.name && left.has_fallback == right.has_fallback && different_keys(action_argument_keys(), left, right).empty();
  };
  return different_keys(action_keys(), a, b).empty() &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(), is_same_argument);
}

/// "[kind.NAME]" of every section that is new, gone or changed.
template <class Section>
void add_different(const char* kind, const std::vector<Section>& running, const std::vector<Section>& fresh, std::vector<std::string>& out) {
  const auto find = [](const std::vector<Section>& all, const std::string& name) {
    return std::find_if(all.begin(), all.end(), [&](const Section& each) { return each.name == name; });
  };
  const auto title = [&](const Section& section) { return std::string("[") + kind + "." + section.name + "]"; };
  for (const Section& section : running) {
    const auto place = find(fresh, section.name);
    if (place == fresh.end() || !is_same(section, *place)) out.push_back(title(section));
  }
  for (const Section& section : fresh) {
    if (find(running, section.name) == running.end()) out.push_back(title(section));
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::vector<std::string> keys_for_restart(const Config& running, const Config& fresh) {
  std::vector<std::string> names;
  const auto compare = [&](const char* section, auto keys, const auto& a, const auto& b) {
    for (const std::string& key : different_keys(keys, a, b)) names.push_back(std::string("[") + section + "] " + key);
  };
  compare("device", device_keys(), running.device, fresh.device);
  compare("hub", hub_keys(), running.hub, fresh.hub);
  compare("store", store_keys(), running.store, fresh.store);
  compare("ingest", ingest_keys(), running.ingest, fresh.ingest);
  compare("log", log_keys(), running.log, fresh.log);
  compare("remote", remote_keys(), running.remote, fresh.remote);
  compare("context", context_keys(), running.context, fresh.context);
  add_different("action", running.actions, fresh.actions, names);
  add_different("child", running.children, fresh.children, names);
  return names;
}

bool Reload::run(std::string_view overlay) { return take(load_(overlay)); }

bool Reload::take(ConfigResult read) {
  if (!read.is_sound()) {
    for (const std::string& problem : read.problems) log_error(log_, "reload", "%s", problem.c_str());
    log_error(log_, "reload", "nothing was changed: the configuration of before stays in force");
    note_ = "the configuration file is wrong, that of before is in force: " + read.problems.front();
    return false;
  }
  const std::string waiting = joined(keys_for_restart(running_, read.config));
  running_.inputs = std::move(read.config.inputs);
  running_.series = std::move(read.config.series);
  running_.context.declarations = std::move(read.config.context.declarations);
  log_info(log_, "reload", "inputs start again with the configuration as it is now: %zu inputs, %zu series rules", running_.inputs.size(), running_.series.size());
  if (!waiting.empty()) log_warning(log_, "reload", "changed and not in force before a restart: %s", waiting.c_str());
  note_ = waiting.empty() ? "" : "restart needed for " + waiting;
  return true;
}

}  // namespace tideline::agent
