// Joins what the providers offer into one catalog and serves it on any number of streams: programs on agent.sock, a stdio client, calls
// of the hub. Each stream is a Desk with an MCP server of its own; the lists are the same for all.
//
// Owned by Agent. Thread: loop. Nothing survives a crash. Bounds: those of the catalog are its providers' (limits::mcp_list_items per
// child), of a stream limits::mcp_*, of the number of streams its owner's. Sealer, listener and log outlive the gateway; gateway and
// providers outlive every Desk.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway/desk.hpp"
#include "agent/gateway/provider.hpp"
#include "base/log.hpp"
#include "clock.hpp"
#include "mcp/catalog.hpp"

namespace tideline::agent {

struct GatewayOptions {
  std::string name = "tideline";
  std::string version;
  std::string title;
  std::string instructions;
  mcp::CacheHint lists{limits::mcp_list_ttl.millis(), false};  ///< how long clients may keep a list; changes are announced anyway
  Instant (*now)() = &platform::now;                           ///< tests give their own
};

class Gateway final : public Answers {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Changes are being joined: call on_timer() when `at` has come.
    virtual void on_gateway_due(Instant at) = 0;
    /// catalog_json() and catalog_hash() are others now.
    virtual void on_catalog_changed() = 0;
  };

  /// `sealer` may be null: then requestState goes out as the provider gave it.
  Gateway(GatewayOptions options, mcp::Sealer* sealer, Listener& listener, Log& log);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// In the order in which they are asked. What it offers is served at once, nothing is announced.
  void add(Provider& provider);

  std::unique_ptr<Desk> open_stream(StreamOptions options, mcp::Output& output);
  size_t streams() const { return desks_.size(); }

  /// Tells what changed, and ends calls whose time is over. Call when on_gateway_due() said, and once a second.
  void on_timer(Instant now);
  /// Tells at once what would be joined with later changes: for the start, when clients are about to ask.
  void flush_changes();
  /// All listens of all streams get their last message: the agent is closing down.
  void end_listens();

  const mcp::ListCatalog& catalog() const { return catalog_; }
  /// {"hash":"<16 hexadecimal digits>","tools":[...],"resources":[...],"resourceTemplates":[...],"prompts":[...]}, entries as in the
  /// newest revision. Made anew at each call.
  std::string catalog_json() const;
  /// Of the content, the same for the same content at any time and place; never 0.
  uint64_t catalog_hash() const;
  bool is_watched(std::string_view uri) const { return watched_.find(uri) != watched_.end(); }

  bool reply(const CallKey& key, std::string_view result_json) override;
  bool reply_own(const CallKey& key, std::string_view result_json) override;
  bool fail(const CallKey& key, const mcp::RpcError& error) override;
  bool fail_not_found(const CallKey& key, std::string_view what) override;
  bool fail_missing(const CallKey& key, std::string_view why, std::string_view capabilities_json) override;
  bool ask(const CallKey& key, const mcp::Question& question) override;
  bool reply_task(const CallKey& key, const mcp::Task& task) override;
  bool progress(const CallKey& key, const mcp::Progress& progress) override;
  bool log(const CallKey& key, mcp::Severity severity, std::string_view logger, std::string_view data_json) override;
  void offer_changed() override;
  void resource_updated(std::string_view uri) override;
  void task_changed(const mcp::Task& task) override;

 private:
  friend class Desk;
  struct Changes {
    bool tools = false;
    bool resources = false;  ///< templates too: one notification covers both
    bool prompts = false;
  };

  Instant now() const { return options_.now(); }
  Provider* find_provider(const mcp::Call& call) const;
  void forget(const Desk& desk);
  void count_watch(std::string_view uri, bool is_watched);
  Desk* find(const CallKey& key);
  template <class Act>
  bool on_server(const CallKey& key, Act act);
  Changes rebuild();
  void note_twice(const char* kind, const std::string& name);

  GatewayOptions options_;
  mcp::Sealer* sealer_;
  Listener& listener_;
  Log& log_;
  std::vector<Provider*> providers_;
  mcp::ListCatalog catalog_;
  std::map<uint64_t, Desk*> desks_;
  uint64_t last_stream_ = 0;
  std::map<std::string, size_t, std::less<>> watched_;  // URI to the streams that watch it
  std::set<std::string> named_twice_;                   // logged already
  Instant rebuild_at_ = never;
};

}  // namespace tideline::agent
