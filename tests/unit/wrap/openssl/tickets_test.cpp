#include "wrap/openssl/tickets.hpp"

#include <gtest/gtest.h>

namespace tideline::openssl {
namespace {

ByteBuffer element(uint8_t tag, size_t size) {
  ByteBuffer out{tag};
  if (size >= 256) append(out, ByteBuffer{0x82, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)});
  else if (size >= 128) append(out, ByteBuffer{0x81, static_cast<uint8_t>(size)});
  else out.push_back(static_cast<uint8_t>(size));
  out.resize(out.size() + size, 0x55);
  return out;
}

ByteBuffer sequence(const std::vector<ByteBuffer>& elements) {
  size_t size = 0;
  for (const ByteBuffer& one : elements) size += one.size();
  ByteBuffer out = element(0x30, size);
  out.resize(out.size() - size);
  for (const ByteBuffer& one : elements) append(out, one);
  return out;
}

TEST(TicketSession, LosesItsCertificateAndNothingElse) {
  const ByteBuffer before = element(0x04, 48);
  const ByteBuffer after = element(0xa4, 300);
  EXPECT_EQ(without_certificate(sequence({before, element(0xa3, 420), after})), sequence({before, after}));
  EXPECT_EQ(without_certificate(sequence({before, after})), sequence({before, after}));
  for (const size_t size : {1U, 100U, 150U, 400U}) {  // each form that a length has
    const ByteBuffer small = element(0x04, size);
    EXPECT_EQ(without_certificate(sequence({small, element(0xa3, 420)})), sequence({small})) << size;
  }
}

TEST(TicketSession, WhatIsCutOffIsNone) {
  const ByteBuffer whole = sequence({element(0x04, 48), element(0xa3, 420), element(0xa4, 130)});
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_TRUE(without_certificate(Bytes(whole).first(size)).empty()) << size;
}

TEST(TicketSession, ElementsThatReachBeyondTheirEndAreNone) {
  ByteBuffer broken = sequence({element(0x04, 48), element(0xa3, 420), element(0xa4, 130)});
  broken[5] = 0x7f;  // the length of the first element, now over the second's header
  EXPECT_TRUE(without_certificate(broken).empty());
}

}  // namespace
}  // namespace tideline::openssl
