#include "agent/store/renumber.hpp"

#include "block/decoder.hpp"
#include "block/encoder.hpp"
#include "block/renumber.hpp"

namespace tideline::agent {
namespace {

/// All readings in canonical order: columns one after the other.
Status decode(const block::BlockView& view, model::ReadingBatch& out) {
  std::vector<int64_t> times;
  std::vector<uint64_t> values;
  std::vector<std::string_view> texts;
  for (const block::Column& column : view.columns()) {
    times.resize(column.count);
    RETURN_IF_ERROR(block::BlockView::read_times(column, times));
    const bool is_text = column.type == model::ValueType::text;
    if (is_text) {
      texts.resize(column.count);
      RETURN_IF_ERROR(block::BlockView::read_texts(column, texts));
    } else {
      values.resize(column.count);
      RETURN_IF_ERROR(block::BlockView::read_values(column, values));
    }
    for (size_t i = 0; i < column.count; ++i) {
      if (is_text) {
        out.add_text(column.series, {times[i], column.time_source}, texts[i]);
      } else {
        out.add_from({times[i], values[i], column.series, column.type, column.time_source}, {});
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<ByteBuffer>> renumber_block(Bytes block, model::Seq from, model::Seq next) {
  ASSIGN_OR_RETURN(const block::BlockView view, block::BlockView::open(block));
  const model::SeqRange range = view.range();
  std::vector<ByteBuffer> out;
  if (range.last < from) {
    out.emplace_back(block.begin(), block.end());
    return out;
  }
  block::BlockMeta meta = view.meta();
  if (range.first >= from) {
    RETURN_IF_ERROR(block::renumber(block, range.first - from + next, meta.run_id, out.emplace_back()));
    return out;
  }
  model::ReadingBatch batch;
  RETURN_IF_ERROR(decode(view, batch));
  const std::span<const model::Reading> readings(batch.readings());
  const auto kept = static_cast<size_t>(from - range.first);
  block::Encoder encoder;
  RETURN_IF_ERROR(encoder.encode(meta, readings.first(kept), batch.text(), out.emplace_back()));
  meta.first_seq = next;
  RETURN_IF_ERROR(encoder.encode(meta, readings.subspan(kept), batch.text(), out.emplace_back()));
  return out;
}

}  // namespace tideline::agent
