// The revisions of MCP spoken here, and what differs between them that code has to ask about. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tideline::mcp {

/// In order of time: later revisions compare greater.
enum class Revision : uint8_t { r2024_11_05, r2025_03_26, r2025_06_18, r2025_11_25, r2026_07_28 };

/// Legacy revisions have a handshake and a session; modern ones carry an envelope on every request.
enum class Era : uint8_t { legacy, modern };

inline constexpr Revision newest_legacy = Revision::r2025_11_25;
inline constexpr Revision newest_modern = Revision::r2026_07_28;

constexpr Era era_of(Revision revision) { return revision >= Revision::r2026_07_28 ? Era::modern : Era::legacy; }
std::string_view revision_text(Revision revision);
std::optional<Revision> parse_revision(std::string_view text);

/// The answer to `initialize`: the version asked for if it is legacy and known, else our newest legacy one.
Revision negotiate_legacy(std::string_view asked);

/// A date that is not before the first modern revision: a header with it selects the modern era, known or not.
bool is_modern_date(std::string_view text);

}  // namespace tideline::mcp
