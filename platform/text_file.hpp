// Small whole files: configuration, keys, certificates, values in /proc and /sys. Plain functions. Thread: any.
#pragma once

#include <string>

#include "base/result.hpp"

namespace tideline::platform {

enum class FileAccess : unsigned char {
  owner_only,  ///< 0600: keys
  readable,    ///< 0644
};

/// The whole file. Errors: not_found, denied, io, limit (longer than `most_bytes`); `native` is errno.
Result<std::string> read_text_file(const std::string& path, size_t most_bytes);
/// Replaces `path` as a whole: written beside it, synced, renamed, directory synced. After a crash either the old or the new
/// content is there. Errors: denied, full, not_found (no such directory), io.
Status write_text_file(const std::string& path, const std::string& text, FileAccess access);
/// Creates `path` and its parents as needed, the last one with mode 0750. Errors: denied, io, exists (not a directory).
Status make_directories(const std::string& path);

}  // namespace tideline::platform
