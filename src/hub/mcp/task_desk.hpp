// Calls for devices that are away, as clients meet them: a task for those who know tasks, else a text that names the choice.
//
// Owned by McpService. Thread: loop. Memory only; tasks are TaskBook's.
#pragma once

#include "hub/mcp/catalogs.hpp"
#include "hub/mcp/router.hpp"
#include "hub/mcp/task_book.hpp"

namespace tideline::hub {

class TaskDesk {
 public:
  TaskDesk(Router& router, TaskBook& book, const Catalogs& catalogs, const Registry& registry)
      : router_(router), book_(book), catalogs_(catalogs), registry_(registry) {}

  void on_offline_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call, const Target& device, const RelayChange& change);
  /// queue_call, queued_calls and cancel_queued_call, for clients that do not know tasks. False when the tool is another one.
  bool on_tool(const CallRef& ref, const Conversation& conversation, const mcp::Call& call);
  /// tasks/get, tasks/update, tasks/cancel of our own.
  void on_task_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call);

 private:
  void queue_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call);
  void queued_calls(const CallRef& ref, const Conversation& conversation, const mcp::Call& call);
  void cancel_queued_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call);

  Router& router_;
  TaskBook& book_;
  const Catalogs& catalogs_;
  const Registry& registry_;
};

/// The tools of on_tool().
std::vector<mcp::Tool> queue_tools();

/// A call to be kept for a device. `arguments_json` is raw or empty.
TaskRecord make_task(const std::string& principal, const std::string& device, const mcp::Tool& tool, std::string arguments_json, std::string meta_json);

}  // namespace tideline::hub
