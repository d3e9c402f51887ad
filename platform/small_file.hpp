// Small files read and replaced whole: keys, certificates, configuration.
//
// Thread: any; both block. After a crash: the file is the old one or the new one, never a part.
// Errors of all: not_found, denied, full, limit, exists, io; `native` is errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace tideline::platform {

enum class FileMode : uint16_t {
  secret = 0600,  ///< keys
  shared = 0644,  ///< certificates
};

/// The whole file; limit when it is longer than `most_bytes`.
Result<std::string> read_small_file(const std::string& path, size_t most_bytes);
/// Replaces `path` with a synced copy; it never exists with wider permissions than `mode`.
Status write_small_file(const std::string& path, std::string_view content, FileMode mode);
/// One level, for the owner alone (0700). An existing directory is `exists`.
Status make_directory(const std::string& path);
/// `path` and its parents as needed: parents 0755, itself 0750. It may exist; not being a directory is `exists`.
Status make_directories(const std::string& path);
bool file_exists(const std::string& path);

}  // namespace tideline::platform
