#include "base/backoff.hpp"

#include <algorithm>

namespace tideline {

Duration Backoff::next() {
  const int64_t span = std::max<int64_t>(previous_.nanos * 3 - base_.nanos, 1);
  const int64_t wait = base_.nanos + static_cast<int64_t>(random_.below(static_cast<uint64_t>(span)));
  previous_ = Duration{std::min(wait, cap_.nanos)};
  return previous_;
}

}  // namespace tideline
