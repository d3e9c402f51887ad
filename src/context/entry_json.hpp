// An entry as callers at both ends are shown it: members of JSON objects, with their schemas, so that a client learns one form. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "context/entry.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::context {

/// Members of an open object: path, exists, value or gone, version, writer, author, time, expires, age_s, and of a conflict that nobody has
/// resolved rule and `conflict`, the write that lost.
void write_entry(json::Writer& w, std::string_view path, const Entry& entry, Rule rule, int64_t now_ms);
/// Members of an open object: deleted or value, version, writer, author, time, expires.
void write_write(json::Writer& w, Side side, const Write& write);
/// "history": [ ... ], newest first as given.
void write_history(json::Writer& w, const std::vector<Register>& writes);

/// One line for people: "mode = "auto"  (hub, ops, 2026-11-21T06:00:00Z)"; a conflict adds the other value.
std::string entry_text(std::string_view path, const Entry& entry, Rule rule, int64_t now_ms);
std::string write_text(Side side, const Write& write);
/// Of the stamp, RFC 3339 with milliseconds.
std::string written_at(Stamp stamp);

/// The schema of a value that may be any JSON, told type by type: strict clients refuse a schema without one.
std::string any_json_schema(std::string_view description = {});
/// Members of "properties" of what write_entry() writes, raw.
std::string entry_schema();
std::string history_schema();  ///< the member history

}  // namespace tideline::context
