// The segments of one stream, oldest first; the newest may be active (open for writing).
//
// Owned by Store. Thread: store. After a crash: the files are the truth, this is derived from them. Memory: one
// SegmentSummary per file, whatever it holds.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/store/segment.hpp"

namespace tideline::agent {

/// Keeps the few sealed segments open that are being read.
class SegmentCache {
 public:
  /// The pointer holds until the next call on the cache.
  Result<Segment*> get(const std::string& path, const SegmentIdentity& identity);
  void forget(const std::string& path);
  void clear() { open_.clear(); }

 private:
  struct Entry {
    std::string path;
    Segment segment;
  };
  std::list<Entry> open_;  // most recently used first, at most limits::open_segments
};

class Ring {
 public:
  Ring(std::string directory, model::Stream stream, SegmentCache& cache)
      : directory_(std::move(directory)), stream_(stream), cache_(cache) {}

  std::string name(uint32_t number) const;
  std::string path(uint32_t number) const { return directory_ + "/" + name(number); }
  model::Stream stream() const { return stream_; }

  const std::vector<SegmentSummary>& segments() const { return segments_; }
  bool has_active() const { return active_.has_value(); }
  /// Highest sequence number in a segment, 0 if none.
  model::Seq last() const;
  uint64_t bytes() const;
  uint64_t readings() const;
  /// Index of the first segment that ends at or after `seq`; segments().size() if none.
  size_t index_at(model::Seq seq) const;
  bool holds_any(model::SeqRange range) const;

  /// Adds a file that was found at start or made by salvage; keeps the order by number.
  void add(const SegmentSummary& summary);
  void adopt_active(Segment segment, const SegmentSummary& summary);
  /// Creates the file of segment `identity.number` and makes it the active one, its name durable on return.
  Status start(const SegmentIdentity& identity);
  /// One transaction in the active segment. Of the series in `used` (by id), the definitions that the segment lacks go with it.
  Status append(std::span<const BlockRow> rows, const std::vector<bool>& used, const model::SeriesDictionary& dictionary);
  Status seal_active();
  /// Closes the active file without sealing: SQLite empties its WAL into it. It stays the active one at the next start.
  void close_active();
  /// After a failure: opens the active file again, takes back rows from `next` on. Errors: corrupt and others of Segment.
  Status reopen_active(const std::string& epoch, model::Seq next);
  /// Unlinks one file. The caller has declared what is lost.
  Status remove(size_t index);
  /// Forgets one file without touching it.
  void drop(size_t index);

  /// The segment of that index, open for reading. Holds until the next call.
  Result<Segment*> read(size_t index, const std::string& epoch);
  Segment* active() { return active_ ? &*active_ : nullptr; }

 private:
  std::string directory_;
  model::Stream stream_;
  SegmentCache& cache_;
  std::vector<SegmentSummary> segments_;
  std::optional<Segment> active_;       // the file of segments_.back()
  std::vector<bool> series_in_active_;  // by id
};

/// Parses "seg-normal-00000012.db" (prefix "seg-"); false when the name is another.
bool parse_segment_name(std::string_view name, std::string_view prefix, model::Stream& stream, uint32_t& number);

}  // namespace tideline::agent
