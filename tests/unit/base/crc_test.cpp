#include "base/crc.hpp"

#include <gtest/gtest.h>

namespace tideline {
namespace {

TEST(Crc, matches_the_published_vectors) {  // RFC 3720 appendix B.4
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(ByteBuffer(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(crc32c(ByteBuffer(32, 0xff)), 0x62a8ab43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc, continues_at_any_cut) {
  ByteBuffer bytes(1000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31);
  const uint32_t whole = crc32c(bytes);
  for (size_t cut = 0; cut <= bytes.size(); cut += 37) {
    EXPECT_EQ(crc32c(Bytes(bytes).subspan(cut), crc32c(Bytes(bytes).first(cut))), whole);
  }
}

}  // namespace
}  // namespace tideline
