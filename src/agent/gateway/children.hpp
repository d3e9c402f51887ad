// All child servers of the agent: each a process and its supervisor.
//
// Owned by Agent. Thread: loop. Destroying it kills what still runs. Bounds: limits::children.
#pragma once

#include <memory>
#include <vector>

#include "agent/gateway/child_process.hpp"
#include "agent/gateway/child_server.hpp"

namespace tideline::agent {

class Gateway;

class Children {
 public:
  /// Those that are enabled, in the order of the configuration. The references outlive this.
  Children(const std::vector<ChildConfig>& configs, const std::string& version, Gateway& gateway, Notebook& notebook, uv::Loop& loop, Log& log);
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// Offers them, and starts those that must be asked what they offer. Notes of children that are gone are deleted.
  void begin();
  /// What was known of them at the last run is offered.
  bool are_known() const { return unread_ == 0; }
  /// Asks them to end; those that do not are made to.
  void stop();
  bool are_running() const;
  std::vector<ChildStatus> status() const;

 private:
  struct Child {
    ChildConfig config;
    ChildProcess process;
    ChildServer server;
    Child(const ChildConfig& from, ChildServerOptions options, Gateway& gateway, Notebook& notebook, uv::Loop& loop, Log& log);
  };
  /// Deletes notes; how that ends makes no difference.
  class Broom final : public Notebook::Listener {
    void on_saved(const std::string&, const Status&) override {}
    void on_read(const std::string&, const Result<std::string>&) override {}
  };

  void on_notes_read();

  Gateway& gateway_;
  Notebook& notebook_;
  size_t unread_ = 0;  ///< children whose notes are being read
  Broom broom_;
  std::vector<std::unique_ptr<Child>> children_;
};

}  // namespace tideline::agent
