// Bounds of the context, beside base/limits.hpp (law 6).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace tideline::context::limits {

inline constexpr size_t path_bytes = 256;
inline constexpr size_t path_segments = 16;
inline constexpr size_t value_bytes = 64 * 1024;          // JSON text, without white space around it
inline constexpr size_t value_depth = 32;
inline constexpr size_t author_bytes = 128;
inline constexpr size_t entries = 10'000;                 // of a device; either side refuses to make more of them
inline constexpr uint64_t bytes = 4 * 1024 * 1024;        // paths and values of a device, those that are replaced but kept too
inline constexpr size_t tombstones = 2'000;               // deletions that both sides know are forgotten beyond this, oldest first
inline constexpr uint64_t tombstone_bytes = 512 * 1024;   // and beyond this: a deletion keeps what the other side had written
inline constexpr size_t paths = entries + tombstones;     // written ever and not forgotten: beyond it no new ones are made
// What a replica takes in: as much as it may make itself, as much as the other side may, and as much as that held before and has given
// up again, because the news of it comes last. So neither side can make what the other must refuse for ever.
inline constexpr size_t replica_paths = 3 * paths;
inline constexpr uint64_t replica_bytes = 3 * bytes;
inline constexpr size_t replica_entries = replica_paths - tombstones;
inline constexpr size_t history = 16;                     // writes remembered of an entry
inline constexpr size_t history_bytes = 256 * 1024;       // of an entry; the newest one stays whatever its size
inline constexpr size_t declarations = 64;
inline constexpr size_t enum_values = 64;                 // of one declaration
inline constexpr size_t declarations_bytes = 48 * 1024;   // as JSON
inline constexpr size_t message_bytes = 128 * 1024;       // one message of the sync: at least one register with a value of full size
inline constexpr size_t message_registers = 1024;
inline constexpr int64_t time_to_live_most_ms = int64_t{10} * 366 * 24 * 3600 * 1000;

}  // namespace tideline::context::limits
