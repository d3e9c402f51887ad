// Makes the disk of this test program fail: the executable's own fdatasync, fsync and pwrite stand before the C library's.
//
// Thread: any. Only files whose path contains `name_part` fail. Nothing fails until arm().
#pragma once

#include <string>

namespace tideline::test {

enum class DiskCall : unsigned char { sync, write };

/// From the `after`-th call on (0: the next one), calls on files with `name_part` in their path fail with `error_number`.
void arm_disk_fault(DiskCall call, const std::string& name_part, int error_number, int after);
void disarm_disk_faults();

}  // namespace tideline::test
