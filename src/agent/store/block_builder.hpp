// Turns pending batches into block rows: as large as a block may be, one anchor per block.
//
// Owned by Store. Thread: store. Bounded: the rows of one commit, and a scratch batch of one block.
#pragma once

#include <span>
#include <vector>

#include "agent/store/pending.hpp"
#include "agent/store/segment.hpp"
#include "block/decoder.hpp"
#include "block/encoder.hpp"

namespace tideline::agent {

class BlockBuilder {
 public:
  /// Numbers the readings of `batches` from `first` on. The rows are valid until release() or the next call.
  /// Errors: invalid (a text that is not UTF-8: checked at append, so a bug), limit.
  Result<std::span<const BlockRow>> build(model::Stream stream, model::Seq first, uint64_t run_id, std::span<const PendingBatch> batches);
  /// Series of the last build(), by id.
  const std::vector<bool>& used_series() const { return used_; }
  /// Gives back the memory of a large commit.
  void release();

 private:
  Status flush();
  Status encode(std::span<const model::Reading> readings);

  block::Encoder encoder_;
  block::BlockMeta meta_;
  model::ReadingBatch scratch_;
  std::vector<ByteBuffer> buffers_;  // data of rows_, reused
  std::vector<BlockRow> rows_;
  std::vector<bool> used_;
};

/// The row of a block that is encoded already.
BlockRow row_of(const block::BlockView& view, Bytes data);
/// Adds the series of a block to `used`, by id.
void note_series(const block::BlockView& view, std::vector<bool>& used);

}  // namespace tideline::agent
