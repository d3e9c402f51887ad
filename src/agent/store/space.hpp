// Knows how much room there is: on the file system, and in the reserve that lets state commit when there is none.
//
// Owned by Store. Thread: store. The ballast is a file of limits::ballast_bytes in the state directory.
#pragma once

#include <cstdint>
#include <string>

#include "agent/store/store_types.hpp"
#include "base/time.hpp"
#include "files.hpp"

namespace tideline::agent {

class Space {
 public:
  explicit Space(const StoreOptions& options);

  /// Asks the file system, at most once in limits::space_interval unless `now` is forced.
  void check(Instant now);
  void check_now(Instant now);
  /// Less is free than must be left to others.
  bool is_low() const { return disk_.free_bytes < bytes_least_ || disk_.free_inodes < inodes_least_; }
  uint64_t free_bytes() const { return disk_.free_bytes; }

  /// Gives the reserve up; false when it was gone already.
  bool release_ballast();
  /// Makes it again once there is plenty of room.
  void restore_ballast();
  bool has_ballast() const { return has_ballast_; }

 private:
  std::string directory_;
  std::string ballast_;
  uint64_t bytes_least_;
  uint64_t inodes_least_;
  platform::DiskSpace disk_{UINT64_MAX, UINT64_MAX};
  Instant checked_{INT64_MIN};
  bool has_ballast_ = false;
};

}  // namespace tideline::agent
