// Where a client's call goes: to the device that the endpoint or an argument names, to the hub's own fleet tools, or into the book of tasks
// when the device is away. Every call ends with an answer and a line of the audit.
//
// Owned by McpService. Thread: loop. Memory only (tasks are TaskBook's). Bounds: those of conversations and DeviceCalls.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "base/log.hpp"
#include "hub/fleet/registry.hpp"
#include "hub/mcp/audit.hpp"
#include "hub/mcp/catalogs.hpp"
#include "hub/mcp/conversation.hpp"
#include "hub/mcp/device_calls.hpp"
#include "hub/mcp/relay.hpp"

namespace tideline::hub {

/// Finds the server that waits for an answer.
class Conversations {
 public:
  virtual ~Conversations() = default;
  virtual Conversation* find(uint64_t conversation) = 0;
};

class Router final : private DeviceCalls::Caller {
 public:
  Router(Conversations& conversations, DeviceCalls& calls, const Registry& registry, Audit& audit) 
      : conversations_(conversations), calls_(calls), registry_(registry), audit_(audit) {}

  void on_call(Conversation& conversation, const mcp::Call& call, Instant now);
  void on_cancel(const CallRef& ref);

 private:
  struct Running {
    CallId device_call = 0;
    DeviceKey device = 0;
    mcp::Method method = mcp::Method::unknown;
    AuditEntry audit;
  };

  void to_device(const CallRef& ref, Running& running, const mcp::Call& call, const Target& target, const RelayChange& change, Instant now);
  void on_call_message(CallId call, mcp::Method method, mcp::Slice params) override;
  void on_call_end(CallId call, const CallOutcome& outcome) override;

  Conversations& conversations_;
  DeviceCalls& calls_;
  const Registry& registry_;
  Audit& audit_;
  std::map<CallRef, Running> running_;
  std::unordered_map<CallId, CallRef> by_call_;
};

}  // namespace tideline::hub
