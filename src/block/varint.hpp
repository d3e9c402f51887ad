// Variable-length integers (LEB128) and the bounded input cursor of column bytes. Pure.
#pragma once

#include "base/bytes.hpp"

namespace tideline::block {

/// What is left of a column while it is read.
struct Input {
  const uint8_t* at = nullptr;
  const uint8_t* end = nullptr;

  explicit Input(Bytes bytes) : at(bytes.data()), end(bytes.data() + bytes.size()) {}
  size_t left() const { return static_cast<size_t>(end - at); }
};

inline constexpr size_t varint_bytes_most = 10;

/// Small magnitudes of either sign become small: 0, -1, 1, -2 ... are 0, 1, 2, 3 ... `value` is modulo 2^64.
inline uint64_t zigzag(uint64_t value) { return value << 1 ^ static_cast<uint64_t>(static_cast<int64_t>(value) >> 63); }
inline uint64_t unzigzag(uint64_t value) { return value >> 1 ^ (0 - (value & 1)); }

inline size_t varint_size(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

inline uint8_t* put_varint(uint64_t value, uint8_t* to) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<uint8_t>(value | 0x80);
  *to++ = static_cast<uint8_t>(value);
  return to;
}

/// False when the input ends early or the number does not fit 64 bits.
inline bool take_varint(Input& in, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (in.at == in.end) return false;
    const uint64_t byte = *in.at++;
    if (shift == 63 && byte > 1) return false;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace tideline::block
