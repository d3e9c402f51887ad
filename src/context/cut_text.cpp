#include "context/cut_text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace tideline::context {

std::string cut_text(std::string_view text, size_t most) {
  std::string cut(text.substr(0, most));
  const auto is_inside = [&](size_t at) { return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80; };
  while (!cut.empty() && is_inside(cut.size())) cut.pop_back();
  if (is_utf8(cut)) return cut;
  std::replace_if(cut.begin(), cut.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; }, '?');
  return cut;
}

}  // namespace tideline::context
