#include "agent/gateway/children.hpp"

#include <algorithm>

#include "agent/gateway/gateway.hpp"
#include "clock.hpp"

namespace tideline::agent {

Children::Child::Child(const ChildConfig& from, ChildServerOptions options, Gateway& gateway, Notebook& notebook, uv::Loop& loop, Log& log)
    : config(from), process(config, loop, log), server(config, std::move(options), gateway, process, notebook, log) {}

Children::Children(const std::vector<ChildConfig>& configs, const std::string& version, Gateway& gateway, Notebook& notebook, uv::Loop& loop, Log& log)
    : gateway_(gateway), notebook_(notebook) {
  for (const ChildConfig& config : configs) {
    if (!config.enabled) continue;
    ChildServerOptions options{version, &platform::now, platform::random_u64(), [this] { on_notes_read(); }};
    children_.push_back(std::make_unique<Child>(config, std::move(options), gateway, notebook, loop, log));
  }
}

void Children::begin() {
  for (const std::string& key : notebook_.keys("child/")) {
    const auto owns = [&](const std::unique_ptr<Child>& child) { return key.starts_with("child/" + child->config.name + "/"); };
    if (std::none_of(children_.begin(), children_.end(), owns)) (void)notebook_.save(key, {}, broom_).has_value();
  }
  unread_ = children_.size();
  for (const std::unique_ptr<Child>& child : children_) {
    gateway_.add(child->server);
    child->server.begin();
  }
}

/// Whoever lists the tools right after the start sees those of sleeping children, too.
void Children::on_notes_read() {
  if (--unread_ == 0) gateway_.flush_changes();
}

void Children::stop() {
  for (const std::unique_ptr<Child>& child : children_) child->server.stop();
}

bool Children::are_running() const {
  return std::any_of(children_.begin(), children_.end(), [](const std::unique_ptr<Child>& child) { return child->server.is_running(); });
}

std::vector<ChildStatus> Children::status() const {
  std::vector<ChildStatus> all;
  for (const std::unique_ptr<Child>& child : children_) all.push_back(child->server.status());
  return all;
}

}  // namespace tideline::agent
