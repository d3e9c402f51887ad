// What the header says of a column is true, and limits hold at their value and one past it.
#include <bit>
#include <cmath>

#include "base/limits.hpp"
#include "support/block_check.hpp"
#include "support/block_golden.hpp"
#include "support/block_seal.hpp"
#include "support/signals.hpp"

namespace tideline::block {
namespace {

using model::ReadingBatch;
using model::TimeSource;
using support::encode_or_fail;
using support::realistic_meta;

Status encode(const ReadingBatch& batch, BlockMeta meta = {}) {
  Encoder encoder;
  ByteBuffer out;
  return encoder.encode(meta, batch.readings(), batch.text(), out);
}

bool is_less(model::ValueType type, uint64_t a, uint64_t b) {
  if (type == model::ValueType::f64) return std::bit_cast<double>(a) < std::bit_cast<double>(b);
  return static_cast<int64_t>(a) < static_cast<int64_t>(b);
}

/// Compares every statistic of `column` with what its readings say.
void expect_truth(const Column& column) {
  std::vector<int64_t> times(column.count);
  ASSERT_TRUE(BlockView::read_times(column, times));
  EXPECT_EQ(column.time_first_ns, times.front());
  EXPECT_EQ(column.time_last_ns, times.back());
  EXPECT_EQ(column.time_min_ns, *std::min_element(times.begin(), times.end()));
  EXPECT_EQ(column.time_max_ns, *std::max_element(times.begin(), times.end()));
  if (column.type == model::ValueType::text) {
    EXPECT_EQ(column.value_first | column.value_last | column.value_min | column.value_max, 0u);
    return;
  }
  std::vector<uint64_t> values(column.count);
  ASSERT_TRUE(BlockView::read_values(column, values));
  EXPECT_EQ(column.value_first, values.front());
  EXPECT_EQ(column.value_last, values.back());
  if (column.type == model::ValueType::f64) std::erase_if(values, [](uint64_t bits) { return std::isnan(std::bit_cast<double>(bits)); });
  if (values.empty()) values.push_back(column.value_first);
  const auto less = [&](uint64_t a, uint64_t b) { return is_less(column.type, a, b); };
  EXPECT_EQ(column.value_min, *std::min_element(values.begin(), values.end(), less));
  EXPECT_FALSE(less(*std::max_element(values.begin(), values.end(), less), column.value_max));
  EXPECT_FALSE(less(column.value_max, *std::max_element(values.begin(), values.end(), less)));
}

TEST(Header, StatisticsAreTrue) {
  std::vector<support::GoldenBlock> blocks = support::golden_blocks();
  blocks.push_back({"mix", realistic_meta(0, 0), support::make_job_mix(100)});
  for (const support::GoldenBlock& each : blocks) {
    const ByteBuffer bytes = encode_or_fail(each.batch, each.meta);
    const auto view = BlockView::open(bytes);
    ASSERT_TRUE(view);
    uint32_t seq_offset = 0;
    int64_t least = INT64_MAX;
    int64_t most = INT64_MIN;
    for (const Column& column : view->columns()) {
      SCOPED_TRACE(each.name + ", series " + std::to_string(column.series) + ", coding " + std::to_string(static_cast<int>(column.coding.values)));
      expect_truth(column);
      EXPECT_EQ(column.seq_offset, seq_offset);
      seq_offset += column.count;
      least = std::min(least, column.time_min_ns);
      most = std::max(most, column.time_max_ns);
    }
    EXPECT_EQ(view->count(), each.batch.size());
    EXPECT_EQ(view->range().count(), each.batch.size());
    EXPECT_EQ(view->time_min_ns(), least);
    EXPECT_EQ(view->time_max_ns(), most);
  }
}

TEST(Header, ColumnsComeInOrderOfFirstAppearance) {
  ReadingBatch batch;
  for (const model::SeriesId series : {9u, 2u, 9u, 5u, 2u}) batch.add_i64(series, {0, TimeSource::agent}, 1);
  const ByteBuffer bytes = encode_or_fail(batch, {});
  const auto view = BlockView::open(bytes);
  ASSERT_TRUE(view);
  ASSERT_EQ(view->columns().size(), 3u);
  EXPECT_EQ(view->columns()[0].series, 9u);
  EXPECT_EQ(view->columns()[1].series, 2u);
  EXPECT_EQ(view->columns()[2].series, 5u);
}

TEST(Header, PrologueAloneTellsTheRange) {
  const support::GoldenBlock golden = support::golden::example();
  const ByteBuffer bytes = encode_or_fail(golden.batch, golden.meta);
  const auto prologue = read_prologue(Bytes(bytes).first(prologue_bytes));
  ASSERT_TRUE(prologue);
  EXPECT_EQ(prologue->stream, model::Stream::normal);
  EXPECT_EQ(prologue->first_seq, 1000u);
  EXPECT_EQ(prologue->count, 4u);
  EXPECT_EQ(prologue->size, bytes.size());
}

TEST(Encode, RefusesNoReadings) { EXPECT_EQ(encode({}).error().code, ErrorCode::invalid); }

TEST(Encode, TakesTheMostReadingsAndNotOneMore) {
  EXPECT_TRUE(encode(support::make_signal(support::Signal::constant, limits::block_readings, 0)));
  EXPECT_EQ(encode(support::make_signal(support::Signal::constant, limits::block_readings + 1, 0)).error().code, ErrorCode::limit);
}

TEST(Encode, TakesTheMostColumnsAndNotOneMore) {
  ReadingBatch batch;
  for (uint32_t i = 0; i < limits::block_columns; ++i) batch.add_i64(i, {0, TimeSource::agent}, 1);
  EXPECT_TRUE(encode(batch));
  batch.add_i64(0, {0, TimeSource::producer}, 1);
  EXPECT_EQ(encode(batch).error().code, ErrorCode::limit);
}

TEST(Encode, OfRandomBitsSucceedsOnceHalved) {
  Random random(5);
  ReadingBatch whole;
  ReadingBatch half;
  for (uint32_t i = 0; i < limits::block_readings; ++i) {
    const ReadingBatch::Stamp stamp{static_cast<int64_t>(random.next()), TimeSource::agent};
    whole.add_f64(1, stamp, std::bit_cast<double>(random.next()));
    if (i % 2 == 0) half.add_from(whole.readings().back(), {});
  }
  EXPECT_EQ(encode(whole).error().code, ErrorCode::limit);
  EXPECT_LE(support::expect_round_trip(half).size(), limits::block_bytes);
}

TEST(Encode, NeverExceedsTheSizeOfABlock) {
  ByteBuffer out;
  Encoder encoder;
  size_t largest = 0;
  for (size_t length = 3900; length <= limits::text_value_bytes; ++length) {
    ReadingBatch batch;
    for (int i = 0; i < 15; ++i) batch.add_text(1, {0, TimeSource::agent}, std::string(length, static_cast<char>('a' + i)));
    const Status status = encoder.encode({}, batch.readings(), batch.text(), out);
    if (!status) {
      EXPECT_EQ(status.error().code, ErrorCode::limit);
      continue;
    }
    largest = out.size();
    EXPECT_LE(out.size(), limits::block_bytes);
  }
  EXPECT_GT(largest, limits::block_bytes - 32);
}

TEST(Encode, RefusesTextThatIsNotUtf8) {
  for (const char* wrong : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80"}) {
    ReadingBatch batch;
    batch.add_text(1, {0, TimeSource::agent}, "fine");
    batch.add_text(1, {0, TimeSource::agent}, wrong);
    EXPECT_EQ(encode(batch).error().code, ErrorCode::invalid);
  }
}

TEST(Encode, TakesTheLongestTextAndNotOneByteMore) {
  ReadingBatch batch;
  batch.add_text(1, {0, TimeSource::agent}, std::string(limits::text_value_bytes, 'x'));
  EXPECT_TRUE(encode(batch));
  batch.add_text(1, {0, TimeSource::agent}, std::string(limits::text_value_bytes + 1, 'x'));
  EXPECT_EQ(encode(batch).error().code, ErrorCode::invalid);
}

TEST(Encode, RefusesReadingsThatCannotBe) {
  const auto code_of = [](const model::Reading& reading) {
    Encoder encoder;
    ByteBuffer out;
    return encoder.encode({}, {&reading, 1}, "text", out).error().code;
  };
  model::Reading boolean;
  boolean.type = model::ValueType::boolean;
  boolean.bits = 2;
  EXPECT_EQ(code_of(boolean), ErrorCode::invalid);
  model::Reading type;
  type.type = static_cast<model::ValueType>(4);
  EXPECT_EQ(code_of(type), ErrorCode::invalid);
  model::Reading source;
  source.time_source = static_cast<TimeSource>(2);
  EXPECT_EQ(code_of(source), ErrorCode::invalid);
  model::Reading text;
  text.type = model::ValueType::text;
  text.bits = uint64_t{2} << 32 | 3;  // one byte beyond "text"
  EXPECT_EQ(code_of(text), ErrorCode::invalid);
  text.bits = uint64_t{5} << 32;
  EXPECT_EQ(code_of(text), ErrorCode::invalid);
}

TEST(Encode, RefusesSequenceNumbersThatEnd) {
  const ReadingBatch two = support::make_signal(support::Signal::constant, 2, 0);
  BlockMeta meta;
  meta.first_seq = 0;
  EXPECT_EQ(encode(two, meta).error().code, ErrorCode::invalid);
  meta.first_seq = UINT64_MAX;
  EXPECT_EQ(encode(two, meta).error().code, ErrorCode::invalid);
  meta.first_seq = UINT64_MAX - 1;
  EXPECT_TRUE(encode(two, meta));
}

TEST(Encode, WorksAgainAfterEveryRefusal) {
  Encoder encoder;
  ByteBuffer out;
  ReadingBatch many;
  for (uint32_t i = 0; i <= limits::block_columns; ++i) many.add_i64(i, {0, TimeSource::agent}, 1);
  EXPECT_FALSE(encoder.encode({}, many.readings(), {}, out));
  const ReadingBatch good = support::make_job_mix(20);
  ASSERT_TRUE(encoder.encode({}, good.readings(), good.text(), out));
  EXPECT_EQ(out, encode_or_fail(good, {}));
}

}  // namespace
}  // namespace tideline::block
