// Reads a block (FORMAT.md). Every byte comes from outside: all counts and lengths are checked before use, and memory is
// bounded by limits::block_readings whatever the input says. Pure; any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "block/encoder.hpp"
#include "block/layout.hpp"
#include "model/reading.hpp"

namespace tideline::block {

/// One (series, type, time source) group. first/last are in order of production; min/max by value (numbers and booleans;
/// NaN is ignored; for text and for columns of NaN only both equal `first`). Values are bits as in model::Reading, except
/// text: for text the four value fields are 0.
struct Column {
  model::SeriesId series = 0;
  model::ValueType type = model::ValueType::f64;
  model::TimeSource time_source = model::TimeSource::agent;
  uint32_t count = 0;
  int64_t time_first_ns = 0;
  int64_t time_last_ns = 0;
  int64_t time_min_ns = 0;
  int64_t time_max_ns = 0;
  uint64_t value_first = 0;
  uint64_t value_last = 0;
  uint64_t value_min = 0;
  uint64_t value_max = 0;
  uint32_t seq_offset = 0;    ///< sequence of the column's first reading minus the block's first
  Bytes time_bytes;           ///< encoded; point into the block given to open()
  Bytes value_bytes;
  ColumnCoding coding;        ///< for the decoder
};

/// A block whose header was parsed and whose checksum was verified. Points into the bytes given to open(), which must
/// outlive it.
class BlockView {
 public:
  /// Checks checksum, version and every header field. Cost: one CRC and one pass over the header (bench block_open).
  /// Errors: corrupt, unsupported (a newer major version), limit.
  static Result<BlockView> open(Bytes block);

  const BlockMeta& meta() const { return meta_; }
  uint32_t count() const { return count_; }
  model::SeqRange range() const { return {meta_.first_seq, meta_.first_seq + count_ - 1}; }
  /// Over all columns; agent-stamped times as encoded, not corrected.
  int64_t time_min_ns() const { return time_min_ns_; }
  int64_t time_max_ns() const { return time_max_ns_; }
  const std::vector<Column>& columns() const { return columns_; }

  /// Decodes into `out` (exactly column.count entries, which are undefined after an error). What comes out agrees with
  /// first, last, min and max of the column. Errors: corrupt.
  static Status read_times(const Column& column, std::span<int64_t> out);
  /// Numbers and booleans, as bits; they agree with first and last of the column. Errors: corrupt, invalid for text columns.
  static Status read_values(const Column& column, std::span<uint64_t> out);
  /// Text columns; the views point into the block. Errors: corrupt, invalid for other columns.
  static Status read_texts(const Column& column, std::span<std::string_view> out);

 private:
  BlockMeta meta_;
  uint32_t count_ = 0;
  int64_t time_min_ns_ = 0;
  int64_t time_max_ns_ = 0;
  std::vector<Column> columns_;
};

/// What can be read from the first bytes of a block alone, even if the rest is damaged: used to salvage and to carve.
struct BlockPrologue {
  model::Stream stream = model::Stream::normal;
  model::Seq first_seq = 0;
  uint32_t count = 0;
  uint32_t size = 0;  ///< of the whole block
};
inline constexpr size_t prologue_bytes = 32;
/// Parses the fixed prologue, which has a magic number and a checksum of its own, so that it can be found in raw pages of a
/// damaged file. Errors: corrupt.
Result<BlockPrologue> read_prologue(Bytes bytes);
inline constexpr uint8_t block_magic[4] = {0x54, 0x44, 0x4c, 0x42};  // "TDLB"

}  // namespace tideline::block
