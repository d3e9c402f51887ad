// Decodes one column of a stored block and corrects its times. Scratch memory is kept between calls and bounded by the limits
// of a block.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "block/decoder.hpp"
#include "block/scan.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {

/// Points into the decoder that made it and into the block; valid until its next decode().
struct DecodedColumn {
  model::SeriesId series = 0;
  model::ValueType type = model::ValueType::f64;
  std::span<const int64_t> times_ns;             ///< corrected
  std::span<const uint64_t> bits;                ///< empty for text
  std::span<const std::string_view> texts;       ///< text only
};

/// By how much times of `column` are off: only what the agent stamped moves (model/anchor.hpp).
inline int64_t shift_of(const block::Column& column, int64_t shift_ns) {
  return column.time_source == model::TimeSource::agent ? shift_ns : 0;
}

class ColumnDecoder {
 public:
  /// Errors: corrupt.
  Result<DecodedColumn> decode(const block::Column& column, int64_t shift_ns) {
    DecodedColumn decoded;
    decoded.series = column.series;
    decoded.type = column.type;
    times_.resize(column.count);
    RETURN_IF_ERROR(block::BlockView::read_times(column, times_));
    const int64_t shift = shift_of(column, shift_ns);
    if (shift != 0) std::for_each(times_.begin(), times_.end(), [&](int64_t& time) { time = block::corrected_time(time, shift); });
    decoded.times_ns = times_;
    if (column.type == model::ValueType::text) {
      texts_.resize(column.count);
      RETURN_IF_ERROR(block::BlockView::read_texts(column, texts_));
      decoded.texts = texts_;
    } else {
      bits_.resize(column.count);
      RETURN_IF_ERROR(block::BlockView::read_values(column, bits_));
      decoded.bits = bits_;
    }
    return decoded;
  }

 private:
  std::vector<int64_t> times_;
  std::vector<uint64_t> bits_;
  std::vector<std::string_view> texts_;
};

/// Smallest and largest corrected time of a block.
struct TimeRange {
  int64_t min_ns = INT64_MAX;
  int64_t max_ns = INT64_MIN;
};
inline TimeRange time_range(const block::BlockView& view, int64_t shift_ns) {
  TimeRange range;
  for (const block::Column& column : view.columns()) {
    const int64_t shift = shift_of(column, shift_ns);
    range.min_ns = std::min(range.min_ns, block::corrected_time(column.time_min_ns, shift));
    range.max_ns = std::max(range.max_ns, block::corrected_time(column.time_max_ns, shift));
  }
  return range;
}

}  // namespace tideline::hub
