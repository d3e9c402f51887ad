// Doubles as text, the shortest that reads back to the same double. Ours, because std::to_chars brings 127 kB of tables for types that nobody
// prints into a board's program, and most readings are decimals of a few digits, which need none.
//
// Pure; no locale is ever set.
#pragma once

#include <cstddef>

namespace tideline {

inline constexpr size_t number_text_bytes = 32;

/// Writes a finite `value` to `out`, which has number_text_bytes: "21.5", "-0", "100000", "1e+22", "5e-324". Returns the length; no NUL.
size_t print_number(double value, char* out);

}  // namespace tideline
