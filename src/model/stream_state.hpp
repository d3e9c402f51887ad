// Sequence ranges, gaps, runs and stored blocks: what the outbox, the link and the archive say to each other about a stream.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "model/series.hpp"

namespace tideline::model {

/// Sequence number of a reading within (device, epoch, stream). The first is 1; 0 means "none".
using Seq = uint64_t;

/// Inclusive. Empty when first > last.
struct SeqRange {
  Seq first = 1;
  Seq last = 0;
  bool is_empty() const { return first > last; }
  uint64_t count() const { return is_empty() ? 0 : last - first + 1; }
  bool contains(Seq seq) const { return seq >= first && seq <= last; }
  bool operator==(const SeqRange&) const = default;
};

/// Why readings are missing. Stored and sent: never renumber.
enum class GapReason : uint8_t {
  evicted = 0,    ///< policy: no space
  damaged = 1,    ///< stored bytes could not be read back
  rollback = 2,   ///< the device's store is older than what the hub holds; nothing was lost at the hub
  refused = 3,    ///< the hub could not decode the block; it is set aside at the device
  overrun = 4,    ///< produced faster than could be stored; never had been acknowledged to a producer
  disk_full = 5,  ///< no space to commit
  hub_rollback = 6,  ///< delivered and deleted here, then lost by the hub, which was restored from an older backup
};
inline constexpr uint8_t gap_reason_count = 7;
const char* gap_reason_name(GapReason reason);

/// "These readings are missing." `count` is how many were lost as far as is known; it may be less than the width of the
/// range when numbers were skipped for safety, and then `at_least` is set.
struct Gap {
  Stream stream = Stream::normal;
  SeqRange range;
  uint64_t count = 0;
  GapReason reason = GapReason::evicted;
  bool at_least = false;
  int64_t from_ns = 0;      ///< UTC of the first and last missing reading where known, else 0
  int64_t to_ns = 0;
  int64_t declared_ns = 0;  ///< UTC at which the gap was declared
  bool operator==(const Gap&) const = default;
};

/// Whether something of it may be missing in [from, to): the times of a gap may be unknown.
bool may_touch(const Gap& gap, int64_t from_ns, int64_t to_ns);

/// One opening of a store by one process. A run id is random, so two copies of one store image never share the runs
/// that they made after they parted: that is how a restored image is found out (src/link/FORMAT.md).
struct Run {
  uint64_t id = 0;
  Seq first[stream_count] = {1, 1, 1};  ///< next sequence of each stream when the run began
  bool operator==(const Run&) const = default;
};

/// A block as stored and sent, with the parts of its header that routing needs.
struct StoredBlock {
  Stream stream = Stream::normal;
  SeqRange range;
  ByteBuffer bytes;  ///< as of src/block/FORMAT.md
};

/// Sorted, disjoint, non-adjacent ranges with a bound on their number.
class SeqRanges {
 public:
  /// Joins `range`; false (unchanged) if that would need more than `most` ranges.
  bool add(SeqRange range, size_t most);
  bool contains(Seq seq) const;
  bool covers(SeqRange range) const;
  /// End of the run that starts at 1 (the cumulative cursor), 0 if 1 is missing.
  Seq cursor() const;
  /// The first range of numbers in [from, to] that is not held; empty if all are.
  SeqRange first_missing(Seq from, Seq to) const;
  const std::vector<SeqRange>& ranges() const { return ranges_; }
  void clear() { ranges_.clear(); }
  bool operator==(const SeqRanges&) const = default;

 private:
  std::vector<SeqRange> ranges_;
};

}  // namespace tideline::model
