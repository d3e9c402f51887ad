// One segment: a SQLite file with consecutive blocks of one stream, and the series definitions that they use.
//
// Owned by Ring (the active one) or SegmentCache (sealed ones). Thread: store. After a crash an active segment holds every
// append() that returned; a sealed one never changes again. Bounded by StoreOptions::segment_bytes plus one commit.
// No row is ever deleted or changed, except that reopen_after_failure() takes back what nobody was told of.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/stream_state.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::agent {

/// A row of the table `block`. Times are as encoded; `data` belongs to the caller and is empty in what is read.
struct BlockRow {
  model::Seq first = 0;
  uint32_t count = 0;
  int64_t time_min_ns = 0;
  int64_t time_max_ns = 0;
  uint64_t boot_id = 0;
  int64_t utc_offset_ns = 0;
  Bytes data;
  model::SeqRange range() const { return {first, first + count - 1}; }
};

struct SegmentIdentity {
  std::string epoch;
  uint32_t incarnation = 0;
  model::Stream stream = model::Stream::normal;
  uint32_t number = 0;
};

/// What is kept in memory of a segment, whatever it holds.
struct SegmentSummary {
  uint32_t number = 0;
  bool sealed = false;
  model::SeqRange range;        ///< first and last reading; there may be holes after a salvage
  uint64_t readings = 0;
  uint64_t bytes = 0;           ///< of the file, estimated while it is active
  int64_t time_min_ns = INT64_MAX;
  int64_t time_max_ns = INT64_MIN;
  int64_t offset_min_ns = INT64_MAX;  ///< of the blocks' utc_offset
  int64_t offset_max_ns = INT64_MIN;
  uint64_t boot_id = 0;         ///< 0 when blocks of several boots are in it
  void add(const BlockRow& row);
};

struct SeriesRow {
  model::SeriesId id = 0;
  const model::Series* series = nullptr;
};

class Segment {
 public:
  /// A new, empty file, durable on return except for its directory entry.
  static Result<Segment> create(const std::string& path, const SegmentIdentity& identity);
  /// An unsealed file; SQLite replays its WAL. Errors: corrupt also when the file belongs to another epoch or stream.
  static Result<Segment> open(const std::string& path, const SegmentIdentity& identity);
  static Result<Segment> open_sealed(const std::string& path, const SegmentIdentity& identity);

  /// Appends in one transaction, durable on return, all or nothing. Rows ascend and lie behind all others.
  Status append(std::span<const BlockRow> rows, std::span<const SeriesRow> series);
  /// Makes the file final: one file, no WAL, never written again. The object can only be destroyed afterwards.
  Status seal(const SegmentSummary& summary);
  /// Structure of all pages and checksums of the newest blocks. Cost: reads the file. Errors: corrupt.
  Status check(size_t newest_blocks);
  /// Moves the WAL into the file (after a failed sync nothing more may be added to that WAL), then takes back rows from
  /// `next` on: their commit failed, so nobody was told of them.
  Status repair_after_failure(model::Seq next);

  Result<SegmentSummary> summarize(bool sealed);
  /// The row that holds `seq`, else the first one behind it, else nullopt. Without data.
  Result<std::optional<BlockRow>> find(model::Seq seq);
  /// The newest row that starts before `seq`. Without data.
  Result<std::optional<BlockRow>> find_before(model::Seq seq);
  /// Replaces `out` with the block that starts at `first`, checksum not checked. Errors: corrupt when it is not there.
  Status read_data(model::Seq first, ByteBuffer& out);
  /// Every definition in the file. Damaged ones are left out.
  Result<std::vector<std::pair<model::SeriesId, model::Series>>> read_series();
  /// Identity as the file says it.
  Result<SegmentIdentity> read_identity();

 private:
  explicit Segment(sqlite::Database database) : database_(std::move(database)) {}
  Status check_identity(const SegmentIdentity& identity);
  Status put_meta(const char* key, std::string_view value);
  Result<std::string> meta(const char* key);
  Result<int64_t> meta_integer(const char* key);
  Status prepare();
  Status insert(std::span<const BlockRow> rows, std::span<const SeriesRow> series);

  sqlite::Database database_;
  sqlite::Statement insert_block_;
  sqlite::Statement insert_series_;
  sqlite::Statement select_before_;
  sqlite::Statement select_after_;
  sqlite::Statement select_data_;
  size_t wal_pages_ = 0;  // since the last checkpoint, estimated
};

enum class SegmentForm : uint8_t { missing, empty, damaged, unsealed, sealed };
/// What the first bytes of the file say; opens nothing with SQLite, which may delete a WAL that is still worth carving.
SegmentForm inspect_segment(const std::string& path);

}  // namespace tideline::agent
