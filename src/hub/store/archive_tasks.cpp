#include "hub/store/archive_tasks.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

/// In the order of read().
const std::string task_columns =
    "id, principal, device, tool, arguments, meta, capabilities, state, sent_epoch, status_message, result, error, is_idempotent, "
    "created_ns, updated_ns, expires_ns, keep_until_ns";

int64_t bytes_of(const TaskRecord& task) {
  size_t sum = 0;
  for (const std::string* text : {&task.id, &task.principal, &task.device, &task.tool, &task.arguments_json, &task.meta_json, &task.capabilities_json,
                                  &task.sent_epoch, &task.status_message, &task.result_json, &task.error_json}) {
    sum += text->size();
  }
  return static_cast<int64_t>(sum);
}

}  // namespace

Status ArchiveTasks::open() {
  const std::string put =
      "INSERT INTO task(" + task_columns + ", bytes) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(id) DO UPDATE SET principal = excluded.principal, device = excluded.device, tool = excluded.tool, arguments = excluded.arguments, "
      "meta = excluded.meta, capabilities = excluded.capabilities, state = excluded.state, sent_epoch = excluded.sent_epoch, "
      "status_message = excluded.status_message, result = excluded.result, error = excluded.error, is_idempotent = excluded.is_idempotent, "
      "created_ns = excluded.created_ns, updated_ns = excluded.updated_ns, expires_ns = excluded.expires_ns, "
      "keep_until_ns = excluded.keep_until_ns, bytes = excluded.bytes";
  const std::string select = "SELECT " + task_columns + " FROM task ";
  return prepare_all(
      database_,
      {
          // index: primary key
          {put_, put.c_str()},
          {select_, (select + "WHERE id = ?").c_str()},
          {select_bytes_, "SELECT bytes FROM task WHERE id = ?"},
          // all of index task_keep: at most limits::hub_tasks_loaded entries
          {select_sum_, "SELECT count(*), coalesce(sum(bytes), 0) FROM task"},
          // index: task_open
          {count_open_, "SELECT count(*) FROM task WHERE device = ? AND principal = ? AND state < 2 AND id <> ?"},
          {select_open_, (select + "WHERE state < 2 ORDER BY created_ns, id").c_str()},
          // index: task_principal
          {select_of_, (select + "WHERE principal = ? ORDER BY created_ns DESC, id LIMIT ?").c_str()},
          // index: task_keep
          {drop_, "DELETE FROM task WHERE id IN (SELECT id FROM task WHERE keep_until_ns <= ? AND state >= 2 ORDER BY keep_until_ns LIMIT ?)"},
      });
}

Status ArchiveTasks::put(const TaskRecord& task) {
  const int64_t bytes = bytes_of(task);
  if (task.id.empty()) return Error{ErrorCode::invalid, 0, "a task without an id"};
  if (bytes > static_cast<int64_t>(limits::hub_task_bytes)) return Error{ErrorCode::limit, 0, "the call or its result is larger than the hub keeps of one task"};
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  ASSIGN_OR_RETURN(const Known before, known(task.id));
  RETURN_IF_ERROR(check_room(task, before, bytes));
  put_.bind(1, task.id).bind(2, task.principal).bind(3, task.device).bind(4, task.tool).bind(5, task.arguments_json).bind(6, task.meta_json);
  put_.bind(7, task.capabilities_json).bind(8, static_cast<int64_t>(task.state)).bind(9, task.sent_epoch).bind(10, task.status_message);
  put_.bind(11, task.result_json).bind(12, task.error_json).bind(13, int64_t{task.is_idempotent}).bind(14, task.created_ns).bind(15, task.updated_ns);
  RETURN_IF_ERROR(put_.bind(16, task.expires_ns).bind(17, task.keep_until_ns).bind(18, bytes).run());
  return transaction.commit();
}

Result<ArchiveTasks::Known> ArchiveTasks::known(const std::string& id) {
  select_bytes_.bind(1, id);
  Rows rows(select_bytes_);
  ASSIGN_OR_RETURN(const bool row, rows.next());
  return row ? Known{true, select_bytes_.integer(0)} : Known{};
}

/// A task that is there may always change its state; only what is new or grows needs room.
Status ArchiveTasks::check_room(const TaskRecord& task, const Known& before, int64_t bytes) {
  if (before.exists && bytes <= before.bytes) return {};
  {
    Rows rows(select_sum_);
    ASSIGN_OR_RETURN(const bool row, rows.next());
    if (row && !before.exists && select_sum_.integer(0) >= static_cast<int64_t>(limits::hub_tasks_loaded)) {
      return Error{ErrorCode::full, 0, "the hub keeps 10000 tasks already; results are kept for a time after the end"};
    }
    // Small ones go in even then: a refusal to note that a call was sent would be worse.
    const bool is_large = bytes - before.bytes > static_cast<int64_t>(limits::hub_task_small_bytes);
    if (row && is_large && select_sum_.integer(1) - before.bytes + bytes > static_cast<int64_t>(limits::hub_tasks_bytes)) {
      return Error{ErrorCode::full, 0, "the hub keeps no more results; they are dropped some time after the end of their tasks"};
    }
  }
  if (before.exists || !is_open(task.state)) return {};
  count_open_.bind(1, task.device).bind(2, task.principal).bind(3, task.id);
  Rows rows(count_open_);
  ASSIGN_OR_RETURN(const bool row, rows.next());
  if (row && count_open_.integer(0) >= static_cast<int64_t>(limits::hub_tasks_per_device)) {
    return Error{ErrorCode::full, 0, "64 calls of this caller wait for this device already"};
  }
  return {};
}

Result<TaskRecord> ArchiveTasks::find(const std::string& id) {
  select_.bind(1, id);
  ASSIGN_OR_RETURN(std::vector<TaskRecord> found, read(select_));
  if (found.empty()) return Error{ErrorCode::not_found, 0, "task"};
  return std::move(found.front());
}

Result<std::vector<TaskRecord>> ArchiveTasks::open_tasks() { return read(select_open_); }

Result<std::vector<TaskRecord>> ArchiveTasks::of_principal(const std::string& principal, size_t limit) {
  select_of_.bind(1, principal).bind(2, static_cast<int64_t>(std::min(limit, limits::hub_tasks_loaded)));
  return read(select_of_);
}

Result<size_t> ArchiveTasks::drop(int64_t now_ns) {
  RETURN_IF_ERROR(drop_.bind(1, now_ns).bind(2, static_cast<int64_t>(limits::hub_tasks_slice)).run());
  return static_cast<size_t>(database_.changes());
}

Result<std::vector<TaskRecord>> ArchiveTasks::read(sqlite::Statement& select) {
  std::vector<TaskRecord> tasks;
  Rows rows(select);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return tasks;
    const int64_t state = select.integer(7);
    if (state < 0 || state > static_cast<int64_t>(TaskState::unknown)) return Error{ErrorCode::corrupt, 0, "state of a task"};
    TaskRecord& task = tasks.emplace_back();
    std::string* const texts[] = {&task.id, &task.principal, &task.device, &task.tool, &task.arguments_json, &task.meta_json, &task.capabilities_json};
    for (int i = 0; i < 7; ++i) *texts[i] = select.text(i);
    task.state = static_cast<TaskState>(state);
    task.sent_epoch = select.text(8);
    task.status_message = select.text(9);
    task.result_json = select.text(10);
    task.error_json = select.text(11);
    task.is_idempotent = select.integer(12) != 0;
    task.created_ns = select.integer(13);
    task.updated_ns = select.integer(14);
    task.expires_ns = select.integer(15);
    task.keep_until_ns = select.integer(16);
  }
}

}  // namespace tideline::hub
