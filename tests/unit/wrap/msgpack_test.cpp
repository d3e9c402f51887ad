#include <gtest/gtest.h>

#include "wrap/msgpack/reader.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::msgpack {
namespace {

TEST(Msgpack, reads_back_what_was_written) {
  ByteBuffer out;
  const uint8_t raw[] = {1, 2, 3};
  Writer(out).array(8).uint(UINT64_MAX).integer(INT64_MIN).boolean(true).real(-0.5).text("caf\xc3\xa9").binary(raw).map(0).uint(7);
  Reader reader(out);
  EXPECT_EQ(reader.take_array(8), 8u);
  EXPECT_EQ(reader.take_uint(), UINT64_MAX);
  EXPECT_EQ(reader.take_integer(), INT64_MIN);
  EXPECT_TRUE(reader.take_boolean());
  EXPECT_EQ(reader.take_real(), -0.5);
  EXPECT_EQ(reader.take_text(10), "caf\xc3\xa9");
  EXPECT_EQ(reader.take_binary(3).size(), 3u);
  EXPECT_EQ(reader.take_map(1), 0u);
  EXPECT_EQ(reader.take_integer(), 7);
  EXPECT_TRUE(reader.is_done());
}

TEST(Msgpack, integers_of_every_width_read_back) {
  for (const int64_t value : {int64_t{0}, int64_t{127}, int64_t{128}, int64_t{255}, int64_t{256}, int64_t{65535}, int64_t{65536}, int64_t{-1}, int64_t{-32},
                              int64_t{-33}, int64_t{-128}, int64_t{-129}, int64_t{-32769}, int64_t{4294967296}, INT64_MAX, INT64_MIN}) {
    ByteBuffer out;
    Writer(out).integer(value);
    Reader reader(out);
    EXPECT_EQ(reader.take_integer(), value);
    EXPECT_TRUE(reader.is_done());
  }
}

TEST(Msgpack, a_count_beyond_the_input_is_refused_before_anything_else) {
  const ByteBuffer bomb{0xdd, 0x04, 0x00, 0x00, 0x00};  // array of 67 million elements in five bytes
  Reader reader(bomb);
  EXPECT_EQ(reader.take_array(SIZE_MAX), 0u);
  EXPECT_FALSE(reader.ok());
  const ByteBuffer map_bomb{0xdf, 0x80, 0x00, 0x00, 0x00};
  Reader map(map_bomb);
  EXPECT_EQ(map.take_map(SIZE_MAX), 0u);
  EXPECT_FALSE(map.ok());
}

TEST(Msgpack, bounds_hold_at_the_value_and_one_past) {
  ByteBuffer out;
  Writer(out).text("abcd");
  EXPECT_EQ(Reader(out).take_text(4), "abcd");
  Reader small(out);
  EXPECT_EQ(small.take_text(3), "");
  EXPECT_FALSE(small.ok());
}

TEST(Msgpack, a_failure_is_for_good) {
  ByteBuffer out;
  Writer(out).uint(1).uint(2);
  Reader reader(out);
  (void)reader.take_text(9);
  EXPECT_EQ(reader.take_uint(), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(Msgpack, invalid_utf8_is_refused) {
  const ByteBuffer input{0xa1, 0xff};
  Reader reader(input);
  EXPECT_EQ(reader.take_text(4), "");
  EXPECT_FALSE(reader.ok());
}

TEST(Msgpack, skip_passes_nested_elements_and_stops_at_its_depth) {
  ByteBuffer out;
  Writer(out).array(3).map(1).text("k").array(2).uint(1).nil().binary(as_bytes("xyz")).real(1.5).uint(9);
  Reader reader(out);
  reader.skip();
  EXPECT_EQ(reader.take_uint(), 9u);
  EXPECT_TRUE(reader.is_done());
  const ByteBuffer nested(40, 0x91);
  Reader deep(nested);
  deep.skip();
  EXPECT_FALSE(deep.ok());
}

TEST(Msgpack, a_negative_number_is_not_unsigned) {
  ByteBuffer out;
  Writer(out).integer(-5);
  Reader reader(out);
  EXPECT_EQ(reader.take_uint(), 0u);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace tideline::msgpack
