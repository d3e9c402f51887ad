#include "mcp/task.hpp"

#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

std::string flat(const Task& task, bool inlines) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("taskId", task.id).text("status", task_status_text(task.status));
  if (!task.status_message.empty()) writer.text("statusMessage", task.status_message);
  writer.text("createdAt", format_utc(task.created_at)).text("lastUpdatedAt", format_utc(task.updated_at));
  writer.raw("ttlMs", task.ttl_ms ? std::to_string(*task.ttl_ms) : "null").integer("pollIntervalMs", task.poll_interval_ms);
  if (inlines && task.status == TaskStatus::completed && !task.result_json.empty()) writer.raw("result", task.result_json);
  if (inlines && task.status == TaskStatus::failed && !task.error_json.empty()) writer.raw("error", task.error_json);
  if (inlines && task.status == TaskStatus::input_required && !task.input_requests_json.empty()) writer.raw("inputRequests", task.input_requests_json);
  return out.substr(1);
}

}  // namespace

std::string_view task_status_text(TaskStatus status) {
  switch (status) {
    case TaskStatus::working: return "working";
    case TaskStatus::input_required: return "input_required";
    case TaskStatus::completed: return "completed";
    case TaskStatus::failed: return "failed";
    case TaskStatus::cancelled: return "cancelled";
  }
  return "";
}

std::string task_created(const Task& task) { return R"({"resultType":"task",)" + flat(task, false) + "}"; }

std::string task_state(const Task& task) { return R"({"resultType":"complete",)" + flat(task, true) + "}"; }

std::string task_members(const Task& task) { return flat(task, true); }

}  // namespace tideline::mcp
