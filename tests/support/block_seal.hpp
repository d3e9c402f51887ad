// Makes damaged blocks look sound: corrects sizes and checksums, so that tests and fuzzers get past them.
#pragma once

#include "base/bytes.hpp"
#include "base/crc.hpp"
#include "block/decoder.hpp"

namespace tideline::support {

inline constexpr size_t header_size_at = 24;

/// Corrects the block's size and both checksums; does nothing to what is too short to be a block.
inline void reseal(ByteBuffer& block) {
  constexpr size_t trailer = 4;
  if (block.size() < block::prologue_bytes + trailer) return;
  store_le(block.data() + 20, static_cast<uint32_t>(block.size()));
  store_le(block.data() + 28, crc32c(Bytes(block).first(28)));
  store_le(block.data() + block.size() - trailer, crc32c(Bytes(block).first(block.size() - trailer)));
}

inline size_t header_size(Bytes block) { return load_le<uint32_t>(block.data() + header_size_at); }

}  // namespace tideline::support
