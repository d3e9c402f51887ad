// Doubles as text, the shortest that reads back to the same double. Ours, because std::to_chars brings 127 kB of tables for types that nobody
// prints into a board's program, and most readings are decimals of a few digits, which need none.
//
// The readers give what std::from_chars gives and are there for its cost: most of a reading's text is its time and a decimal of a few digits
// (bench ingest_bench).
//
// Pure; no locale is ever set.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace tideline {

inline constexpr size_t number_text_bytes = 32;

/// Writes a finite `value` to `out`, which has number_text_bytes: "21.5", "-0", "100000", "1e+22", "5e-324". Returns the length; no NUL.
size_t print_number(double value, char* out);

/// As std::from_chars(first, last, out), the same in every case.
std::from_chars_result read_number(const char* first, const char* last, double& out);
std::from_chars_result read_number(const char* first, const char* last, int64_t& out);

}  // namespace tideline
