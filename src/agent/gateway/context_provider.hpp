// The context over MCP: tools context_get, context_set, context_delete and context_list, each entry as a resource, its path completed, and
// whoever subscribed hears of changes from either side.
//
// Owned by Agent. Thread: loop. Nothing durable. Bounds: those of the keeper and of the gateway's streams. Must be asked before the
// built-in provider, which takes every other tideline:// address.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/gateway/context_commands.hpp"
#include "agent/gateway/provider.hpp"

namespace tideline::agent {

namespace uri {
inline constexpr std::string_view context = "tideline://context";
inline constexpr std::string_view context_entry = "tideline://context/";  ///< and the path
inline constexpr std::string_view context_template = "tideline://context/{+path}";
}  // namespace uri

class ContextProvider final : public Provider, public ContextKeeper::Watcher {
 public:
  ContextProvider(ContextKeeper& keeper, ContextCommands& commands, Answers& answers);
  ~ContextProvider() override;

  Offer offer() const override;
  bool takes(const mcp::Call& call) const override;
  void on_call(const CallKey& key, const mcp::Call& call) override;
  void on_cancel(const CallKey&) override {}  // a change that was taken is made: its answer is dropped
  void on_watch(std::string_view uri, bool is_watched) override;
  void on_context_changed(const std::string& path) override;

 private:
  void read(const CallKey& key, std::string_view address);
  void complete(const CallKey& key, mcp::Slice params);

  ContextKeeper& keeper_;
  ContextCommands& commands_;
  Answers& answers_;
  std::map<std::string, std::string, std::less<>> watched_;  // URI as given, to the path; "" all of them
};

Offer context_offer();

}  // namespace tideline::agent
