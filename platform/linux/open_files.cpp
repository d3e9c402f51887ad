#include "open_files.hpp"

#include <sys/resource.h>

namespace tideline::platform {

size_t raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit wanted{limit.rlim_max, limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  return static_cast<size_t>(limit.rlim_cur);
}

}  // namespace tideline::platform
