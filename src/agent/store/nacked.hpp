// Blocks that the hub could not decode, kept for a person to look at: nacked.db, bounded by limits::nacked_bytes, oldest out.
//
// Owned by Store. Thread: store. Opened only while it is used. Its loss loses evidence, not accounting: the gap is in state.db.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/stream_state.hpp"

namespace tideline::agent {

class Nacked {
 public:
  explicit Nacked(const std::string& directory) : path_(directory + "/nacked.db") {}
  /// Durable on return. A damaged file is started anew.
  Status add(model::Stream stream, model::SeqRange range, Bytes block, int64_t utc_ns);

 private:
  Status insert(model::Stream stream, model::SeqRange range, Bytes block, int64_t utc_ns);
  std::string path_;
};

}  // namespace tideline::agent
