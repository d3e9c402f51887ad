// Finds out whether doubles are scaled integers: decimals (21.4 is 214 / 10) or multiples of a sensor's step (a raw ADC count
// times 3.3 / 4096). Most sensors are one of both, and scaled integers take a seventh of the space of doubles (bench
// block_size). Every value is verified bit by bit; single misfits (NaN for "missing", -0.0) are listed as patches. Pure.
#pragma once

#include <span>
#include <vector>

#include "block/layout.hpp"

namespace tideline::block {

/// Beyond one misfit in eight, plain doubles are smaller.
inline constexpr size_t patches_most(size_t count) { return count / 8; }
inline constexpr size_t patch_bytes_most = 3 + 8;

/// Sets coding.values (and exponent or step) and `integers`, one for each of `bits`; at a misfit, whose index goes to `misfits`,
/// the integer before it is repeated. coding.values is f64_bits when the values are no scaled integers.
void find_scale(std::span<const uint64_t> bits, ColumnCoding& coding, std::span<uint64_t> integers, std::vector<uint16_t>& misfits);

}  // namespace tideline::block
