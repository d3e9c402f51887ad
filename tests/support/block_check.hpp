// What every test of blocks does: encode, decode, compare bit by bit.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "block/decoder.hpp"
#include "block/encoder.hpp"
#include "model/reading.hpp"

namespace tideline::support {

/// Meta as a real agent has it: nothing is zero, nothing compresses by luck.
inline block::BlockMeta realistic_meta(int64_t first_time_ns, int64_t last_time_ns) {
  block::BlockMeta meta;
  meta.stream = model::Stream::normal;
  meta.first_seq = 1'234'567;
  meta.run_id = 0x8f3a5c1d7e902b64;
  meta.boot_id = 0xd1b54a32d192ed03;
  // Three days after boot; modulo 2^64, because tests use the ends of time.
  const auto first = static_cast<uint64_t>(first_time_ns);
  const uint64_t offset = first - 273'456'789'012'345;
  meta.utc_offset_ns = static_cast<int64_t>(offset);
  meta.mono_first_ns = static_cast<int64_t>(first - offset + 183'214);
  meta.mono_last_ns = static_cast<int64_t>(static_cast<uint64_t>(last_time_ns) - offset + 201'755);
  meta.time_quality = model::TimeQuality::synced;
  return meta;
}
inline block::BlockMeta realistic_meta(const model::ReadingBatch& batch) {
  return realistic_meta(batch.readings().front().time_ns, batch.readings().back().time_ns);
}

/// A reading with its text: comparable.
struct FlatReading {
  model::SeriesId series = 0;
  model::ValueType type = model::ValueType::f64;
  model::TimeSource source = model::TimeSource::agent;
  int64_t time_ns = 0;
  uint64_t bits = 0;
  std::string text;
  bool operator==(const FlatReading&) const = default;
};

/// The canonical order of a block: by column in order of first appearance.
inline std::vector<FlatReading> canonical(std::span<const model::Reading> readings, std::string_view text) {
  using Key = std::tuple<model::SeriesId, model::ValueType, model::TimeSource>;
  std::map<Key, size_t> column_of;
  std::vector<std::vector<FlatReading>> columns;
  for (const model::Reading& reading : readings) {
    const auto [found, added] = column_of.try_emplace({reading.series, reading.type, reading.time_source}, columns.size());
    if (added) columns.emplace_back();
    FlatReading flat{reading.series, reading.type, reading.time_source, reading.time_ns, reading.bits, {}};
    if (reading.type == model::ValueType::text) {
      flat.text = model::ReadingBatch::text_of(reading, text);
      flat.bits = 0;
    }
    columns[found->second].push_back(flat);
  }
  std::vector<FlatReading> all;
  for (const auto& column : columns) all.insert(all.end(), column.begin(), column.end());
  return all;
}

/// Everything a block holds, or nothing when a column is damaged.
inline Result<std::vector<FlatReading>> decode_all(const block::BlockView& view) {
  std::vector<FlatReading> all;
  for (const block::Column& column : view.columns()) {
    std::vector<int64_t> times(column.count);
    std::vector<uint64_t> values(column.count);
    std::vector<std::string_view> texts(column.count);
    RETURN_IF_ERROR(block::BlockView::read_times(column, times));
    if (column.type == model::ValueType::text) {
      RETURN_IF_ERROR(block::BlockView::read_texts(column, texts));
    } else {
      RETURN_IF_ERROR(block::BlockView::read_values(column, values));
    }
    for (size_t i = 0; i < column.count; ++i) {
      all.push_back({column.series, column.type, column.time_source, times[i], values[i], std::string(texts[i])});
    }
  }
  return all;
}

inline ByteBuffer encode_or_fail(const model::ReadingBatch& batch, const block::BlockMeta& meta) {
  block::Encoder encoder;
  ByteBuffer out;
  const Status status = encoder.encode(meta, batch.readings(), batch.text(), out);
  EXPECT_TRUE(status) << (status ? "" : status.error().context);
  return out;
}

/// Encodes, decodes and compares; returns the block.
inline ByteBuffer expect_round_trip(const model::ReadingBatch& batch) {
  const ByteBuffer bytes = encode_or_fail(batch, realistic_meta(batch));
  const auto view = block::BlockView::open(bytes);
  EXPECT_TRUE(view) << (view ? "" : view.error().context);
  if (!view) return bytes;
  const auto decoded = decode_all(*view);
  EXPECT_TRUE(decoded) << (decoded ? "" : decoded.error().context);
  if (!decoded) return bytes;
  const auto expected = canonical(batch.readings(), batch.text());
  EXPECT_EQ(decoded->size(), expected.size());
  for (size_t i = 0; i < std::min(expected.size(), decoded->size()); ++i) {
    if ((*decoded)[i] == expected[i]) continue;
    ADD_FAILURE() << "reading " << i << ": time " << (*decoded)[i].time_ns << " for " << expected[i].time_ns << ", bits "
                  << (*decoded)[i].bits << " for " << expected[i].bits;
    break;
  }
  return bytes;
}

}  // namespace tideline::support
