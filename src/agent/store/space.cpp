#include "agent/store/space.hpp"

#include "base/limits.hpp"

namespace tideline::agent {

Space::Space(const StoreOptions& options)
    : directory_(options.directory),
      ballast_(options.directory + "/ballast"),
      bytes_least_(options.free_bytes_least),
      inodes_least_(options.free_inodes_least) {
  const auto size = platform::file_size(ballast_);
  has_ballast_ = size.has_value() && *size == limits::ballast_bytes;
}

void Space::check(Instant now) {
  if (checked_.nanos == INT64_MIN || now - checked_ >= limits::space_interval) check_now(now);
}

void Space::check_now(Instant now) {
  checked_ = now;
  // When the file system does not answer, the commit itself will tell: assume nothing.
  if (const auto space = platform::disk_space(directory_)) disk_ = *space;
}

bool Space::release_ballast() {
  if (!has_ballast_) return false;
  has_ballast_ = false;
  return platform::remove_file(ballast_).has_value();
}

void Space::restore_ballast() {
  if (has_ballast_ || is_low()) return;
  // Twice its size, so that it does not itself make the disk full.
  if (disk_.free_bytes - bytes_least_ < 2 * limits::ballast_bytes) return;
  has_ballast_ = platform::preallocate_file(ballast_, limits::ballast_bytes).has_value();
}

}  // namespace tideline::agent
