// The timestamps of one column: offsets in the coarsest decimal unit that is exact (FORMAT.md section 6). Pure.
#pragma once

#include <span>

#include "block/decoder.hpp"
#include "block/ints.hpp"

namespace tideline::block {

/// Chooses the unit and fills the time fields of `column`, then writes its timestamps; returns the end. The unit divides the
/// distance of every time from `base_ns`, so that the header can use it too. `offsets` and `residuals` are scratch.
uint8_t* put_times(std::span<const int64_t> times, uint64_t base_ns, Column& column, std::span<uint64_t> offsets,
                   std::span<uint64_t> residuals, uint8_t* to);

/// False when damaged, or when the times contradict the header.
bool take_times(const Column& column, std::span<int64_t> times);

}  // namespace tideline::block
