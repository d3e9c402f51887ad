#include "link/framer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/limits.hpp"

namespace tideline::link {
namespace {

ByteBuffer frames_of(const std::vector<std::string>& payloads) {
  ByteBuffer out;
  for (const std::string& payload : payloads) append_frame(out, as_bytes(payload));
  return out;
}

/// Feeds `wire` in pieces of `piece` bytes.
std::vector<std::string> read_all(const ByteBuffer& wire, size_t piece) {
  FrameReader reader;
  std::vector<std::string> got;
  for (size_t at = 0; at < wire.size(); at += piece) {
    Bytes input = Bytes(wire).subspan(at, std::min(piece, wire.size() - at));
    while (true) {
      const auto frame = reader.next(input);
      EXPECT_TRUE(frame);
      if (!frame || !*frame) break;
      got.emplace_back(as_text(**frame));
    }
    EXPECT_TRUE(input.empty());
  }
  EXPECT_EQ(reader.buffered_bytes(), 0u);
  return got;
}

TEST(FrameReader, FramesComeOutWhereverTheWireIsCut) {
  const std::vector<std::string> payloads{"a", std::string(300, 'b'), "c", std::string(70, 'd'), "e"};
  const ByteBuffer wire = frames_of(payloads);
  for (size_t piece = 1; piece <= wire.size(); ++piece) EXPECT_EQ(read_all(wire, piece), payloads) << piece;
}

TEST(FrameReader, AWholeFrameIsNotCopied) {
  const ByteBuffer wire = frames_of({"payload"});
  FrameReader reader;
  Bytes input = wire;
  const auto frame = reader.next(input);
  EXPECT_EQ((*frame)->data(), wire.data() + frame_header_bytes);
}

TEST(FrameReader, TheLargestFrameFitsOneMoreDoesNot) {
  const std::string largest(limits::frame_bytes, 'x');
  EXPECT_EQ(read_all(frames_of({largest, "next"}), 1000), (std::vector<std::string>{largest, "next"}));
  uint8_t header[frame_header_bytes];
  store_be32(header, limits::frame_bytes + 1);
  FrameReader reader;
  Bytes input = header;
  EXPECT_EQ(reader.next(input).error().code, ErrorCode::limit);
}

TEST(FrameReader, LengthIsJudgedBeforeAnythingIsBuffered) {
  for (const uint32_t length : {0u, 0xffffffffu, 0x80000000u, static_cast<uint32_t>(limits::frame_bytes) + 1}) {
    uint8_t header[frame_header_bytes];
    store_be32(header, length);
    FrameReader reader;
    for (size_t i = 0; i < frame_header_bytes; ++i) {
      Bytes input(&header[i], 1);
      const auto frame = reader.next(input);
      EXPECT_EQ(frame.has_value(), i + 1 < frame_header_bytes);
      EXPECT_LE(reader.buffered_bytes(), frame_header_bytes);
    }
  }
}

TEST(FrameReader, NothingIsKeptOfWhatFollows) {
  ByteBuffer wire = frames_of({"one", "two"});
  FrameReader reader;
  Bytes input = Bytes(wire).first(5);
  EXPECT_FALSE(*reader.next(input));
  EXPECT_EQ(reader.buffered_bytes(), 5u);
  input = Bytes(wire).subspan(5);
  EXPECT_EQ(as_text(**reader.next(input)), "one");
  EXPECT_EQ(input.size(), wire.size() - 7);
}

}  // namespace
}  // namespace tideline::link
