#include "hub/mcp/task_book.hpp"

#include <algorithm>

#include "clock.hpp"
#include "mcp/error_code.hpp"
#include "mcp/json_write.hpp"
#include "mcp/result_shape.hpp"

namespace tideline::hub {
namespace {

constexpr const char* area = "tasks";
constexpr size_t sent_at_once = 8;  // to one device: calls of people waiting have room beside them
constexpr Duration sweep_interval = seconds(60);
// Outside the range that JSON-RPC reserves (specification, error object).
constexpr int code_unknown = 1001;
constexpr int code_expired = 1002;

std::string error_json(int code, std::string_view text) {
  std::string out;
  mcp::ObjectWriter(out).integer("code", code).text("message", text).end();
  return out;
}

/// Loads a record that may be worked on, changes it, keeps it: in one job, so that two decisions cannot cross.
Result<TaskRecord> change_record(Archive& archive, const std::string& id, const std::function<bool(TaskRecord&)>& change) {
  ASSIGN_OR_RETURN(TaskRecord record, archive.task(id));
  if (!change(record)) return record;
  record.updated_ns = platform::wall_clock().nanos;
  RETURN_IF_ERROR(archive.put_task(record));
  return record;
}

}  // namespace

mcp::Task shown_task(const TaskRecord& record) {
  mcp::Task task;
  task.id = record.id;
  task.status_message = record.status_message;
  task.created_at = UtcNanos{record.created_ns};
  task.updated_at = UtcNanos{record.updated_ns};
  task.ttl_ms = (record.keep_until_ns - record.created_ns) / 1'000'000;
  switch (record.state) {
    case TaskState::queued: task.poll_interval_ms = 5000; break;
    case TaskState::sent: task.poll_interval_ms = 1000; break;
    case TaskState::done:
      task.status = mcp::TaskStatus::completed;
      task.result_json = record.result_json;
      break;
    case TaskState::cancelled: task.status = mcp::TaskStatus::cancelled; break;
    case TaskState::failed:
    case TaskState::expired:
    case TaskState::unknown:
      task.status = mcp::TaskStatus::failed;
      task.error_json = record.error_json;
      break;
  }
  return task;
}

void TaskBook::load(const std::vector<TaskRecord>& open) {
  for (const TaskRecord& record : open) {
    open_[record.id] = {record.device, record.expires_ns, 0, false};
    by_device_[record.device].insert(record.id);
  }
  if (!open.empty()) log_info(log_, area, "%zu calls wait for their devices", open.size());
}

void TaskBook::add(TaskRecord record, std::function<void(Result<TaskRecord>)> then) {
  if (open_.size() >= limits::hub_tasks_loaded || by_device_[record.device].size() >= limits::hub_tasks_per_device) {
    return then(Error{ErrorCode::limit, 0, "as many calls wait for this device as the hub keeps"});
  }
  const std::string id = record.id;
  const std::string device = record.device;
  open_[id] = {device, record.expires_ns, 0, true};
  by_device_[device].insert(id);
  desk_.fetch<TaskRecord>(
      [record = std::move(record)](Archive& archive) -> Result<TaskRecord> {
        RETURN_IF_ERROR(archive.put_task(record));
        return record;
      },
      [this, id, device, then = std::move(then)](Result<TaskRecord> kept) {
        if (kept) {
          open_[id].is_starting = false;
        } else {
          open_.erase(id);
          by_device_[device].erase(id);
        }
        then(kept);
        if (kept) start_some(device);  // it may have come back meanwhile
      });
}

void TaskBook::find(const std::string& id, const std::string& principal, std::function<void(Result<TaskRecord>)> then) {
  desk_.fetch<TaskRecord>(
      [id, principal](Archive& archive) -> Result<TaskRecord> {
        ASSIGN_OR_RETURN(TaskRecord record, archive.task(id));
        if (record.principal != principal) return Error{ErrorCode::not_found, 0, "task"};
        return record;
      },
      std::move(then));
}

void TaskBook::list(const std::string& principal, std::function<void(Result<std::vector<TaskRecord>>)> then) {
  desk_.fetch<std::vector<TaskRecord>>([principal](Archive& archive) { return archive.tasks_of(principal, 100); }, std::move(then));
}

void TaskBook::cancel(const std::string& id, const std::string& principal, std::function<void(Result<TaskRecord>)> then) {
  desk_.fetch<TaskRecord>(
      [id, principal](Archive& archive) -> Result<TaskRecord> {
        ASSIGN_OR_RETURN(const TaskRecord known, archive.task(id));
        if (known.principal != principal) return Error{ErrorCode::not_found, 0, "task"};
        return change_record(archive, id, [](TaskRecord& record) {
          if (!is_open(record.state)) return false;
          record.status_message = record.state == TaskState::sent ? "cancelled after it was sent to the device: it may have run" : "cancelled before it was sent";
          record.state = TaskState::cancelled;
          return true;
        });
      },
      [this, id, then = std::move(then)](Result<TaskRecord> record) {
        const auto found = open_.find(id);
        if (record && found != open_.end()) {
          if (found->second.call != 0) {
            by_call_.erase(found->second.call);
            calls_.cancel(found->second.call);
          }
          by_device_[found->second.device].erase(id);
          open_.erase(found);
          listener_.on_task_changed(*record);
        }
        then(std::move(record));
      });
}

void TaskBook::note(const std::string& id, std::string message, std::string state_json) {
  desk_.fetch<TaskRecord>(
      [id, message = std::move(message), state_json = std::move(state_json)](Archive& archive) {
        return change_record(archive, id, [&](TaskRecord& record) {
          if (!is_open(record.state)) return false;
          record.status_message = message;
          record.meta_json = state_json;
          return true;
        });
      },
      [this, id](Result<TaskRecord> record) {
        if (!record) return log_warning(log_, area, "task %s: %s", id.c_str(), record.error().context);
        listener_.on_task_changed(*record);
      });
}

void TaskBook::give_up(const std::string& id, const std::string& why) { end(id, TaskState::unknown, why, "", error_json(code_unknown, why)); }

// ---- Sending

void TaskBook::on_device_up(DeviceKey, const std::string& device_id, const std::string& epoch) {
  epochs_[device_id] = epoch;
  start_some(device_id);
}

void TaskBook::on_device_down(DeviceKey device) {
  if (const DeviceEntry* entry = registry_.find(device)) epochs_.erase(entry->record.id);
}

void TaskBook::start_some(const std::string& device) {
  const auto epoch = epochs_.find(device);
  const auto waiting = by_device_.find(device);
  if (epoch == epochs_.end() || waiting == by_device_.end()) return;
  size_t at_work = 0;
  std::vector<std::string> chosen;
  for (const std::string& id : waiting->second) {
    const Open& open = open_[id];
    if (open.call != 0 || open.is_starting) ++at_work;
    else chosen.push_back(id);
  }
  for (const std::string& id : chosen) {
    if (at_work++ >= sent_at_once) return;
    begin(id, epoch->second);
  }
}

/// Marks it as sent before it is sent: after a crash in between nobody can know, and the device's ledger decides.
void TaskBook::begin(const std::string& id, const std::string& epoch) {
  open_[id].is_starting = true;
  desk_.fetch<TaskRecord>(
      [id, epoch](Archive& archive) {
        return change_record(archive, id, [&epoch](TaskRecord& record) {
          if (record.state == TaskState::sent && record.sent_epoch != epoch && !record.is_idempotent) {
            record.state = TaskState::unknown;
            record.status_message = "the device's store was replaced after the call was sent: whether it ran is not known";
            record.error_json = error_json(code_unknown, record.status_message);
            return true;
          }
          if (!is_open(record.state) || (record.state == TaskState::sent && record.sent_epoch == epoch)) return false;
          record.state = TaskState::sent;
          record.sent_epoch = epoch;
          record.status_message = "sent to the device";
          return true;
        });
      },
      [this, id](Result<TaskRecord> record) {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        found->second.is_starting = false;
        if (!record) return log_warning(log_, area, "task %s: %s", id.c_str(), record.error().context);  // tried again when the device comes, or at a tick
        if (record->state == TaskState::sent) return send(*record);
        by_device_[found->second.device].erase(id);
        open_.erase(found);
        listener_.on_task_changed(*record);
      });
}

void TaskBook::send(const TaskRecord& record) {
  const DeviceEntry* entry = registry_.find(record.device);
  if (entry == nullptr || !entry->presence.is_online) return;
  std::string members;
  mcp::ObjectWriter writer(members);
  writer.text("name", record.tool);
  if (!record.arguments_json.empty()) writer.raw("arguments", record.arguments_json);
  DeviceRequest request;
  request.device = entry->record.key;
  request.members = std::string_view(members).substr(1);
  request.meta = record.meta_json;
  request.principal = record.principal;
  request.task = record.id;
  const Duration left = UtcNanos{record.expires_ns} - platform::wall_clock();
  request.deadline = std::max(left, limits::hub_call_deadline);
  request.last_deadline = request.deadline;
  const Result<CallId> started = calls_.start(request, static_cast<DeviceCalls::Caller&>(*this), platform::now());
  if (!started) return;  // busy or gone: at the next tick or contact
  open_[record.id].call = *started;
  by_call_[*started] = record.id;
}

void TaskBook::on_call_end(CallId call, const CallOutcome& outcome) {
  const auto found = by_call_.find(call);
  if (found == by_call_.end()) return;
  const std::string id = found->second;
  by_call_.erase(found);
  const auto open = open_.find(id);
  if (open == open_.end()) return;
  open->second.call = 0;
  if (outcome.failure == CallFailure::device_gone || outcome.failure == CallFailure::timed_out) return;  // its ledger knows when it is back
  open->second.is_starting = true;  // nobody else works on it
  if (outcome.failure) return end(id, TaskState::failed, call_failure_text(*outcome.failure), "", error_json(code_unknown, call_failure_text(*outcome.failure)));
  if (outcome.error.is_present()) {
    const bool is_unknown = mcp::find_member(outcome.error, "code").integer() == code_unknown;
    return end(id, is_unknown ? TaskState::unknown : TaskState::failed, mcp::find_member(outcome.error, "message").text(), "", std::string(outcome.error.raw()));
  }
  if (mcp::result_type(outcome.result) != mcp::ResultType::complete) {
    const char* why = "the tool asks for input, which nobody can give to a call that was queued";
    return end(id, TaskState::failed, why, "", error_json(static_cast<int>(mcp::RpcCode::internal_error), why));
  }
  end(id, TaskState::done, "", std::string(outcome.result.raw()), "");
}

void TaskBook::end(const std::string& id, TaskState state, std::string message, std::string result, std::string error) {
  desk_.fetch<TaskRecord>(
      [id, state, message = std::move(message), result = std::move(result), error = std::move(error)](Archive& archive) {
        return change_record(archive, id, [&](TaskRecord& record) {
          if (!is_open(record.state)) return false;
          record.state = state;
          record.status_message = message;
          record.result_json = result;
          record.error_json = error;
          return true;
        });
      },
      [this, id](Result<TaskRecord> record) {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        found->second.is_starting = false;
        // Not kept: it stays open, and the device's ledger answers again.
        if (!record) return log_error(log_, area, "the result of task %s was not kept: %s", id.c_str(), record.error().context);
        const std::string device = found->second.device;
        by_device_[device].erase(id);
        open_.erase(found);
        listener_.on_task_changed(*record);
        start_some(device);
      });
}

void TaskBook::on_tick(Instant now, UtcNanos wall) {
  std::vector<std::string> late;
  for (const auto& [id, open] : open_) {
    if (open.expires_ns <= wall.nanos && open.call == 0 && !open.is_starting) late.push_back(id);
  }
  for (const std::string& id : late) {
    open_[id].is_starting = true;
    desk_.fetch<TaskRecord>(
        [id](Archive& archive) {
          return change_record(archive, id, [](TaskRecord& record) {
            if (!is_open(record.state)) return false;
            const bool was_sent = record.state == TaskState::sent;
            record.state = was_sent ? TaskState::unknown : TaskState::expired;
            record.status_message = was_sent ? "the device did not come back after the call was sent: whether it ran is not known" : "the device did not come in time; the call was not sent";
            record.error_json = error_json(was_sent ? code_unknown : code_expired, record.status_message);
            return true;
          });
        },
        [this, id](Result<TaskRecord> record) {
          const auto found = open_.find(id);
          if (found == open_.end()) return;
          found->second.is_starting = false;
          if (!record) return;
          by_device_[found->second.device].erase(id);
          open_.erase(found);
          listener_.on_task_changed(*record);
        });
  }
  for (const auto& [device, epoch] : epochs_) {
    const auto waiting = by_device_.find(device);
    if (waiting != by_device_.end() && !waiting->second.empty()) start_some(device);
  }
  if (now - swept_ < sweep_interval) return;
  swept_ = now;
  std::erase_if(by_device_, [](const auto& entry) { return entry.second.empty(); });
  desk_.fetch<bool>(
      [wall](Archive& archive) -> Result<bool> {
        ASSIGN_OR_RETURN(const size_t dropped, archive.drop_tasks(wall.nanos));
        return dropped > 0;
      },
      [](Result<bool>) {});
}

}  // namespace tideline::hub
