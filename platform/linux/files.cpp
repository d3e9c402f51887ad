#include "files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace tideline::platform {
namespace {

Error to_error(int number, const char* context) {
  switch (number) {
    case ENOENT: return {ErrorCode::not_found, number, context};
    case EACCES:
    case EPERM:
    case EROFS: return {ErrorCode::denied, number, context};
    case ENOSPC:
    case EDQUOT: return {ErrorCode::full, number, context};
    default: return {ErrorCode::io, number, context};
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int release() {
    const int number = number_;
    number_ = -1;
    return number;
  }

 private:
  int number_;
};

int read_pid(int descriptor) {
  char text[16] = {};
  if (::pread(descriptor, text, sizeof text - 1, 0) <= 0) return 0;
  return std::atoi(text);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<FileLock> FileLock::take(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (file.get() < 0) return to_error(errno, "open lock file");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return to_error(errno, "lock state directory");
    return Error{ErrorCode::busy, read_pid(file.get()), "another process owns the state directory"};
  }
  char text[16];
  const int size = std::snprintf(text, sizeof text, "%d\n", static_cast<int>(::getpid()));
  // The pid is a courtesy to people; a full disk must not keep the agent from starting.
  if (::ftruncate(file.get(), 0) == 0 && ::pwrite(file.get(), text, static_cast<size_t>(size), 0) < 0) errno = 0;
  return FileLock(file.release());
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::vector<FileEntry>> list_files(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  if (open == nullptr) return to_error(errno, "read directory");
  std::vector<FileEntry> entries;
  // A list that ends early would look like files that were lost: both calls say why they failed, and only "gone meanwhile" is normal.
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr && errno != 0) return to_error(errno, "read directory");
    if (entry == nullptr) break;
    struct stat status {};
    if (::fstatat(::dirfd(open.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) return to_error(errno, "look at file");
      continue;
    }
    if (!S_ISREG(status.st_mode)) continue;
    entries.push_back({entry->d_name, static_cast<uint64_t>(status.st_size),
                       static_cast<int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec});
  }
  std::sort(entries.begin(), entries.end(), [](const FileEntry& a, const FileEntry& b) { return a.name < b.name; });
  return entries;
}

Result<DiskSpace> disk_space(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return to_error(errno, "read free space");
  DiskSpace space;
  space.free_bytes = static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  // btrfs and some network file systems report no inodes at all: there they are not what runs out.
  space.free_inodes = status.f_files == 0 ? UINT64_MAX : static_cast<uint64_t>(status.f_favail);
  return space;
}

Result<uint64_t> file_size(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return to_error(errno, "read file size");
  return static_cast<uint64_t>(status.st_size);
}

Status preallocate_file(const std::string& path, uint64_t size_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (file.get() < 0) return to_error(errno, "create file");
  const int code = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size_bytes));
  if (code == 0 && ::fsync(file.get()) == 0) return {};
  const Error error = to_error(code != 0 ? code : errno, "reserve space");
  ::unlink(path.c_str());
  return error;
}

Status rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return to_error(errno, "rename file");
  return {};
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return to_error(errno, "remove file");
  return {};
}

Status sync_directory(const std::string& directory) {
  const Descriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return to_error(errno, "open directory");
  if (::fsync(file.get()) != 0) return to_error(errno, "sync directory");
  return {};
}

}  // namespace tideline::platform
