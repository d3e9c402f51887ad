#include "model/answer_text.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace tideline::model {
namespace {

constexpr int64_t second = 1'000'000'000;

Point number(int64_t time_ns, double value) { return {time_ns, ValueType::f64, std::bit_cast<uint64_t>(value), {}, 1}; }

class AnswerTextTest : public ::testing::Test {
 protected:
  void add(std::string device, Point point) {
    SeriesAnswer series;
    series.device = std::move(device);
    series.series.name = "temp";
    series.series.unit = "Cel";
    series.points = {std::move(point)};
    answer_.series.push_back(std::move(series));
  }
  bool says(const char* text, AnswerParts parts = AnswerParts::everything) const { return answer_text(answer_, parts).find(text) != std::string::npos; }

  QueryAnswer answer_;
};

TEST_F(AnswerTextTest, ValuesStandWithTimeAndUnit) {
  add("", number(1'700'000'000 * second, 21.5));
  EXPECT_TRUE(says("2023-11-14T22:13:20Z  temp     21.5  Cel")) << answer_text(answer_);
  EXPECT_FALSE(says("device")) << "at the edge there is one device";
}

TEST_F(AnswerTextTest, DevicesAreNamedWhereThereAreSeveral) {
  add("edge-1", number(0, 1));
  EXPECT_TRUE(says("device"));
  EXPECT_TRUE(says("edge-1"));
}

TEST_F(AnswerTextTest, WhatIsMissingIsSaidAlsoWhenNothingWasFound) {
  answer_.gaps.push_back({"", {Stream::normal, {1, 1204}, 1204, GapReason::evicted, true, 0, 0, 0}});
  EXPECT_TRUE(says("no readings"));
  EXPECT_TRUE(says(">=1,204"));
  EXPECT_TRUE(says("evicted"));
  EXPECT_TRUE(says("unknown"));
}

TEST_F(AnswerTextTest, AnIncompleteAnswerSaysSo) {
  EXPECT_FALSE(says("newest rows"));
  answer_.truncated = true;
  answer_.blocks_unreadable = 2;
  EXPECT_TRUE(says("Only the newest rows are shown"));
  EXPECT_TRUE(says("2 blocks could not be read"));
  EXPECT_TRUE(says("nothing is missing", AnswerParts::gaps_only));
}

TEST_F(AnswerTextTest, AValueCannotBreakTheTerminal) {
  Point text;
  text.type = ValueType::text;
  text.text = "a\x1b[2J\nb";
  EXPECT_EQ(value_text(text), "a [2J b");
}

}  // namespace
}  // namespace tideline::model
