// Backup and restore of the embedded archive: whole-file copies through SQLite, put in place by a rename.
#include "base/log.hpp"
#include "hub/store/archive_sqlite.hpp"

namespace tideline::hub {
namespace {

constexpr int pages_per_step = 1024;

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status forbid_existing(const std::string& path) {
  if (platform::file_size(path)) return Error{ErrorCode::exists, 0, "the file to write exists already"};
  return {};
}

Status remove_database(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) RETURN_IF_ERROR(platform::remove_file(path + suffix));
  return {};
}

/// A copy under another name first: what stands under `path` is always whole. SQLite syncs the copy before it returns.
Status copy_to(sqlite::Database& from, const std::string& path, const Archive::Progress& progress) {
  const auto report = [](void* context, int done, int total) {
    const auto& call = *static_cast<const Archive::Progress*>(context);
    if (call) call(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
  };
  const std::string partial = path + ".partial";
  RETURN_IF_ERROR(remove_database(partial));
  // One read transaction around all steps: else each commit of another process would begin the copy again.
  RETURN_IF_ERROR(from.execute("BEGIN"));
  auto copied = from.read_integer("SELECT count(*) FROM device").has_value()
                    ? sqlite::copy_database(from, partial, pages_per_step, report, const_cast<Archive::Progress*>(&progress))
                    : Status(Error{ErrorCode::io, 0, "read the archive"});
  (void)from.execute("COMMIT");
  if (copied) copied = platform::rename_file(partial, path);
  if (copied) copied = platform::sync_directory(directory_of(path));
  if (!copied) (void)remove_database(partial);
  return copied;
}

Status check_backup(const std::string& path) {
  ASSIGN_OR_RETURN(sqlite::Database backup, sqlite::Database::open(path, sqlite::OpenMode::read));
  if (const auto version = check_archive_file(backup); !version) return version.error();
  ASSIGN_OR_RETURN(const std::string verdict, backup.read_text("PRAGMA quick_check(1)"));
  if (verdict != "ok") return Error{ErrorCode::corrupt, 0, "the backup is damaged"};
  return {};
}

/// The old files move away before the new one comes: a new file beside the old one's WAL would be corrupted by it. While
/// there is none, `<path>.replaced` tells open() not to begin an empty archive.
Status replace(const std::string& path, const std::string& fresh) {
  const std::string old = path + ".replaced";
  if (platform::file_size(path)) {
    RETURN_IF_ERROR(remove_database(old));
    RETURN_IF_ERROR(platform::rename_file(path, old));
  }
  // Also when an earlier attempt was cut off between the two renames.
  if (platform::file_size(old) && platform::file_size(path + "-wal")) RETURN_IF_ERROR(platform::rename_file(path + "-wal", old + "-wal"));
  RETURN_IF_ERROR(platform::sync_directory(directory_of(path)));
  for (const char* suffix : {"-wal", "-shm"}) RETURN_IF_ERROR(platform::remove_file(path + suffix));
  RETURN_IF_ERROR(platform::rename_file(fresh, path));
  return platform::sync_directory(directory_of(path));
}

}  // namespace

Status SqliteArchive::backup(const std::string& path, const Progress& progress) {
  RETURN_IF_ERROR(forbid_existing(path));
  return copy_to(database_, path, progress);
}

Status restore_sqlite_archive(const std::string& backup_path, const std::string& path) {
  ASSIGN_OR_RETURN(const platform::FileLock lock, platform::FileLock::take(path + ".lock"));
  RETURN_IF_ERROR(check_backup(backup_path));
  ASSIGN_OR_RETURN(sqlite::Database backup, sqlite::Database::open(backup_path, sqlite::OpenMode::read));
  const std::string fresh = path + ".restored";
  RETURN_IF_ERROR(remove_database(fresh));
  RETURN_IF_ERROR(copy_to(backup, fresh, {}));
  return replace(path, fresh);
}

}  // namespace tideline::hub
