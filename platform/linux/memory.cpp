#include "memory.hpp"

#include <malloc.h>

namespace tideline::platform {

void return_large_buffers() {
#ifdef M_MMAP_THRESHOLD  // glibc; musl's allocator does so anyway
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

}  // namespace tideline::platform
