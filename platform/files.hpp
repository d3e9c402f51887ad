// What the store needs from the file system beyond SQLite: locks, directory syncs, space, and moving files about.
//
// Plain functions and one guard. Thread: any. After a crash: a rename or removal is durable once sync_directory() returned.
// Errors of all: denied, full, not_found, io; `native` is errno.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace tideline::platform {

/// An exclusive lock on a file that names its holder; released when the object or the process ends.
class FileLock {
 public:
  /// Creates `path` if missing. Errors: busy (native is the holder's pid, 0 if unknown).
  static Result<FileLock> take(const std::string& path);
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

struct FileEntry {
  std::string name;
  uint64_t size_bytes = 0;
  int64_t changed_ns = 0;  ///< last change of the content, wall clock
};
/// Regular files in `directory`, sorted by name.
Result<std::vector<FileEntry>> list_files(const std::string& directory);

struct DiskSpace {
  uint64_t free_bytes = 0;   ///< to a process without privileges
  uint64_t free_inodes = 0;  ///< UINT64_MAX where the file system does not count them
};
Result<DiskSpace> disk_space(const std::string& path);

/// Size in bytes; not_found when there is no such file.
Result<uint64_t> file_size(const std::string& path);
/// Creates `path` with `size_bytes` of allocated space and syncs it. On an error nothing is left behind.
Status preallocate_file(const std::string& path, uint64_t size_bytes);
/// Replaces `to`.
Status rename_file(const std::string& from, const std::string& to);
/// A missing file is removed already.
Status remove_file(const std::string& path);
Status sync_directory(const std::string& directory);

}  // namespace tideline::platform
