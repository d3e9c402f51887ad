// Frames of the link: a big-endian 32-bit length, then as many bytes of payload (FORMAT.md). The length is checked before
// anything is buffered.
//
// Pure. FrameReader is owned by one connection; it holds at most limits::frame_bytes of an incomplete frame, and nothing between
// frames.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace tideline::link {

inline constexpr size_t frame_header_bytes = 4;

/// Appends the header and `payload`. The payload must have 1 to limits::frame_bytes bytes.
void append_frame(ByteBuffer& out, Bytes payload);

class FrameReader {
 public:
  /// Takes bytes from the front of `input` until one frame is complete, and returns its payload; nothing when `input` is used
  /// up first. The payload lies in `input`'s memory or here: it is valid until the next call. Errors: limit (length 0 or beyond
  /// limits::frame_bytes; the connection cannot go on).
  Result<std::optional<Bytes>> next(Bytes& input);
  /// Of an incomplete frame.
  size_t buffered_bytes() const { return buffer_.size(); }

 private:
  ByteBuffer buffer_;    // header and payload of an incomplete frame
  bool returned_ = false;  // buffer_ holds the frame that was returned last
};

}  // namespace tideline::link
