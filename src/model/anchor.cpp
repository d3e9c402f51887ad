#include "model/anchor.hpp"

#include <cstddef>

namespace tideline::model {

const char* time_quality_name(TimeQuality quality) {
  static constexpr const char* names[] = {"none", "floor", "rtc", "hub", "synced"};
  return names[static_cast<size_t>(quality)];
}

bool is_better(const Anchor& candidate, const Anchor& current) {
  if (candidate.quality != current.quality) return candidate.quality > current.quality;
  return candidate.mono_ns > current.mono_ns;
}

}  // namespace tideline::model
