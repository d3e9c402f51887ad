// Reads from a block what a question asks for, the same at the edge and at the hub. Columns whose header rules them out are
// not decoded. Pure; any thread, one scratch per thread (at most 100 KB).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "block/decoder.hpp"

namespace tideline::block {

/// Half open, UTC.
struct ScanRange {
  int64_t from_ns = INT64_MIN;
  int64_t to_ns = INT64_MAX;
  /// Added to agent-stamped times before they are compared and handed out: the offset of the better anchor minus the
  /// block's utc_offset_ns (model/anchor.hpp). Sums stop at the ends of int64.
  int64_t agent_correction_ns = 0;
};

/// Takes what is found: one call for a column, readings in order of production, times corrected. The spans are good until
/// the call returns, the texts as long as the block.
class ScanSink {
 public:
  virtual ~ScanSink() = default;
  /// Whether this column is asked for; its times are as in the header, not corrected.
  virtual bool wants(const Column& column) = 0;
  virtual void on_values(const Column& column, std::span<const int64_t> times_ns, std::span<const uint64_t> values) = 0;
  virtual void on_texts(const Column& column, std::span<const int64_t> times_ns, std::span<const std::string_view> texts) = 0;
};

/// Working memory of scan(), kept by the caller between blocks.
struct ScanScratch {
  std::vector<int64_t> times_ns;
  std::vector<uint64_t> values;
  std::vector<std::string_view> texts;
};

/// The readings that were decoded (not: handed out). Errors: corrupt; columns before the damaged one have been handed out.
Result<uint32_t> scan(const BlockView& block, const ScanRange& range, ScanScratch& scratch, ScanSink& sink);

/// `time_ns` of an agent-stamped reading under `correction_ns`, stopping at the ends of int64.
int64_t corrected_time(int64_t time_ns, int64_t correction_ns);

/// True when the header does not rule out that `column` has readings in `range`.
bool may_overlap(const Column& column, const ScanRange& range);

}  // namespace tideline::block
