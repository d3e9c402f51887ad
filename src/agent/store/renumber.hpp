// Gives the readings of a block other sequence numbers. Pure.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/stream_state.hpp"

namespace tideline::agent {

/// The block with readings from number `from` on renumbered to start at `next`: itself, one block, or two when `from` lies
/// inside. Errors: corrupt.
Result<std::vector<ByteBuffer>> renumber_block(Bytes block, model::Seq from, model::Seq next);

}  // namespace tideline::agent
