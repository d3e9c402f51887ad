// A sequence of integers, written as what is left after a prediction, in frames (FORMAT.md section 5). Times, scaled doubles,
// int64 values and dictionary indexes all end here. All arithmetic is modulo 2^64: every input is exact, none overflows. Pure.
//
// A sequence is given as offsets from its first element, so offset 0 is 0; first and last stand in the block header. An
// arithmetic progression (a regular clock, a constant) needs no bytes at all.
#pragma once

#include <span>

#include "block/varint.hpp"

namespace tideline::block {

/// How an offset is predicted. Stored: never renumber.
enum class Transform : uint8_t { plain = 0, delta = 1, delta_of_delta = 2, line = 3 };

/// What the sequence holds: decides which predictions are worth trying, and whether no bytes may stand for a progression.
/// `times` are offsets within line_range of each other; those that may not be are `distant_times`.
enum class IntsOf : uint8_t { times, distant_times, values, patched_values };
inline constexpr uint64_t line_range = uint64_t{1} << 44;  // beyond, fitting a line could overflow

inline constexpr size_t ints_bytes_most(size_t count) { return 1 + 2 * varint_bytes_most + count * 8 + (count / 64 + 1) * 3; }

/// Writes `offsets` (which are changed) using `residuals` as scratch of the same size; returns the end, at most
/// ints_bytes_most() and pack_slack bytes further.
uint8_t* put_ints(std::span<uint64_t> offsets, IntsOf what, std::span<uint64_t> residuals, uint8_t* to);

/// Reads offsets.size() offsets. False when damaged.
bool take_ints(Input& in, std::span<uint64_t> offsets);
/// The progression that no bytes stand for. False when `last_offset` does not divide into equal steps.
bool fill_progression(uint64_t last_offset, std::span<uint64_t> offsets);

}  // namespace tideline::block
