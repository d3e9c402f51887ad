// The context of devices in the embedded archive: registers, their history, one row of sums for each device.
//
// Part of SqliteArchive. Thread: store. Sums are kept up with every register (context::weight_of, digest_of), never counted anew.
#pragma once

#include <string>
#include <utility>

#include "hub/store/archive_devices.hpp"
#include "hub/store/context_archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

class SqliteContext final : public ContextArchive {
 public:
  /// `has_failed`: of the archive, which this sets when the disk fails.
  SqliteContext(sqlite::Database& database, const ArchiveDevices& devices, bool& has_failed) : database_(database), devices_(devices), has_failed_(has_failed) {}
  Status open();

  Status agree(std::vector<ContextWork>& work) override;
  Result<std::vector<ContextOutcome>> change(const std::vector<ContextWrite>& writes, UtcNanos now) override;
  Result<ContextState> state(DeviceKey device) override;
  Result<std::vector<ContextExpired>> expire(UtcNanos now, size_t most) override;
  Result<std::string> declarations(DeviceKey device) override;
  Result<const context::Declarations*> declared(DeviceKey device) override;
  Result<std::optional<ContextEntry>> find(DeviceKey device, const std::string& path) override;
  Result<ContextList> list(DeviceKey device, const ContextFilter& filter) override;
  Result<std::vector<context::Register>> history(DeviceKey device, const std::string& path) override;
  Result<context::RegisterPage> page(DeviceKey device, context::Side side, context::Stamp after, size_t max_bytes) override;

 private:
  /// A device's row while it is worked on.
  struct Row {
    DeviceKey device = 0;
    ContextState state;
    ContextState before;
  };
  Status check() const;
  Status do_work(ContextWork& work);
  Status put(ContextWork& work);
  Result<bool> put(Row& row, const context::Register& reg, int64_t delivered_ns);
  Status note_holds(const ContextWork& work);
  Status change(const ContextWrite& write, UtcNanos now, ContextOutcome& outcome);
  Status expire(ContextExpired& one, UtcNanos now);
  Result<Row> load(DeviceKey device);
  Status save(const Row& row);
  Result<ContextEntry> load_entry(DeviceKey device, const std::string& path);
  Status remember(Row& row, const context::Register& old);
  Status trim_history(Row& row, const std::string& path);
  Status drop_oldest_history(Row& row);
  Status forget_tombstones(Row& row);
  Status forget(Row& row, const std::string& path);

  sqlite::Database& database_;
  const ArchiveDevices& devices_;
  bool& has_failed_;
  bool is_open_ = false;
  std::pair<std::string, context::Declarations> parsed_;  ///< of the last text: devices of one model declare the same
  sqlite::Statement select_state_;
  sqlite::Statement put_state_;
  sqlite::Statement select_entry_;
  sqlite::Statement select_list_;
  sqlite::Statement select_page_;
  sqlite::Statement select_outline_;
  sqlite::Statement select_expired_;
  sqlite::Statement put_register_;
  sqlite::Statement set_delivered_;
  sqlite::Statement delete_entry_;
  sqlite::Statement select_history_;
  sqlite::Statement select_history_sizes_;
  sqlite::Statement select_oldest_;
  sqlite::Statement add_history_;
  sqlite::Statement delete_history_;
  sqlite::Statement delete_history_of_;
  sqlite::Statement select_declarations_;
  sqlite::Statement put_declarations_;
};

}  // namespace tideline::hub
