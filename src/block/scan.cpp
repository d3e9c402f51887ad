#include "block/scan.hpp"

namespace tideline::block {
namespace {

int64_t correction_of(const Column& column, const ScanRange& range) {
  return column.time_source == model::TimeSource::agent ? range.agent_correction_ns : 0;
}

/// Moves the entries whose time is in range to the front of `times` and `values`; returns their number. No branch in the loop:
/// which readings fit is anybody's guess at the edges of the range.
template <class Value>
size_t keep_in_range(const ScanRange& range, std::span<int64_t> times, std::span<Value> values) {
  size_t kept = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    const int64_t time = times[i];
    times[kept] = time;
    values[kept] = values[i];
    kept += static_cast<size_t>(time >= range.from_ns) & static_cast<size_t>(time < range.to_ns);
  }
  return kept;
}

/// The column's corrected times, decoded into scratch.
Status read_corrected_times(const Column& column, int64_t correction_ns, std::span<int64_t> times) {
  RETURN_IF_ERROR(BlockView::read_times(column, times));
  if (correction_ns != 0) {
    for (int64_t& time : times) time = corrected_time(time, correction_ns);
  }
  return {};
}

Status scan_column(const Column& column, const ScanRange& range, ScanScratch& scratch, ScanSink& sink) {
  const int64_t correction_ns = correction_of(column, range);
  scratch.times_ns.resize(column.count);
  RETURN_IF_ERROR(read_corrected_times(column, correction_ns, scratch.times_ns));
  const bool whole = corrected_time(column.time_min_ns, correction_ns) >= range.from_ns &&
                     corrected_time(column.time_max_ns, correction_ns) < range.to_ns;
  size_t kept = column.count;
  if (column.type == model::ValueType::text) {
    scratch.texts.resize(column.count);
    RETURN_IF_ERROR(BlockView::read_texts(column, scratch.texts));
    if (!whole) kept = keep_in_range<std::string_view>(range, scratch.times_ns, scratch.texts);
    if (kept > 0) sink.on_texts(column, std::span(scratch.times_ns).first(kept), std::span(scratch.texts).first(kept));
    return {};
  }
  scratch.values.resize(column.count);
  RETURN_IF_ERROR(BlockView::read_values(column, scratch.values));
  if (!whole) kept = keep_in_range<uint64_t>(range, scratch.times_ns, scratch.values);
  if (kept > 0) sink.on_values(column, std::span(scratch.times_ns).first(kept), std::span(scratch.values).first(kept));
  return {};
}

}  // namespace

int64_t corrected_time(int64_t time_ns, int64_t correction_ns) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(time_ns, correction_ns, &sum)) return sum;
  return correction_ns > 0 ? INT64_MAX : INT64_MIN;
}

bool may_overlap(const Column& column, const ScanRange& range) {
  const int64_t correction_ns = correction_of(column, range);
  return corrected_time(column.time_max_ns, correction_ns) >= range.from_ns &&
         corrected_time(column.time_min_ns, correction_ns) < range.to_ns;
}

Result<uint32_t> scan(const BlockView& block, const ScanRange& range, ScanScratch& scratch, ScanSink& sink) {
  uint32_t decoded = 0;
  for (const Column& column : block.columns()) {
    if (!may_overlap(column, range) || !sink.wants(column)) continue;
    RETURN_IF_ERROR(scan_column(column, range, scratch, sink));
    decoded += column.count;
  }
  return decoded;
}

}  // namespace tideline::block
