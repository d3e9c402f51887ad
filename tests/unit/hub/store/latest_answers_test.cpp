#include "hub/store/latest_answers.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

LatestAnswers::Answer values(size_t count, const char* device = "edge-1") {
  std::vector<LatestValue> made(count);
  for (LatestValue& value : made) value.device = device;
  return made;
}

std::string question(size_t number) { return "q" + std::to_string(number); }

TEST(LatestAnswers, AnAnswerIsFoundInItsOwnVersionAlone) {
  LatestAnswers answers;
  answers.keep("q", 7, values(2));
  ASSERT_NE(answers.find("q", 7), nullptr);
  EXPECT_EQ((*answers.find("q", 7))->size(), 2u);
  EXPECT_EQ(answers.find("q", 6), nullptr);
  EXPECT_EQ(answers.find("q", 8), nullptr);
  EXPECT_EQ(answers.find("r", 7), nullptr);
}

TEST(LatestAnswers, ANewerAnswerTakesThePlaceAndAnOlderOneDoesNot) {
  LatestAnswers answers;
  answers.keep("q", 7, values(2));
  const LatestAnswers::Answer* const before = answers.find("q", 7);
  answers.keep("q", 8, values(3));
  EXPECT_EQ(answers.find("q", 8), before) << "who holds its address sees the newer";
  EXPECT_EQ(answers.values(), 3u);
  answers.keep("q", 7, values(1));
  ASSERT_NE(answers.find("q", 8), nullptr);
  EXPECT_EQ(answers.values(), 3u);
}

TEST(LatestAnswers, ErrorsAreNotKept) {
  LatestAnswers answers;
  answers.keep("q", 7, Error{ErrorCode::io, 0, "injected"});
  EXPECT_EQ(answers.size(), 0u);
}

TEST(LatestAnswers, OneMoreAnswerThanTheBoundLetsTheOthersGo) {
  LatestAnswers answers;
  for (size_t i = 0; i < limits::latest_kept; ++i) answers.keep(question(i), 1, values(1));
  EXPECT_EQ(answers.size(), limits::latest_kept);
  EXPECT_FALSE(answers.has_room(values(1)));
  answers.keep("one more", 1, values(1));
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_NE(answers.find("one more", 1), nullptr);
}

TEST(LatestAnswers, OneMoreValueThanTheBoundLetsTheOthersGo) {
  LatestAnswers answers;
  answers.keep("a", 1, values(limits::latest_kept_values - 1));
  EXPECT_TRUE(answers.has_room(values(1)));
  answers.keep("b", 1, values(1));
  EXPECT_EQ(answers.values(), limits::latest_kept_values);
  EXPECT_FALSE(answers.has_room(values(1)));
  answers.keep("c", 1, values(1));
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers.values(), 1u);
}

TEST(LatestAnswers, AnAnswerOverTheBoundIsNotKept) {
  LatestAnswers answers;
  answers.keep("a", 1, values(limits::latest_kept_values + 1));
  EXPECT_EQ(answers.size(), 0u);
  answers.keep("a", 1, values(limits::latest_kept_values));
  EXPECT_EQ(answers.size(), 1u);
}

TEST(LatestAnswers, DifferentQuestionsHaveDifferentKeys) {
  const std::vector<model::DeviceSelector> devices = {
      {"*", {}, {}}, {"a", {}, {}}, {"*", {}, {"a"}}, {"*", {}, {"a", "b"}}, {"*", {}, {"ab"}}, {"*", {{"a", "b"}}, {}}, {"*", {{"a", "b"}, {"c", "d"}}, {}}, {"1:a", {}, {}}, {"", {}, {}}};
  const std::vector<model::SeriesSelector> series = {{"*", {}}, {"a", {}}, {"*", {{"a", "b"}}}, {"*", {{"ab", ""}}}, {"", {{"a", "*"}}}};
  std::set<std::string> keys;
  for (const model::DeviceSelector& device : devices) {
    for (const model::SeriesSelector& one : series) keys.insert(LatestAnswers::key_of(device, one));
  }
  EXPECT_EQ(keys.size(), devices.size() * series.size());
  EXPECT_EQ(LatestAnswers::key_of(devices[6], series[2]), LatestAnswers::key_of(devices[6], series[2]));
}

}  // namespace
}  // namespace tideline::hub
