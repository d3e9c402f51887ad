#include "memory.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string_view>

namespace tideline::platform {

void return_large_buffers() {
#ifdef M_MMAP_THRESHOLD  // glibc; musl's allocator does so anyway
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

void end_when_memory_is_refused() {
  std::set_new_handler([] {
    static constexpr std::string_view text = "out of memory: the system refused an allocation\n";
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());  // nothing that allocates
    (void)written;
    std::abort();
  });
}

}  // namespace tideline::platform
