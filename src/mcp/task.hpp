// A call that outlives its request, as the extension io.modelcontextprotocol/tasks shows it. Plain value; the ledger that keeps tasks
// belongs to the program. An id is durable before it is shown, cannot be guessed, and is checked against the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace tideline::mcp {

enum class TaskStatus : uint8_t { working, input_required, completed, failed, cancelled };
std::string_view task_status_text(TaskStatus status);

struct Task {
  std::string id{};
  TaskStatus status = TaskStatus::working;
  std::string status_message{};
  UtcNanos created_at{};
  UtcNanos updated_at{};
  std::optional<int64_t> ttl_ms{};  ///< from creation; absent: kept without end
  int64_t poll_interval_ms = 2000;
  std::string result_json{};          ///< completed: the tools/call result, also when it says isError
  std::string error_json{};           ///< failed: the JSON-RPC error
  std::string input_requests_json{};  ///< input_required
};

/// The answer of tools/call that made the task: flat, resultType "task", nothing inlined.
std::string task_created(const Task& task);
/// The answer of tasks/get: the same, complete, with what the status inlines.
std::string task_state(const Task& task);
/// The members of task_state() without resultType, for notifications/tasks; without braces.
std::string task_members(const Task& task);

}  // namespace tideline::mcp
