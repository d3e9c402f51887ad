// Gives a block new sequence numbers and another run without encoding it again: for a device whose store turned out older
// than what the hub holds (agent/outbox.hpp, rebase). Pure.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/stream_state.hpp"

namespace tideline::block {

/// Replaces `out` (not the bytes of `block`) with the same readings numbered from `first` on and produced by `run_id`. Cost:
/// two checksums and a copy. Errors: those of BlockView::open(); invalid when `first` is 0 or the numbers would pass 2^64.
Status renumber(Bytes block, model::Seq first, uint64_t run_id, ByteBuffer& out);

}  // namespace tideline::block
