// The newest reading of each series, kept in memory as readings pass by: the answer to "now" without touching the disk. What was stored
// before this process began is added by its owner, who reads it back once.
//
// Owned by BuiltinProvider. Thread: loop. Bounds: one entry per series (limits::series_per_device), texts cut at
// limits::latest_text_bytes.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/gateway/agent_services.hpp"
#include "model/reading.hpp"

namespace tideline::agent {

struct LatestReading {
  model::Point point;
  model::TimeQuality quality = model::TimeQuality::none;
  bool is_known = false;
  bool is_cut = false;     ///< only the beginning of the text is kept
  bool is_ours = false;    ///< stamped by this agent in this run: moves when the clock is corrected
  bool is_fresh = false;   ///< in the list of its class, see take_fresh()
};

class LatestReadings {
 public:
  /// The readings of one turn; the same ones twice change nothing.
  void take(model::Stream stream, const model::ReadingBatch& batch, const Moment& moment);
  /// One that was read back; kept when none newer is known.
  void add_stored(model::SeriesId series, const model::Point& point, model::TimeQuality quality);
  /// Nothing known: null.
  const LatestReading* find(model::SeriesId series, const Moment& moment);
  /// Series of class `stream` that got readings since the last call.
  std::vector<model::SeriesId> take_fresh(model::Stream stream);

 private:
  LatestReading& entry(model::SeriesId series);
  void correct(const Moment& moment);

  std::vector<LatestReading> entries_;  // by series id
  std::array<std::vector<model::SeriesId>, model::stream_count> fresh_;
  int64_t offset_ns_ = 0;
  bool has_offset_ = false;
};

}  // namespace tideline::agent
