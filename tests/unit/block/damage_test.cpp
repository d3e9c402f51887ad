// A damaged block is never accepted, and a hostile one never harms.
#include "base/limits.hpp"
#include "block/scan.hpp"
#include "support/block_check.hpp"
#include "support/block_golden.hpp"
#include "support/block_seal.hpp"
#include "support/signals.hpp"

namespace tideline::block {
namespace {

using support::encode_or_fail;
using support::reseal;

ByteBuffer golden_bytes() {
  const support::GoldenBlock golden = support::golden::codings();
  return encode_or_fail(golden.batch, golden.meta);
}

ErrorCode code_of(Bytes block) {
  const auto view = BlockView::open(block);
  EXPECT_FALSE(view);
  return view ? ErrorCode::exists : view.error().code;
}

bool is_refusal(ErrorCode code) { return code == ErrorCode::corrupt || code == ErrorCode::unsupported; }

TEST(Damage, OfAnyBitIsFound) {
  ByteBuffer block = golden_bytes();
  for (size_t bit = 0; bit < block.size() * 8; ++bit) {
    block[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    ASSERT_TRUE(is_refusal(code_of(block))) << "bit " << bit;
    block[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  EXPECT_TRUE(BlockView::open(block));
}

TEST(Damage, OfAnyByteIsFound) {
  const support::GoldenBlock golden = support::golden::example();
  ByteBuffer block = encode_or_fail(golden.batch, golden.meta);
  for (size_t at = 0; at < block.size(); ++at) {
    const uint8_t right = block[at];
    for (unsigned wrong = 0; wrong < 256; ++wrong) {
      if (wrong == right) continue;
      block[at] = static_cast<uint8_t>(wrong);
      ASSERT_TRUE(is_refusal(code_of(block))) << "byte " << at << " as " << wrong;
    }
    block[at] = right;
  }
}

TEST(Damage, ByTruncationIsFound) {
  const ByteBuffer block = golden_bytes();
  for (size_t size = 0; size < block.size(); ++size) {
    const ByteBuffer cut(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size));  // a copy: a reader beyond its end is found
    ASSERT_EQ(code_of(cut), ErrorCode::corrupt) << "at " << size;
  }
}

TEST(Damage, ByTrailingBytesIsFound) {
  ByteBuffer block = golden_bytes();
  block.push_back(0);
  EXPECT_EQ(code_of(block), ErrorCode::corrupt);
}

TEST(Damage, NewerMajorVersionIsUnsupported) {
  ByteBuffer block = golden_bytes();
  block[4] = 2;
  reseal(block);
  EXPECT_EQ(code_of(block), ErrorCode::unsupported);
}

TEST(Damage, NewerMinorVersionMayAddElements) {
  const support::GoldenBlock golden = support::golden::example();
  ByteBuffer block = encode_or_fail(golden.batch, golden.meta);
  const ByteBuffer before = block;
  const auto header_end = static_cast<std::ptrdiff_t>(prologue_bytes + support::header_size(block));
  block[5] = 1;
  ASSERT_EQ(block[prologue_bytes], 0x98);
  block[prologue_bytes] = 0x9a;
  const uint8_t added[] = {0xa1, 'x', 0x92, 0x01, 0x02};  // a text and an array
  block.insert(block.begin() + header_end, std::begin(added), std::end(added));
  store_le(block.data() + support::header_size_at, static_cast<uint32_t>(support::header_size(before) + std::size(added)));
  reseal(block);
  const auto view = BlockView::open(block);
  ASSERT_TRUE(view);
  const auto decoded = support::decode_all(*view);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, support::canonical(golden.batch.readings(), golden.batch.text()));
}

TEST(Damage, CountsBeyondTheLimitsAreRefused) {
  for (const uint32_t count : {limits::block_readings + 1, UINT32_MAX}) {
    ByteBuffer block = golden_bytes();
    store_le(block.data() + 16, count);
    reseal(block);
    const ErrorCode code = code_of(block);
    EXPECT_TRUE(code == ErrorCode::limit || code == ErrorCode::corrupt);
  }
  ByteBuffer large = golden_bytes();
  large.resize(limits::block_bytes + 1);
  reseal(large);
  EXPECT_EQ(code_of(large), ErrorCode::limit);
}

TEST(Damage, TextThatIsNotUtf8IsRefused) {
  model::ReadingBatch batch;
  batch.add_text(1, {0, model::TimeSource::agent}, "abcdef");
  ByteBuffer block = encode_or_fail(batch, {});
  block[block.size() - 6] = 0xff;
  reseal(block);
  const auto view = BlockView::open(block);
  ASSERT_TRUE(view);
  std::string_view text;
  EXPECT_EQ(BlockView::read_texts(view->columns()[0], {&text, 1}).error().code, ErrorCode::corrupt);
}

TEST(Damage, ColumnsOfTheOtherKindAreRefused) {
  model::ReadingBatch batch;
  batch.add_text(1, {0, model::TimeSource::agent}, "x");
  batch.add_i64(1, {0, model::TimeSource::agent}, 1);
  const ByteBuffer block = encode_or_fail(batch, {});
  const auto view = BlockView::open(block);
  ASSERT_TRUE(view);
  uint64_t value = 0;
  std::string_view text;
  EXPECT_EQ(BlockView::read_values(view->columns()[0], {&value, 1}).error().code, ErrorCode::invalid);
  EXPECT_EQ(BlockView::read_texts(view->columns()[1], {&text, 1}).error().code, ErrorCode::invalid);
}

/// Whatever decodes agrees with its header, whatever else was changed.
void expect_no_contradiction(const BlockView& view) {
  for (const Column& column : view.columns()) {
    std::vector<int64_t> times(column.count);
    if (!BlockView::read_times(column, times)) continue;
    ASSERT_EQ(times.front(), column.time_first_ns);
    ASSERT_EQ(times.back(), column.time_last_ns);
    ASSERT_GE(*std::min_element(times.begin(), times.end()), column.time_min_ns);
    ASSERT_LE(*std::max_element(times.begin(), times.end()), column.time_max_ns);
  }
}

TEST(Damage, BehindGoodChecksumsNeverHarms) {
  constexpr uint64_t seed = 77;
  SCOPED_TRACE(seed);
  Random random(seed);
  const ByteBuffer good = golden_bytes();
  size_t opened = 0;
  for (int round = 0; round < 20'000; ++round) {
    ByteBuffer block = good;
    for (uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      const size_t at = prologue_bytes + static_cast<size_t>(random.below(block.size() - prologue_bytes - 4));
      block[at] = static_cast<uint8_t>(random.next());
    }
    reseal(block);
    const auto view = BlockView::open(block);
    if (!view) continue;
    ++opened;
    (void)support::decode_all(*view);
    expect_no_contradiction(*view);
    ASSERT_FALSE(testing::Test::HasFatalFailure());
  }
  EXPECT_GT(opened, 1000u);
}

}  // namespace
}  // namespace tideline::block
