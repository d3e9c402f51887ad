// The parts of the codec by themselves: bits, frames, integer sequences, scales.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <memory>

#include "base/random.hpp"
#include "block/bits.hpp"
#include "block/ints.hpp"
#include "block/scale.hpp"

namespace tideline::block {
namespace {

/// A copy on the heap without a byte to spare, so that a sanitizer sees a look beyond the end.
class Exact {
 public:
  explicit Exact(Bytes bytes) : copy_(std::make_unique<uint8_t[]>(bytes.size())), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), copy_.get());
  }
  Bytes bytes() const { return {copy_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> copy_;
  size_t size_;
};

TEST(Bits, OfEveryWidthAndCountComeBack) {
  Random random(1);
  for (unsigned width = 0; width <= 64; ++width) {
    for (size_t count = 1; count <= frame_words; ++count) {
      std::vector<uint64_t> words(count);
      for (uint64_t& word : words) word = width == 0 ? 0 : random.next() >> (64 - width);
      uint8_t buffer[frame_words * 8 + pack_slack];
      const uint8_t* end = pack(words.data(), count, width, buffer);
      ASSERT_EQ(static_cast<size_t>(end - buffer), packed_bytes(count, width));
      const Exact exact({buffer, end});
      Input in(exact.bytes());
      std::vector<uint64_t> back(count);
      unpack(in, count, width, back.data());
      ASSERT_EQ(back, words) << width << " bits, " << count << " words";
      ASSERT_EQ(in.left(), 0u);
    }
  }
}

ByteBuffer frame_of(const std::vector<uint64_t>& words) {
  uint8_t buffer[frame_bytes_most + pack_slack];
  const uint8_t* end = put_frame(words.data(), words.size(), buffer);
  EXPECT_LE(static_cast<size_t>(end - buffer), frame_bytes_most);
  return ByteBuffer(static_cast<const uint8_t*>(buffer), end);
}

TEST(Frames, WithAnyOutliersComeBack) {
  Random random(2);
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint64_t> words(1 + static_cast<size_t>(random.below(frame_words)));
    const unsigned usual = static_cast<unsigned>(random.below(65));
    for (uint64_t& word : words) {
      const unsigned width = random.below(20) == 0 ? static_cast<unsigned>(random.below(65)) : usual;
      word = width == 0 ? 0 : random.next() >> (64 - width);
    }
    const Exact exact(frame_of(words));
    Input in(exact.bytes());
    std::vector<uint64_t> back(words.size());
    ASSERT_TRUE(take_frame(in, back.size(), back.data()));
    ASSERT_EQ(back, words);
    ASSERT_EQ(in.left(), 0u);
  }
}

TEST(Frames, SetOneOutlierApart) {
  std::vector<uint64_t> words(64, 3);
  const size_t plain = frame_of(words).size();
  words[40] = 1'000'000'000;
  EXPECT_LT(frame_of(words).size(), plain + 10);
}

TEST(Frames, CutShortAreRefused) {
  std::vector<uint64_t> words(64, 5);
  words[7] = 1u << 20;
  const ByteBuffer frame = frame_of(words);
  for (size_t size = 0; size < frame.size(); ++size) {
    const Exact cut(Bytes(frame).first(size));
    Input in(cut.bytes());
    std::vector<uint64_t> back(words.size());
    EXPECT_FALSE(take_frame(in, back.size(), back.data()));
  }
}

TEST(Frames, ThatContradictThemselvesAreRefused) {
  const auto takes = [](std::initializer_list<uint8_t> lead, size_t count) {
    ByteBuffer frame(lead);
    frame.resize(700);
    Input in(frame);
    uint64_t words[frame_words];
    return take_frame(in, count, words);
  };
  EXPECT_TRUE(takes({64}, 64));
  EXPECT_FALSE(takes({65}, 64));           // wider than a word
  EXPECT_FALSE(takes({0x83, 0, 5}, 64));   // patched without patches
  EXPECT_FALSE(takes({0x83, 65, 5}, 64));  // more patches than words
  EXPECT_FALSE(takes({0x83, 1, 0}, 64));   // patch of no bits
  EXPECT_FALSE(takes({0x83, 1, 51}, 64));  // patch too wide
  EXPECT_FALSE(takes({0x80 | 40, 1, 25}, 64));  // together wider than a word
  EXPECT_FALSE(takes({0x80, 1, 1, 60}, 10));    // patch behind the last word
}

TEST(Varints, OfEveryLengthComeBackAndLongerOnesAreRefused) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t value : {uint64_t{1} << bit, (uint64_t{1} << bit) - 1, ~uint64_t{0} >> bit}) {
      uint8_t buffer[varint_bytes_most];
      const uint8_t* end = put_varint(value, buffer);
      EXPECT_EQ(static_cast<size_t>(end - buffer), varint_size(value));
      Input in(Bytes{buffer, end});
      uint64_t back = 0;
      EXPECT_TRUE(take_varint(in, back));
      EXPECT_EQ(back, value);
    }
  }
  const uint8_t too_big[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
  const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
  uint64_t value = 0;
  Input big{Bytes(too_big)};
  EXPECT_FALSE(take_varint(big, value));
  Input no_end{Bytes(endless)};
  EXPECT_FALSE(take_varint(no_end, value));
}

/// Bytes of `offsets`, after checking that they come back.
ByteBuffer ints_of(std::vector<uint64_t> offsets, IntsOf what) {
  const std::vector<uint64_t> given = offsets;
  std::vector<uint64_t> residuals(offsets.size());
  ByteBuffer buffer(ints_bytes_most(offsets.size()) + pack_slack);
  buffer.resize(static_cast<size_t>(put_ints(offsets, what, residuals, buffer.data()) - buffer.data()));
  std::vector<uint64_t> back(given.size());
  if (buffer.empty()) {
    EXPECT_TRUE(fill_progression(given.back(), back));
  } else {
    const Exact exact(buffer);
    Input in(exact.bytes());
    EXPECT_TRUE(take_ints(in, back));
    EXPECT_EQ(in.left(), 0u);
  }
  EXPECT_EQ(back, given);
  return buffer;
}

TEST(Ints, ProgressionsTakeNoBytes) {
  EXPECT_TRUE(ints_of({0}, IntsOf::values).empty());
  EXPECT_TRUE(ints_of({0, 0, 0}, IntsOf::values).empty());
  EXPECT_TRUE(ints_of({0, 1000, 2000, 3000}, IntsOf::times).empty());
  EXPECT_TRUE(ints_of({0, 0 - uint64_t{7}, 0 - uint64_t{14}}, IntsOf::values).empty());
  EXPECT_FALSE(ints_of({0, 1, 2, 4}, IntsOf::values).empty());
  EXPECT_FALSE(ints_of({0, 0, 0}, IntsOf::patched_values).empty());
}

TEST(Ints, ProgressionsThatWrapAreNone) {
  for (const uint64_t step : {uint64_t{1} << 62, (uint64_t{1} << 63) + 1, uint64_t{0x5555555555555555}}) {
    EXPECT_FALSE(ints_of({0, step, 2 * step, 3 * step}, IntsOf::values).empty());
  }
}

TEST(Ints, SmoothCurvesAreDeltasOfDeltas) {
  std::vector<uint64_t> square(500);
  for (size_t i = 0; i < square.size(); ++i) square[i] = uint64_t{i} * i;
  const ByteBuffer bytes = ints_of(square, IntsOf::values);
  EXPECT_EQ(bytes[0] & 3, static_cast<int>(Transform::delta_of_delta));
  EXPECT_LT(bytes.size(), 200u);
}

TEST(Ints, WhiteNoiseIsPlain) {
  Random random(3);
  std::vector<uint64_t> noise(1000);
  for (size_t i = 1; i < noise.size(); ++i) noise[i] = random.below(16);
  const ByteBuffer bytes = ints_of(noise, IntsOf::values);
  EXPECT_EQ(bytes[0] & 3, static_cast<int>(Transform::plain));
  EXPECT_LT(bytes.size(), 640u);
}

TEST(Ints, TimesAtTheEdgeOfALineComeBack) {
  Random random(8);
  for (const size_t size : {4u, 5u, 100u, 4096u}) {
    std::vector<uint64_t> ramp(size);
    std::vector<uint64_t> scattered(size);
    for (size_t i = 1; i < size; ++i) {
      ramp[i] = (line_range - 1) / (size - 1) * i;
      scattered[i] = random.below(2) == 0 ? line_range - 1 : 0;
    }
    ramp[size / 2] += 1;
    ints_of(ramp, IntsOf::times);
    ints_of(scattered, IntsOf::times);
  }
}

TEST(Ints, OfRandomShapesComeBack) {
  Random random(4);
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint64_t> offsets(1 + static_cast<size_t>(random.below(300)));
    const uint64_t width = random.below(64);
    const uint64_t slope = random.next() >> random.below(64);
    for (size_t i = 1; i < offsets.size(); ++i) offsets[i] = (slope * i + (random.next() >> width)) << (round % 3);
    static constexpr IntsOf kinds[] = {IntsOf::distant_times, IntsOf::values, IntsOf::patched_values};  // any offset goes
    ints_of(offsets, kinds[round % 3]);
    if (testing::Test::HasFailure()) return;
  }
}

Coding scale_of(const std::vector<double>& values, ColumnCoding& coding, std::vector<uint16_t>& misfits) {
  std::vector<uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<uint64_t>(value));
  std::vector<uint64_t> integers(bits.size());
  find_scale(bits, coding, integers, misfits);
  if (coding.values == Coding::f64_bits) return coding.values;
  for (size_t i = 0; i < bits.size(); ++i) {
    const bool misfit = std::count(misfits.begin(), misfits.end(), i) > 0;
    const bool same = std::bit_cast<uint64_t>(unscale(coding, integers[i])) == bits[i];
    EXPECT_NE(misfit, same) << "reading " << i;
  }
  return coding.values;
}

TEST(Scale, OfDecimalsIsTheCoarsestThatIsExact) {
  ColumnCoding coding;
  std::vector<uint16_t> misfits;
  EXPECT_EQ(scale_of({1, 20, -300, 0}, coding, misfits), Coding::f64_decimal);
  EXPECT_EQ(coding.exponent, 0);
  EXPECT_EQ(scale_of({1, 20.5, -300.25, 0.125}, coding, misfits), Coding::f64_decimal);
  EXPECT_EQ(coding.exponent, 3);
  EXPECT_EQ(scale_of({0.1 + 0.2}, coding, misfits), Coding::f64_bits);
}

TEST(Scale, OfAdcReadingsIsTheirStep) {
  for (const double step : {3.3 / 4096, 0.000125, 2.56 / 32768, 0.0625 * 1.0000001, 1e-7 / 3}) {
    SCOPED_TRACE(step);
    std::vector<double> values;
    for (int i = 0; i < 300; ++i) values.push_back((1500 + i * i % 611) * step);
    ColumnCoding coding;
    std::vector<uint16_t> misfits;
    const Coding found = scale_of(values, coding, misfits);
    EXPECT_TRUE(found == Coding::f64_step || found == Coding::f64_decimal);
    EXPECT_TRUE(misfits.empty());
  }
}

TEST(Scale, OfBinaryFractionsIsTheirStep) {
  for (const double step : {0.5, 0.25, 0.0625}) {
    SCOPED_TRACE(step);
    std::vector<double> values;
    for (int i = 0; i < 100; ++i) values.push_back(20 + (i * i % 23 - 10) * step);
    ColumnCoding coding;
    std::vector<uint16_t> misfits;
    EXPECT_EQ(scale_of(values, coding, misfits), Coding::f64_step);
    EXPECT_EQ(coding.step, step);
  }
}

TEST(Scale, OfRandomDoublesIsNone) {
  Random random(6);
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) values.push_back(random.unit());
  ColumnCoding coding;
  std::vector<uint16_t> misfits;
  EXPECT_EQ(scale_of(values, coding, misfits), Coding::f64_bits);
}

TEST(Scale, ListsAFewMisfitsAndGivesUpOnMany) {
  std::vector<double> values(80, 1.5);
  ColumnCoding coding;
  std::vector<uint16_t> misfits;
  for (size_t i = 0; i < patches_most(80); ++i) values[i * 3] = i % 2 == 0 ? -0.0 : std::nan("");
  EXPECT_EQ(scale_of(values, coding, misfits), Coding::f64_decimal_patched);
  EXPECT_EQ(misfits.size(), patches_most(80));
  values[79] = -0.0;
  EXPECT_EQ(scale_of(values, coding, misfits), Coding::f64_bits);
}

}  // namespace
}  // namespace tideline::block
