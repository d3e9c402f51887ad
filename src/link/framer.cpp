#include "link/framer.hpp"

#include <algorithm>
#include <cassert>

#include "base/limits.hpp"

namespace tideline::link {
namespace {

constexpr size_t idle_capacity_bytes = 4096;  // an idle connection keeps no more

}  // namespace

void append_frame(ByteBuffer& out, Bytes payload) {
  assert(!payload.empty() && payload.size() <= limits::frame_bytes);
  uint8_t header[frame_header_bytes];
  store_be32(header, static_cast<uint32_t>(payload.size()));
  append(out, header);
  append(out, payload);
}

Result<std::optional<Bytes>> FrameReader::next(Bytes& input) {
  if (returned_) {
    returned_ = false;
    if (buffer_.capacity() > idle_capacity_bytes) ByteBuffer().swap(buffer_);
    buffer_.clear();
  }
  size_t size = 0;  // of header and payload; 0 until the header is whole
  while (true) {
    const uint8_t* const header = buffer_.empty() ? input.data() : buffer_.data();
    const size_t have = buffer_.empty() ? input.size() : buffer_.size();
    if (have >= frame_header_bytes) {
      const uint32_t payload = load_be32(header);
      if (payload == 0 || payload > limits::frame_bytes) return Error{ErrorCode::limit, 0, "length of a link frame"};
      size = frame_header_bytes + payload;
    }
    if (size > 0 && have >= size) {
      if (!buffer_.empty()) {
        returned_ = true;
        return std::optional<Bytes>(Bytes(buffer_).subspan(frame_header_bytes));
      }
      const Bytes frame = input.subspan(frame_header_bytes, size - frame_header_bytes);
      input = input.subspan(size);
      return std::optional<Bytes>(frame);
    }
    if (input.empty()) return std::optional<Bytes>();
    // Never more than the frame: what follows stays in the caller's memory.
    if (size > buffer_.capacity()) buffer_.reserve(size);
    const size_t take = std::min(input.size(), (size > 0 ? size : frame_header_bytes) - buffer_.size());
    append(buffer_, input.first(take));
    input = input.subspan(take);
  }
}

}  // namespace tideline::link
