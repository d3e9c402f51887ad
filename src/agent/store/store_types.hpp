// What the edge store is told and what it says of itself. Plain values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "model/anchor.hpp"
#include "model/stream_state.hpp"

namespace tideline::agent {

/// What the producer waits for. Law 1: `synced` unless it asked for less.
enum class Durability : uint8_t {
  synced,   ///< commit at once (grouped with what else is waiting), report after the sync
  grouped,  ///< commit with the class's interval, report after that sync
};

struct StoreOptions {
  std::string directory;                       ///< state directory, exists, ours
  uint64_t store_bytes = limits::store_bytes_default;      ///< all segments together
  uint64_t history_bytes = limits::history_bytes_default;  ///< acknowledged segments kept for local questions
  uint64_t segment_bytes = limits::segment_bytes;
  uint64_t free_bytes_least = limits::free_bytes_least;
  uint64_t free_inodes_least = limits::free_inodes_least;
  Duration normal_commit = limits::normal_commit;
  Duration bulk_commit = limits::bulk_commit;
};

/// Snapshot of one stream, as known after the last commit.
struct StreamStatus {
  model::Seq first_held = 1;       ///< oldest reading still in a segment
  int64_t first_held_ns = INT64_MAX;  ///< UTC of the oldest of them, as stamped; INT64_MAX when none is held
  model::Seq next = 1;             ///< sequence of the next reading
  model::SeqRanges acknowledged;   ///< as told by the hub; survives restarts only as a hint
  uint64_t held_readings = 0;
  uint64_t held_bytes = 0;
  uint64_t pending_readings = 0;   ///< appended, not yet committed: the loss window
  uint64_t lost_readings = 0;      ///< in gap records since the epoch began, rollback gaps not counted
};

struct StoreStatus {
  std::string epoch;               ///< 32 hexadecimal digits
  uint32_t incarnation = 0;
  model::Run run;
  model::Anchor anchor;            ///< in force now
  std::array<StreamStatus, model::stream_count> streams;
  uint64_t disk_bytes = 0;         ///< used by the store
  uint64_t disk_free_bytes = 0;
  uint32_t segments = 0;
  uint32_t bad_segments = 0;
  uint64_t commits = 0;
  uint64_t appended = 0;           ///< readings since start
  uint64_t dropped = 0;            ///< readings refused since start (overrun, disk full)
  Duration last_commit_took;
  Duration slowest_commit;
  bool failed = false;             ///< a commit failed: appends are refused until reopened, which is tried on a timer
  bool disk_full = false;
};

}  // namespace tideline::agent
