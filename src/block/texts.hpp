// The texts of one column: one after the other, or a dictionary when they repeat, as states do (FORMAT.md section 8). Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "block/decoder.hpp"
#include "block/values.hpp"

namespace tideline::block {

/// Writes the texts that `bits` (as in model::Reading) name in `text`; returns the end, at most `room` bytes further.
/// Errors: invalid (not UTF-8, too long, outside `text`), limit (does not fit `room`).
Result<uint8_t*> put_texts(std::span<const uint64_t> bits, std::string_view text, ValueScratch& scratch, uint8_t* to, size_t room);

/// False when damaged or not UTF-8. The views point into the column's bytes.
bool take_texts(const Column& column, std::span<std::string_view> texts);

}  // namespace tideline::block
