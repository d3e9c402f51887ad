#include "disk_faults.hpp"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <mutex>

namespace tideline::test {
namespace {

struct Fault {
  std::mutex mutex;
  bool is_armed = false;
  DiskCall call = DiskCall::sync;
  std::string name_part;
  int error_number = 0;
  int after = 0;
};
Fault& fault() {
  static Fault instance;
  return instance;
}
std::atomic<bool> any_armed{false};

bool fails(DiskCall call, int descriptor) {
  if (!any_armed.load(std::memory_order_relaxed)) return false;
  Fault& armed = fault();
  const std::lock_guard lock(armed.mutex);
  if (!armed.is_armed || armed.call != call) return false;
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = ::readlink(link, path, sizeof path);
  if (size <= 0 || std::string(path, static_cast<size_t>(size)).find(armed.name_part) == std::string::npos) return false;
  if (armed.after-- > 0) return false;
  errno = armed.error_number;
  return true;
}

}  // namespace

void arm_disk_fault(DiskCall call, const std::string& name_part, int error_number, int after) {
  Fault& armed = fault();
  const std::lock_guard lock(armed.mutex);
  armed.is_armed = true;
  armed.call = call;
  armed.name_part = name_part;
  armed.error_number = error_number;
  armed.after = after;
  any_armed = true;
}

void disarm_disk_faults() {
  any_armed = false;
  const std::lock_guard lock(fault().mutex);
  fault().is_armed = false;
}

}  // namespace tideline::test

extern "C" {

int fdatasync(int descriptor) {
  if (tideline::test::fails(tideline::test::DiskCall::sync, descriptor)) return -1;
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

int fsync(int descriptor) {
  if (tideline::test::fails(tideline::test::DiskCall::sync, descriptor)) return -1;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t offset) {
  if (tideline::test::fails(tideline::test::DiskCall::write, descriptor)) return -1;
  // Not by syscall(): how 64 bits are passed to the kernel is each 32-bit processor's own affair.
  static const auto next = reinterpret_cast<decltype(&pwrite64)>(dlsym(RTLD_NEXT, "pwrite64"));
  return next(descriptor, bytes, size, offset);
}

}  // extern "C"
