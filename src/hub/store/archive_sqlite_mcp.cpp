// The embedded archive: what it keeps for the MCP side. Each call goes to its part; a failure of the disk makes the archive fail.
#include "hub/store/archive_sqlite.hpp"

namespace tideline::hub {

Status SqliteArchive::open_mcp() {
  RETURN_IF_ERROR(access_.open());
  RETURN_IF_ERROR(tasks_.open());
  return catalogs_.open();
}

/// Also false for an archive of an older version that is only read: it has none of these tables yet.
Status SqliteArchive::check_mcp() const {
  RETURN_IF_ERROR(check());
  if (!has_mcp_) return Error{ErrorCode::unsupported, 0, "the archive is of an older version: 'tideline-hub serve' brings it up to date"};
  return {};
}

Status SqliteArchive::put_key(const ApiKey& key) {
  RETURN_IF_ERROR(check_mcp());
  return guard(access_.put_key(key));
}

Result<std::vector<ApiKey>> SqliteArchive::keys() {
  RETURN_IF_ERROR(check_mcp());
  return access_.keys();
}

Status SqliteArchive::add_audit(const std::vector<AuditRow>& rows) {
  RETURN_IF_ERROR(check_mcp());
  return guard(access_.add_audit(rows));
}

Result<std::vector<AuditRow>> SqliteArchive::audit(const AuditFilter& filter) {
  RETURN_IF_ERROR(check_mcp());
  return access_.audit(filter);
}

Status SqliteArchive::put_task(const TaskRecord& task) {
  RETURN_IF_ERROR(check_mcp());
  const Status put = tasks_.put(task);
  // A bound that was reached is no failure of the disk, which has a code of SQLite's.
  return !put && put.error().native == 0 ? put : guard(put);
}

Result<TaskRecord> SqliteArchive::task(const std::string& id) {
  RETURN_IF_ERROR(check_mcp());
  return tasks_.find(id);
}

Result<std::vector<TaskRecord>> SqliteArchive::open_tasks() {
  RETURN_IF_ERROR(check_mcp());
  return tasks_.open_tasks();
}

Result<std::vector<TaskRecord>> SqliteArchive::tasks_of(const std::string& principal, size_t limit) {
  RETURN_IF_ERROR(check_mcp());
  return tasks_.of_principal(principal, limit);
}

Result<size_t> SqliteArchive::drop_tasks(int64_t now_ns) {
  RETURN_IF_ERROR(check_mcp());
  auto dropped = tasks_.drop(now_ns);
  if (!dropped) (void)guard(dropped.error());
  return dropped;
}

Status SqliteArchive::put_catalog(DeviceKey device, uint64_t hash, std::string_view json) {
  RETURN_IF_ERROR(check_mcp());
  if (!devices_.contains(device)) return Error{ErrorCode::not_found, 0, "device"};
  return guard(catalogs_.put(device, hash, json));
}

Status SqliteArchive::each_catalog(const CatalogVisitor& visit) {
  RETURN_IF_ERROR(check_mcp());
  return catalogs_.each(visit);
}

}  // namespace tideline::hub
