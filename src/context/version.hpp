// When and by whom an entry was written, in an order that both sides agree on and that survives wrong clocks: a hybrid logical clock
// (Kulkarni et al., "Logical Physical Clocks", OPODIS 2014) and the side that wrote.
//
// Pure. A Stamp is 48 bits of milliseconds since 1970 and 16 bits of counter, which runs over into the milliseconds.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace tideline::context {

/// A device's context has two writers: the device, with everybody behind it, and the hub, with everybody behind that.
enum class Side : uint8_t { device = 0, hub = 1 };
inline constexpr size_t side_count = 2;
inline constexpr Side sides[side_count] = {Side::device, Side::hub};
constexpr size_t index_of(Side side) { return static_cast<size_t>(side); }
constexpr Side other(Side side) { return side == Side::device ? Side::hub : Side::device; }
const char* side_name(Side side);

/// 0: never written.
using Stamp = uint64_t;
/// Stamps from here on (year 2200) are not believed: one would carry every later write with it.
inline constexpr Stamp stamp_end = uint64_t{7'258'118'400'000} << 16;
constexpr Stamp stamp_at(int64_t utc_ms) { return utc_ms <= 0 ? 1 : static_cast<Stamp>(utc_ms) << 16; }
constexpr int64_t stamp_ms(Stamp stamp) { return static_cast<int64_t>(stamp >> 16); }

/// The highest stamp of each side that a replica holds durably. Registers travel in the order of their stamps, so what is below is held too.
struct Tops {
  std::array<Stamp, side_count> of{};
  Stamp& operator[](Side side) { return of[index_of(side)]; }
  Stamp operator[](Side side) const { return of[index_of(side)]; }
  bool operator==(const Tops&) const = default;
};

class HybridClock {
 public:
  /// Every stamp seen, own ones of before a restart too: later ones are greater.
  void observe(Stamp stamp) { last_ = std::max(last_, stamp); }
  void observe(const Tops& tops) {
    for (const Side side : sides) observe(tops[side]);
  }
  /// `now` may be wrong in both directions; 0 when there is no idea. From the year 2200 on it is no idea.
  Stamp next(UtcNanos now) {
    const Stamp wall = stamp_at(now.nanos / 1'000'000);
    return last_ = std::max(last_ + 1, wall < stamp_end ? wall : 0);
  }
  /// No stamp is left that others would believe: somebody wrote when the clock said 2199.
  bool is_at_end() const { return last_ + 1 >= stamp_end; }
  Stamp last() const { return last_; }

 private:
  Stamp last_ = 0;
};

/// "0193a1f2c4b80000-d": 16 hexadecimal digits of the stamp, and d (device) or h (hub). For callers who compare and set.
std::string format_version(Side side, Stamp stamp);
/// False when it is none.
bool parse_version(std::string_view text, Side& side, Stamp& stamp);

}  // namespace tideline::context
