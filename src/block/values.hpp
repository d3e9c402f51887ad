// The numbers and booleans of one column (FORMAT.md section 7). Pure.
#pragma once

#include <span>
#include <vector>

#include "block/decoder.hpp"
#include "block/ints.hpp"
#include "block/scale.hpp"

namespace tideline::block {

/// Memory that the value codecs work in; the spans hold at least as many elements as the column.
struct ValueScratch {
  std::span<uint64_t> integers;
  std::span<uint64_t> residuals;
  std::vector<uint16_t> misfits;
};

inline constexpr size_t value_bytes_most(size_t count) {
  return ints_bytes_most(count) + varint_bytes_most * 2 + patches_most(count) * patch_bytes_most;
}

/// Fills the value fields and the coding of `column` (type f64, i64 or boolean), then writes the values; returns the end, at
/// most value_bytes_most() further.
uint8_t* put_numbers(std::span<const uint64_t> bits, Column& column, ValueScratch& scratch, uint8_t* to);

/// False when damaged, or when the values contradict the header's first and last.
bool take_numbers(const Column& column, std::span<uint64_t> bits);

}  // namespace tideline::block
