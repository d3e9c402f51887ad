// The embedded archive: one SQLite file in WAL mode, synchronous=FULL, with its parts as members. See archive.hpp for what it
// promises and archive_schema.hpp for its tables.
//
// Owned by StoreThread (or a command). One connection: SQLite before 3.51.3 can corrupt a WAL database when two connections
// checkpoint at once; a reading command opens a second one that cannot (ArchiveMode::read).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "files.hpp"
#include "hub/store/archive.hpp"
#include "hub/store/archive_access.hpp"
#include "hub/store/archive_catalogs.hpp"
#include "hub/store/archive_context.hpp"
#include "hub/store/archive_devices.hpp"
#include "hub/store/archive_epochs.hpp"
#include "hub/store/archive_intake.hpp"
#include "hub/store/archive_latest.hpp"
#include "hub/store/archive_query.hpp"
#include "hub/store/archive_tasks.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

class SqliteArchive : public Archive {
 public:
  static Result<std::unique_ptr<Archive>> open(const std::string& path, ArchiveMode mode, Log& log);

  bool has_failed() const override { return failed_; }
  Result<std::vector<DeviceRecord>> devices() override;
  Result<DeviceRecord> device(const std::string& id) override;
  Result<DeviceRecord> put_device(const DeviceRecord& record) override;
  Status touch_device(DeviceKey device, int64_t last_seen_ns, const std::string& agent_version) override;
  Status touch_devices(const std::vector<DeviceTouch>& touches) override;
  Status put_token(const Token& token) override;
  Result<std::vector<Token>> tokens() override;
  Result<Token> use_token(const std::string& hash, const std::string& device, int64_t now_ns) override;
  Result<DeviceState> load_state(DeviceKey device, const std::string& epoch) override;
  Result<std::vector<std::vector<BlockVerdict>>> apply(const std::vector<IntakeBatch>& batches) override;
  Result<std::unique_ptr<ArchiveQuery>> start_query(const model::Query& query) override;
  Result<bool> latest_some(const model::DeviceSelector& devices, const model::SeriesSelector& series, std::string& after, size_t most_devices,
                           std::vector<LatestValue>& values) override;
  Result<std::vector<std::pair<std::string, model::Gap>>> gaps(const model::DeviceSelector& devices) override;
  Result<VerifyReport> verify(const Progress& progress) override;
  Status backup(const std::string& path, const Progress& progress) override;
  Status put_key(const ApiKey& key) override;
  Result<std::vector<ApiKey>> keys() override;
  Status add_audit(const std::vector<AuditRow>& rows) override;
  Result<std::vector<AuditRow>> audit(const AuditFilter& filter) override;
  Status put_task(const TaskRecord& task) override;
  Result<TaskRecord> task(const std::string& id) override;
  Result<std::vector<TaskRecord>> open_tasks() override;
  Result<std::vector<TaskRecord>> tasks_of(const std::string& principal, size_t limit) override;
  Result<size_t> drop_tasks(int64_t now_ns) override;
  Status put_catalog(DeviceKey device, uint64_t hash, std::string_view json) override;
  Status each_catalog(const CatalogVisitor& visit) override;
  ContextArchive& context() override { return context_; }
  Result<std::string> setting(const std::string& key) override;
  Status set_setting(const std::string& key, const std::string& value) override;

 private:
  SqliteArchive(std::optional<platform::FileLock> lock, sqlite::Database database);
  Result<std::vector<std::vector<BlockVerdict>>> apply_in_transaction(const std::vector<IntakeBatch>& batches);
  Status check() const;
  Status open_mcp();
  Status check_mcp() const;
  Status guard(Status status);

  std::optional<platform::FileLock> lock_;
  sqlite::Database database_;
  ArchiveDevices devices_;
  ArchiveEpochs epochs_;
  ArchiveLatest latest_;
  ArchiveIntake intake_;
  ArchiveReader reader_;
  ArchiveAccess access_;
  ArchiveTasks tasks_;
  ArchiveCatalogs catalogs_;
  SqliteContext context_;
  bool has_mcp_ = false;
  bool failed_ = false;  // a commit failed: what is in memory may be ahead of the file
};

/// The version of the archive in the file, at most this program's. Errors: unsupported (not an archive, or a newer one).
Result<int64_t> check_archive_file(sqlite::Database& database);

}  // namespace tideline::hub
