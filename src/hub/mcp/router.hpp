// Where a client's call goes: to the device that the endpoint or an argument names, to the hub's own fleet tools, or into the book of tasks
// when the device is away. Every call ends with an answer and a line of the audit.
//
// Owned by McpService. Thread: loop. Memory only (tasks are TaskBook's). Bounds: those of conversations and DeviceCalls.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "hub/fleet/registry.hpp"
#include "hub/mcp/audit.hpp"
#include "hub/mcp/conversation.hpp"
#include "hub/mcp/device_calls.hpp"
#include "hub/mcp/relay.hpp"

namespace tideline::hub {

/// Begins the ids of tasks that this hub keeps; others are a device's.
inline constexpr std::string_view own_task = "t.";

class Router final : private DeviceCalls::Caller {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    virtual Conversation* find_conversation(uint64_t id) = 0;
    /// A call at the fleet's endpoint, or one that a device cannot be asked: answer with reply(), fail() or refuse(), or relay() it.
    virtual void on_fleet_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call) = 0;
    virtual void on_offline_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call, const Target& device, const RelayChange& change) = 0;
    /// About a task of the hub's own book.
    virtual void on_task_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call) = 0;
    virtual void on_call_cancelled(const CallRef& ref) = 0;
    virtual void on_audit() = 0;
  };
  Router(Host& host, DeviceCalls& calls, const Registry& registry, Audit& audit) : host_(host), calls_(calls), registry_(registry), audit_(audit) {}

  void on_call(Conversation& conversation, const mcp::Call& call, Instant now);
  void on_cancel(const CallRef& ref, Instant now);

  /// Which device the call is about, for the audit.
  void about(const CallRef& ref, const std::string& device);
  /// Passes the call on to a device.
  void relay(const CallRef& ref, const mcp::Call& call, const Target& device, const RelayChange& change, Instant now);
  // Answers; each ends the call unless the result asks for input. A call that is over is ignored.
  void reply(const CallRef& ref, std::string_view result_json, std::string_view outcome, Instant now);
  /// For what the hub wrote itself, as mcp::append_own_result() takes it: complete, and sent without being read again.
  void reply_own(const CallRef& ref, std::string_view result_json, std::string_view outcome, Instant now);
  void reply_task(const CallRef& ref, const mcp::Task& task, Instant now);
  void fail(const CallRef& ref, const mcp::RpcError& error, Instant now);
  void fail_not_found(const CallRef& ref, std::string_view what, Instant now);
  /// For reasons of ours: of a tool a result that a model can read, else an error.
  void refuse(const CallRef& ref, const std::string& text, Instant now);
  void progress(const CallRef& ref, const mcp::Progress& progress, Instant now);
  bool is_open(const CallRef& ref) const { return running_.count(ref) != 0; }
  size_t open() const { return running_.size(); }

 private:
  struct Running {
    CallId device_call = 0;  ///< 0: not at a device
    mcp::Method method = mcp::Method::unknown;
    mcp::Revision revision = mcp::newest_modern;
    std::string task_prefix;
    AuditEntry audit;
  };

  void on_call_message(CallId call, mcp::Method method, mcp::Slice params) override;
  void on_call_end(CallId call, const CallOutcome& outcome) override;
  mcp::Server* server_of(const CallRef& ref);
  void finish(const CallRef& ref, std::string_view outcome, Instant now);

  Host& host_;
  DeviceCalls& calls_;
  const Registry& registry_;
  Audit& audit_;
  std::map<CallRef, Running> running_;
  std::unordered_map<CallId, CallRef> by_call_;
};

/// "offline since 2026-11-21T06:00:00Z (15m ago)", or "has never been online".
std::string absence_text(const DeviceEntry& entry, UtcNanos now);

}  // namespace tideline::hub
