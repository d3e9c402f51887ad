// Bit packing: words of one width without gaps, least significant bit first, and frames of up to 64 words that choose their
// own width and set single larger words apart ("patches"). FORMAT.md section 4. Pure.
//
// A writer may touch up to `pack_slack` bytes behind what it returns; a reader never looks outside its input.
#pragma once

#include "block/varint.hpp"

namespace tideline::block {

inline constexpr size_t frame_words = 64;
inline constexpr size_t pack_slack = 64;
inline constexpr size_t frame_bytes_most = 3 + frame_words * 8;

inline size_t packed_bytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

/// Packs `count` words below 2^width (width 0 to 64); returns the end.
uint8_t* pack(const uint64_t* words, size_t count, unsigned width, uint8_t* to);
/// Reads packed_bytes(count, width) bytes at `in`, which are known to be there.
void unpack(Input& in, size_t count, unsigned width, uint64_t* words);

/// One frame of 1 to frame_words words; at most frame_bytes_most bytes.
uint8_t* put_frame(const uint64_t* words, size_t count, uint8_t* to);
/// False when the frame is damaged.
bool take_frame(Input& in, size_t count, uint64_t* words);

}  // namespace tideline::block
