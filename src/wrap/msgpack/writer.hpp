// MessagePack output through msgpack-c's packer, appended to a buffer. Pure; no error is possible.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace tideline::msgpack {

class Writer {
 public:
  /// Appends to `out`, which outlives the writer.
  explicit Writer(ByteBuffer& out) : out_(out) {}
  Writer& array(size_t count);
  Writer& map(size_t count);
  Writer& uint(uint64_t value);
  Writer& integer(int64_t value);
  Writer& boolean(bool value);
  Writer& nil();
  Writer& real(double value);
  Writer& text(std::string_view value);
  Writer& binary(Bytes value);

 private:
  ByteBuffer& out_;
};

}  // namespace tideline::msgpack
