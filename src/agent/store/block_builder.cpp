#include "agent/store/block_builder.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {
namespace {

// Beyond this much text the block would likely not fit: starting a new one is cheaper than encoding twice.
constexpr size_t scratch_text_bytes = limits::block_bytes / 2;
constexpr size_t buffers_kept = 2;

bool is_same_base(const model::Anchor& a, const model::Anchor& b) {
  return a.boot_id == b.boot_id && a.offset_ns() == b.offset_ns() && a.quality == b.quality;
}

}  // namespace

Result<std::span<const BlockRow>> BlockBuilder::build(model::Stream stream, model::Seq first, uint64_t run_id,
                                                      std::span<const PendingBatch> batches) {
  rows_.clear();
  scratch_.clear();
  used_.clear();
  meta_ = {};
  meta_.stream = stream;
  meta_.first_seq = first;
  meta_.run_id = run_id;
  const PendingBatch* previous = nullptr;
  for (const PendingBatch& pending : batches) {
    if (previous != nullptr && !is_same_base(previous->anchor, pending.anchor)) RETURN_IF_ERROR(flush());
    previous = &pending;
    for (const model::Reading& reading : pending.batch.readings()) {
      if (scratch_.is_empty()) {
        meta_.boot_id = pending.anchor.boot_id;
        meta_.utc_offset_ns = pending.anchor.offset_ns();
        meta_.time_quality = pending.anchor.quality;
        meta_.mono_first_ns = pending.taken.nanos;
      }
      scratch_.add_from(reading, pending.batch.text());
      if (reading.series >= used_.size()) used_.resize(reading.series + 1);
      used_[reading.series] = true;
      meta_.mono_last_ns = pending.taken.nanos;
      if (scratch_.size() == limits::block_readings || scratch_.text().size() > scratch_text_bytes) RETURN_IF_ERROR(flush());
    }
  }
  RETURN_IF_ERROR(flush());
  // The buffers may have moved while they grew in number.
  for (size_t i = 0; i < rows_.size(); ++i) rows_[i].data = buffers_[i];
  return std::span<const BlockRow>(rows_);
}

Status BlockBuilder::flush() {
  if (scratch_.is_empty()) return {};
  RETURN_IF_ERROR(encode(scratch_.readings()));
  scratch_.clear();
  return {};
}

Status BlockBuilder::encode(std::span<const model::Reading> readings) {
  if (buffers_.size() == rows_.size()) buffers_.emplace_back();
  const Status encoded = encoder_.encode(meta_, readings, scratch_.text(), buffers_[rows_.size()]);
  if (!encoded && encoded.error().code == ErrorCode::limit && readings.size() > 1) {
    RETURN_IF_ERROR(encode(readings.first(readings.size() / 2)));
    return encode(readings.subspan(readings.size() / 2));
  }
  if (!encoded) return encoded;
  BlockRow row;
  row.first = meta_.first_seq;
  row.count = static_cast<uint32_t>(readings.size());
  const auto [least, most] = std::minmax_element(readings.begin(), readings.end(), [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
  row.time_min_ns = least->time_ns;
  row.time_max_ns = most->time_ns;
  row.boot_id = meta_.boot_id;
  row.utc_offset_ns = meta_.utc_offset_ns;
  rows_.push_back(row);
  meta_.first_seq += readings.size();
  return {};
}

void BlockBuilder::release() {
  rows_.clear();
  if (buffers_.size() > buffers_kept) buffers_.resize(buffers_kept);
}

BlockRow row_of(const block::BlockView& view, Bytes data) {
  BlockRow row;
  row.first = view.range().first;
  row.count = view.count();
  row.time_min_ns = view.time_min_ns();
  row.time_max_ns = view.time_max_ns();
  row.boot_id = view.meta().boot_id;
  row.utc_offset_ns = view.meta().utc_offset_ns;
  row.data = data;
  return row;
}

void note_series(const block::BlockView& view, std::vector<bool>& used) {
  for (const block::Column& column : view.columns()) {
    if (column.series >= limits::series_per_device) continue;
    if (column.series >= used.size()) used.resize(column.series + 1);
    used[column.series] = true;
  }
}

}  // namespace tideline::agent
