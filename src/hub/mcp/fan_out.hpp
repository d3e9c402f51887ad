// One tool call on many devices: some at a time, each with its own result, and an answer when all have answered or the time is over.
// What is missing then is named, never left out in silence.
//
// Owned by McpService. Thread: loop. Memory only. Bounds: limits::hub_fan_out devices, hub_fan_out_at_once under way,
// hub_fan_out_deadline; results are kept as they came, at most limits::mcp_line_bytes together.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/mcp/conversation.hpp"
#include "hub/mcp/device_calls.hpp"

namespace tideline::hub {

class FanOuts final : private DeviceCalls::Caller {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    virtual void on_fan_out_progress(const CallRef& ref, size_t done, size_t total) = 0;
    virtual void on_fan_out_done(const CallRef& ref, const std::string& result_json) = 0;
  };
  /// One device to ask; with a problem it is not asked but reported ("offline since ...").
  struct Member {
    DeviceKey device = 0;
    std::string id;
    std::string status;   ///< "" to ask it; else its word for people and programs: "offline", "unsupported"
    std::string problem;
  };
  FanOuts(Host& host, DeviceCalls& calls) : host_(host), calls_(calls) {}

  /// `members_json` of params as in DeviceRequest.
  void start(const CallRef& ref, std::vector<Member> members, std::string members_json, std::string meta, std::string principal, Instant now);
  void cancel(const CallRef& ref);
  void on_tick(Instant now);

 private:
  struct Job {
    std::vector<Member> members;
    std::vector<std::string> results;  ///< of each member, raw; empty while it has none
    size_t next = 0;
    size_t under_way = 0;
    size_t done = 0;
    size_t ok = 0;
    size_t bytes = 0;
    std::string members_json;
    std::string meta;
    std::string principal;
    Instant deadline = never;
  };
  struct Place {
    CallRef ref;
    size_t index = 0;
  };

  void on_call_message(CallId, mcp::Method, mcp::Slice) override {}
  void on_call_end(CallId call, const CallOutcome& outcome) override;
  void go_on(const CallRef& ref, Job& job, Instant now);
  void finish(const CallRef& ref);
  void drop_calls(const CallRef& ref);

  Host& host_;
  DeviceCalls& calls_;
  std::map<CallRef, Job> jobs_;
  std::unordered_map<CallId, Place> places_;
};

}  // namespace tideline::hub
