// Entries of the context as answers: members of JSON for programs and models, and lines for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway/context_keeper.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {

/// Values longer than this are left out of lists: get shows them.
inline constexpr size_t context_list_value_bytes = 2048;

enum class ContextDetail : uint8_t { whole, listed };

/// {"path","exists","value","version","writer","author","time","age_s","expires","at_hub","rule","conflict":{...}}, as an object begun and
/// left open, for more members. `entry` may be null.
void begin_context_entry(json::Writer& w, const ContextKeeper& keeper, std::string_view path, const context::Entry* entry, ContextDetail detail);
/// One earlier write, closed.
void write_context_write(json::Writer& w, context::Side side, const context::Write& write);

/// One line, and one more for a conflict.
std::string context_entry_text(const ContextKeeper& keeper, std::string_view path, const context::Entry* entry);
/// A table, newest first.
std::string context_history_text(const std::vector<context::Register>& writes);
/// `value` in at most `most` bytes, for a table.
std::string short_context_value(const context::Write& write, size_t most);
UtcNanos context_time(const context::Write& write);

}  // namespace tideline::agent
