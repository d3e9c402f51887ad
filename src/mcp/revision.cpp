#include "mcp/revision.hpp"

#include <array>

namespace tideline::mcp {
namespace {

constexpr std::array<std::string_view, 5> texts = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"};

}  // namespace

std::string_view revision_text(Revision revision) { return texts[static_cast<size_t>(revision)]; }

std::optional<Revision> parse_revision(std::string_view text) {
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] == text) return static_cast<Revision>(i);
  }
  return std::nullopt;
}

Revision negotiate_legacy(std::string_view asked) {
  const std::optional<Revision> revision = parse_revision(asked);
  return revision && era_of(*revision) == Era::legacy ? *revision : newest_legacy;
}

bool is_modern_date(std::string_view text) {
  if (text.size() != 10) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 4 || i == 7;
    if (is_dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  return text >= revision_text(newest_modern);  // ISO dates sort as text
}

}  // namespace tideline::mcp
