// MCP requests on their way to devices: numbered, cut into pieces, answered or given up. The hub is the client here, the device
// answers in the newest revision.
//
// Owned by McpService. Thread: loop. Memory only. Bounds: limits::hub_calls_per_device, hub_calls, hub_reply_bytes; every call ends by an
// answer, its deadline, cancel() or the loss of the link. Callers may start and cancel calls from their events.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "hub/store/archive.hpp"
#include "link/message.hpp"
#include "mcp/method.hpp"
#include "mcp/json_slice.hpp"

namespace tideline::hub {

using CallId = uint64_t;

/// What to ask a device for. Views live as long as start() runs.
struct DeviceRequest {
  DeviceKey device = 0;
  mcp::Method method = mcp::Method::call_tool;
  std::string_view members{};            ///< of params, raw, without braces and without _meta
  std::string_view meta{};               ///< of params._meta, raw members to pass on
  std::string_view capabilities_json = "{}";
  bool wants_progress = false;
  std::string_view log_level{};          ///< "" for none
  std::string_view principal{};
  std::string_view task{};
  Duration deadline = limits::hub_call_deadline;  ///< starts again with every message of the call
  Duration last_deadline = limits::mcp_call_timeout;  ///< does not; 0: none (listens)
};

enum class CallFailure : uint8_t { device_gone, timed_out, too_long, malformed };
const char* call_failure_text(CallFailure failure);

/// How a call ended. Exactly one of the three is given.
struct CallOutcome {
  mcp::Slice result;
  mcp::Slice error;
  std::optional<CallFailure> failure;
};

class DeviceCalls {
 public:
  /// The way to the devices.
  class Links {
   public:
    virtual ~Links() = default;
    virtual size_t call_room(DeviceKey device) = 0;
    virtual Status send(DeviceKey device, const link::CallFrame& frame) = 0;
    virtual Status send(DeviceKey device, const link::CancelFrame& frame) = 0;
  };
  /// Who hears of a call; outlives it, or cancels it.
  class Caller {
   public:
    virtual ~Caller() = default;
    /// A notification that came with the call.
    virtual void on_call_message(CallId call, mcp::Method method, mcp::Slice params) = 0;
    /// The last event of a call.
    virtual void on_call_end(CallId call, const CallOutcome& outcome) = 0;
  };

  DeviceCalls(Links& links, std::string name, std::string version)
      : links_(links), name_(std::move(name)), version_(std::move(version)) {}

  /// Errors: closed (device not online), full (it is busy or does not read), limit (the request is too long).
  Result<CallId> start(const DeviceRequest& request, Caller& caller, Instant now);
  /// No event comes for it any more.
  void cancel(CallId call);

  void on_reply(DeviceKey device, const link::ReplyFrame& frame, Instant now);
  void on_device_down(DeviceKey device);
  void on_tick(Instant now);

  size_t under_way() const { return calls_.size(); }
  size_t under_way(DeviceKey device) const;

 private:
  struct Call {
    DeviceKey device = 0;
    Caller* caller = nullptr;
    std::string text;                ///< of the message that is coming in
    Instant deadline = never;
    Instant last_deadline = never;
    Duration patience;
  };

  std::string request_line(CallId call, const DeviceRequest& request) const;
  void on_message(CallId call, std::string text, bool is_answer);
  void end(CallId call, CallFailure failure, bool tell_device);
  void forget(std::map<CallId, Call>::iterator call);

  Links& links_;
  std::string name_;
  std::string version_;
  std::map<CallId, Call> calls_;
  std::unordered_map<DeviceKey, size_t> by_device_;
  size_t held_bytes_ = 0;
  CallId last_ = 0;
};

}  // namespace tideline::hub
