#include "base/crc.hpp"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace tideline {
namespace {

constexpr uint32_t polynomial = 0x82f63b78;  // reflected

using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (size_t k = 1; k < 8; ++k) tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  }
  return tables;
}

constexpr Tables tables = make_tables();

/// Slicing by eight (Kounavis and Berry 2005): eight table look-ups for eight bytes.
uint32_t update_portable(uint32_t crc, Bytes bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const uint64_t word = load_le<uint64_t>(bytes.data() + i) ^ crc;
    crc = tables[7][word & 0xff] ^ tables[6][word >> 8 & 0xff] ^ tables[5][word >> 16 & 0xff] ^ tables[4][word >> 24 & 0xff] ^
          tables[3][word >> 32 & 0xff] ^ tables[2][word >> 40 & 0xff] ^ tables[1][word >> 48 & 0xff] ^ tables[0][static_cast<uint8_t>(word >> 56)];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ bytes[i]) & 0xff];
  return crc;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] uint32_t update_sse42(uint32_t crc, Bytes bytes) {
  size_t i = 0;
  uint64_t wide = crc;
  for (; i + 8 <= bytes.size(); i += 8) wide = _mm_crc32_u64(wide, load_le<uint64_t>(bytes.data() + i));
  crc = static_cast<uint32_t>(wide);
  for (; i < bytes.size(); ++i) crc = _mm_crc32_u8(crc, bytes[i]);
  return crc;
}
#elif defined(__ARM_FEATURE_CRC32)
uint32_t update_arm(uint32_t crc, Bytes bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) crc = __crc32cd(crc, load_le<uint64_t>(bytes.data() + i));
  for (; i < bytes.size(); ++i) crc = __crc32cb(crc, bytes[i]);
  return crc;
}
#endif

uint32_t update(uint32_t crc, Bytes bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return update_sse42(crc, bytes);
#elif defined(__ARM_FEATURE_CRC32)
  return update_arm(crc, bytes);
#endif
  return update_portable(crc, bytes);
}

}  // namespace

uint32_t crc32c(Bytes bytes, uint32_t seed) { return ~update(~seed, bytes); }

}  // namespace tideline
