// CRC-32C (Castagnoli, RFC 3720 appendix B.4), with the processor's instruction where it has one.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace tideline {

/// CRC-32C of `bytes`; pass an earlier result as `seed` to continue. crc32c("123456789") is 0xe3069283.
uint32_t crc32c(Bytes bytes, uint32_t seed = 0);

}  // namespace tideline
