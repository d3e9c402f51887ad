// Bounded MessagePack pull reader. Ours, because msgpack-c's C unpacker has no limits: five hostile bytes reserve gigabytes
// (src/DECISIONS.md). Every count is checked against the bytes left before anything is allocated; nothing is allocated here.
//
// Each take_*() reads one element of the expected type and returns false, for good, on anything else: read a whole message,
// then ask ok() once. Views point into the input. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace tideline::msgpack {

class Reader {
 public:
  explicit Reader(Bytes input) : input_(input) {}
  explicit Reader(ByteBuffer&& temporary) = delete;  // the reader points into its input

  /// The number of elements that follow; 0 when failed. A count greater than `most`, or than the bytes left, is an error.
  size_t take_array(size_t most);
  /// The number of key-value pairs that follow.
  size_t take_map(size_t most);
  uint64_t take_uint();
  int64_t take_integer();
  bool take_boolean();
  double take_real();
  std::string_view take_text(size_t most_bytes);   ///< must be UTF-8
  Bytes take_binary(size_t most_bytes);
  /// Skips one element of any kind with everything inside it, nested at most 16 deep: for fields of newer versions.
  void skip();
  /// Marks the message as wrong: for checks by the caller.
  void fail() { ok_ = false; }

  bool ok() const { return ok_; }
  /// All input was read and nothing failed.
  bool is_done() const { return ok_ && at_ == input_.size(); }
  size_t bytes_left() const { return input_.size() - at_; }
  /// Offset of the next element: for messages about what was wrong.
  size_t position() const { return at_; }

 private:
  uint64_t take_bytes(size_t count);
  Bytes take_span(uint64_t size, size_t most_bytes);
  size_t check_count(uint64_t count, size_t elements_each, size_t most);
  uint8_t take_tag();

  Bytes input_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace tideline::msgpack
