#include "privileges.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files.hpp"

namespace tideline::platform {
namespace {

/// False when there is nothing to do.
bool find_owner(const std::string& directory, struct stat& info) {
  return ::geteuid() == 0 && ::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid != 0;
}

}  // namespace

Status become_owner_of(const std::string& directory) {
  struct stat info {};
  if (!find_owner(directory, info)) return {};
  // Only the directory's group: the user's others are in a database that a static program cannot read.
  if (::setgroups(1, &info.st_gid) != 0 || ::setgid(info.st_gid) != 0 || ::setuid(info.st_uid) != 0) return Error{ErrorCode::denied, errno, "act as the owner of the directory"};
  return {};
}

Status give_files_to_owner(const std::string& directory) {
  struct stat info {};
  if (!find_owner(directory, info)) return {};
  ASSIGN_OR_RETURN(const std::vector<FileEntry> entries, list_files(directory));
  for (const FileEntry& entry : entries) {
    if (::lchown((directory + "/" + entry.name).c_str(), info.st_uid, info.st_gid) != 0) return Error{ErrorCode::denied, errno, "give a file to its owner"};
  }
  return {};
}

}  // namespace tideline::platform
