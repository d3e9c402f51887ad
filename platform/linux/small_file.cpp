#include "small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "files.hpp"

namespace tideline::platform {
namespace {

Error to_error(int number, const char* context) {
  switch (number) {
    case ENOENT: return {ErrorCode::not_found, number, context};
    case EEXIST: return {ErrorCode::exists, number, context};
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

 private:
  int number_;
};

Status write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return to_error(errno, "write file");
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status write_synced(const std::string& path, std::string_view content, FileMode mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, static_cast<mode_t>(mode)));
  if (file.get() < 0) return to_error(errno, "create file");
  // A file left over by a crash may have other permissions than those asked for.
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) return to_error(errno, "set permissions");
  RETURN_IF_ERROR(write_all(file.get(), content));
  if (::fsync(file.get()) != 0) return to_error(errno, "sync file");
  return {};
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read_small_file(const std::string& path, size_t most_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return to_error(errno, "open file");
  std::string content;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(file.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return to_error(errno, "read file");
    if (got == 0) return content;
    content.append(part, static_cast<size_t>(got));
    if (content.size() > most_bytes) return Error{ErrorCode::limit, 0, "file is too long"};
  }
}

Status write_small_file(const std::string& path, std::string_view content, FileMode mode) {
  const std::string temporary = path + ".new";
  Status status = write_synced(temporary, content, mode);
  if (status) status = rename_file(temporary, path);
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_directory(directory_of(path));
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) return to_error(errno, "make directory");
  return {};
}

bool file_exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

Status make_directories(const std::string& path) {
  for (size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at);
    const std::string part = path.substr(0, at);
    if (at != std::string::npos) ++at;
    if (part.empty() || ::mkdir(part.c_str(), at == std::string::npos ? 0750 : 0755) == 0 || errno == EEXIST) continue;
    return to_error(errno, "create directory");
  }
  struct stat state {};
  if (::stat(path.c_str(), &state) != 0) return to_error(errno, "look at directory");
  if (!S_ISDIR(state.st_mode)) return Error{ErrorCode::exists, 0, "path exists and is not a directory"};
  return {};
}

}  // namespace tideline::platform
