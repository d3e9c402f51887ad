// Makes a block: up to limits::block_readings readings of one stream, columnar, checksummed (FORMAT.md).
//
// Pure; one Encoder per thread (it keeps its scratch memory between calls, bounded by the limits of a block).
// Lossless: the decoder returns the exact bits given here.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/anchor.hpp"
#include "model/reading.hpp"
#include "model/stream_state.hpp"

namespace tideline::block {

/// What the header says about the whole block.
struct BlockMeta {
  model::Stream stream = model::Stream::normal;
  model::Seq first_seq = 1;
  uint64_t run_id = 0;         ///< model::Run that produced it
  uint64_t boot_id = 0;        ///< domain of the monotonic times
  int64_t mono_first_ns = 0;   ///< monotonic time when the first and the last reading were taken in
  int64_t mono_last_ns = 0;
  int64_t utc_offset_ns = 0;   ///< offset of the anchor with which agent-stamped times were made
  model::TimeQuality time_quality = model::TimeQuality::none;
};

class Encoder {
 public:
  Encoder();
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// Replaces `out` with the block of `readings` (1 to limits::block_readings; texts lie in `text`). Readings are grouped
  /// into one column pair per (series, type, time source), in order of first appearance; within a column they keep their
  /// order. Reading number i in that canonical order has sequence first_seq + i.
  /// Errors: limit when the block would exceed limits::block_bytes, block_readings or block_columns (halve and try again);
  /// invalid when there are no readings, a text is not UTF-8, outside `text` or longer than limits::text_value_bytes, a boolean
  /// is neither 0 nor 1, or the sequence numbers would pass 2^64.
  Status encode(const BlockMeta& meta, std::span<const model::Reading> readings, std::string_view text, ByteBuffer& out);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace tideline::block
