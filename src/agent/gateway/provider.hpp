// What stands behind the agent's MCP tools, resources and prompts: the built-in ones, the operator's actions, third-party servers.
// Each is a Provider; the Gateway joins what they offer into one catalog, passes calls to the one that takes them, and carries
// answers back to the stream on which the call came (a program on agent.sock, a stdio client, the hub).
//
// Thread: loop. The Gateway owns no provider and outlives their use of Answers.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mcp/definition.hpp"
#include "mcp/handler.hpp"
#include "mcp/task.hpp"

namespace tideline::agent {

/// One call under way: the stream it came on and its name there. Never used twice.
struct CallKey {
  uint64_t stream = 0;
  mcp::CallToken token = 0;
  auto operator<=>(const CallKey&) const = default;
};

/// What one provider offers now. Names are unique over all providers: the built-in ones come first, then actions, then children; of two
/// with the same name the first is kept and the other is logged.
struct Offer {
  std::vector<mcp::Tool> tools;
  std::vector<mcp::Resource> resources;
  std::vector<mcp::ResourceTemplate> templates;
  std::vector<mcp::Prompt> prompts;
};

/// Ids of tasks whose provider tells of changes (Answers::task_changed) start so; those of third-party servers are asked for.
inline constexpr std::string_view own_task_start = "task-";

class Provider {
 public:
  virtual ~Provider() = default;
  virtual Offer offer() const = 0;
  /// Whether this call is for this provider: by tool or prompt name, URI, completion reference or task id. Asked in the order of
  /// providers; the first that says yes gets the call.
  virtual bool takes(const mcp::Call& call) const = 0;
  /// Answer with Answers, now or later, once. The views of `call` live as long as this runs.
  virtual void on_call(const CallKey& key, const mcp::Call& call) = 0;
  /// Nobody waits any more: stop the work. No answer is sent.
  virtual void on_cancel(const CallKey& key) = 0;
  /// The first watcher of a URI over all streams came, or the last one left. Told to every provider.
  virtual void on_watch(std::string_view uri, bool is_watched) = 0;
};

/// The way back. All return false when the call is over, which is normal; the answer is dropped.
class Answers {
 public:
  virtual ~Answers() = default;
  virtual bool reply(const CallKey& key, std::string_view result_json) = 0;
  /// As Server::reply_own(): what we wrote ourselves is not read again.
  virtual bool reply_own(const CallKey& key, std::string_view result_json) = 0;
  virtual bool fail(const CallKey& key, const mcp::RpcError& error) = 0;
  virtual bool fail_not_found(const CallKey& key, std::string_view what) = 0;
  /// As Server::fail_missing().
  virtual bool fail_missing(const CallKey& key, std::string_view why, std::string_view capabilities_json) = 0;
  virtual bool ask(const CallKey& key, const mcp::Question& question) = 0;
  virtual bool reply_task(const CallKey& key, const mcp::Task& task) = 0;
  virtual bool progress(const CallKey& key, const mcp::Progress& progress) = 0;
  virtual bool log(const CallKey& key, mcp::Severity severity, std::string_view logger, std::string_view data_json) = 0;

  /// offer() gives something else now. Cheap to call often: changes are joined before anybody is told.
  virtual void offer_changed() = 0;
  virtual void resource_updated(std::string_view uri) = 0;
  virtual void task_changed(const mcp::Task& task) = 0;
};

}  // namespace tideline::agent
