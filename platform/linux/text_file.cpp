#include "text_file.hpp"

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
    case ENOENT:
    case ENOTDIR: return {ErrorCode::not_found, number, context};
    case EACCES:
    case EPERM:
    case EROFS: return {ErrorCode::denied, number, context};
    case ENOSPC:
    case EDQUOT: return {ErrorCode::full, number, context};
    default: return {ErrorCode::io, number, context};
  }
}

/// A descriptor with one owner.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

Status write_all(int descriptor, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return to_error(errno, "write file");
    done += static_cast<size_t>(n);
  }
  return {};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, size_t most_bytes) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) return to_error(errno, "open file");
  std::string text;
  char chunk[4096];
  while (true) {
    const ssize_t n = ::read(file.number, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return to_error(errno, "read file");
    if (n == 0) return text;
    text.append(chunk, static_cast<size_t>(n));
    if (text.size() > most_bytes) return Error{ErrorCode::limit, 0, "file is too long"};
  }
}

Status write_text_file(const std::string& path, const std::string& text, FileAccess access) {
  const std::string beside = path + ".new";
  {
    const Descriptor file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, access == FileAccess::owner_only ? 0600 : 0644)};
    if (file.number < 0) return to_error(errno, "create file");
    if (access == FileAccess::owner_only && ::fchmod(file.number, 0600) != 0) return to_error(errno, "protect file");
    Status written = write_all(file.number, text);
    if (written && ::fsync(file.number) != 0) written = to_error(errno, "sync file");
    if (!written) {
      (void)::unlink(beside.c_str());
      return written;
    }
  }
  RETURN_IF_ERROR(rename_file(beside, path));
  const size_t slash = path.rfind('/');
  return sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
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
