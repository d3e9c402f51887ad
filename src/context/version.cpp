#include "context/version.hpp"

#include <charconv>
#include <cinttypes>

#include "base/log.hpp"

namespace tideline::context {

const char* side_name(Side side) { return side == Side::device ? "device" : "hub"; }

std::string format_version(Side side, Stamp stamp) { return format("%016" PRIx64 "-%c", stamp, side == Side::device ? 'd' : 'h'); }

bool parse_version(std::string_view text, Side& side, Stamp& stamp) {
  if (text.size() != 18 || text[16] != '-' || (text[17] != 'd' && text[17] != 'h')) return false;
  Stamp value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 16, value, 16);
  if (error != std::errc{} || end != text.data() + 16 || value == 0 || value >= stamp_end) return false;
  stamp = value;
  side = text[17] == 'd' ? Side::device : Side::hub;
  return true;
}

}  // namespace tideline::context
