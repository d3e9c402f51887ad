// Tasks: calls that wait for their device and results that wait for their caller, one row each.
//
// Part of SqliteArchive. Thread: store. Each put is one transaction, durable on return. Bounds: limits::{hub_tasks_loaded,
// hub_tasks_per_device, hub_task_bytes, hub_tasks_bytes}.
#pragma once

#include <string>
#include <vector>

#include "hub/store/archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

class ArchiveTasks {
 public:
  explicit ArchiveTasks(sqlite::Database& database) : database_(database) {}
  Status open();

  Status put(const TaskRecord& task);
  Result<TaskRecord> find(const std::string& id);
  Result<std::vector<TaskRecord>> open_tasks();
  Result<std::vector<TaskRecord>> of_principal(const std::string& principal, size_t limit);
  Result<size_t> drop(int64_t now_ns);

 private:
  struct Known {
    bool exists = false;
    int64_t bytes = 0;
  };
  Result<Known> known(const std::string& id);
  Status check_room(const TaskRecord& task, const Known& before, int64_t bytes);
  Result<std::vector<TaskRecord>> read(sqlite::Statement& select);

  sqlite::Database& database_;
  sqlite::Statement put_;
  sqlite::Statement select_;
  sqlite::Statement select_bytes_;
  sqlite::Statement select_sum_;
  sqlite::Statement count_open_;
  sqlite::Statement select_open_;
  sqlite::Statement select_of_;
  sqlite::Statement drop_;
};

}  // namespace tideline::hub
