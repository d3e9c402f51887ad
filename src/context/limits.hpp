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
inline constexpr size_t replica_entries = 2 * entries;    // both sides made as many as they may while they did not meet
inline constexpr uint64_t bytes = 4 * 1024 * 1024;        // paths and values of a device; a replica may hold twice this
inline constexpr size_t tombstones = 2'000;               // deletions that both sides know are forgotten beyond this, oldest first
inline constexpr size_t history = 16;                     // writes remembered of an entry
inline constexpr size_t history_bytes = 256 * 1024;       // of an entry; the newest one stays whatever its size
inline constexpr size_t declarations = 64;
inline constexpr size_t enum_values = 64;                 // of one declaration
inline constexpr size_t declarations_bytes = 48 * 1024;   // as JSON
inline constexpr size_t message_bytes = 128 * 1024;       // one message of the sync: at least one register with a value of full size
inline constexpr size_t message_registers = 1024;
inline constexpr int64_t time_to_live_most_ms = int64_t{10} * 366 * 24 * 3600 * 1000;

}  // namespace tideline::context::limits
