#include "model/series.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace tideline::model {
namespace {

Series named(std::string name) {
  Series series;
  series.name = std::move(name);
  return series;
}

TEST(Series, KeyReadsBackWithLabelsSorted) {
  const auto series = parse_series_key("temp{side=n,room=a}");
  ASSERT_TRUE(series);
  EXPECT_EQ(series->key(), "temp{room=a,side=n}");
  EXPECT_EQ(*series->label("side"), "n");
  EXPECT_EQ(series->label("floor"), nullptr);
}

TEST(Series, EveryBoundHoldsAtItsValueAndFailsOnePast) {
  EXPECT_TRUE(validate(named(std::string(limits::series_name_bytes, 'a'))));
  EXPECT_FALSE(validate(named(std::string(limits::series_name_bytes + 1, 'a'))));
  Series unit = named("a");
  unit.unit = std::string(limits::unit_bytes, 'u');
  EXPECT_TRUE(validate(unit));
  unit.unit += 'u';
  EXPECT_FALSE(validate(unit));
  Series labels = named("a");
  for (size_t i = 0; i < limits::labels; ++i) labels.labels.emplace_back(std::string(1, static_cast<char>('a' + i)), "v");
  EXPECT_TRUE(validate(labels));
  labels.labels.emplace_back("z", "v");
  EXPECT_FALSE(validate(labels));
}

TEST(Series, NamesThatWouldBreakTheKeyAreRefused) {
  for (const char* name : {"", "a{b", "a}b", "a\nb", "a\xff"}) EXPECT_FALSE(validate(named(name))) << name;
  for (const char* key : {"a{b", "a{b}", "a{=c}", "a{b=c,b=d}"}) EXPECT_FALSE(parse_series_key(key)) << key;
}

TEST(SeriesDictionary, NumbersFromZeroAndKnowsEqualSeriesAgain) {
  SeriesDictionary dictionary;
  EXPECT_EQ(*dictionary.add(named("a")), 0u);
  EXPECT_EQ(*dictionary.add(named("b")), 1u);
  EXPECT_EQ(*dictionary.add(named("a")), 0u);
  EXPECT_EQ(dictionary.find(named("c")).error().code, ErrorCode::not_found);
}

TEST(SeriesDictionary, AChangedUnitIsAnotherSeries) {
  SeriesDictionary dictionary;
  Series celsius = named("temp");
  celsius.unit = "Cel";
  EXPECT_NE(*dictionary.add(named("temp")), *dictionary.add(celsius));
}

TEST(SeriesDictionary, IsBounded) {
  SeriesDictionary dictionary;
  for (uint32_t i = 0; i < limits::series_per_device; ++i) ASSERT_TRUE(dictionary.add(named("s" + std::to_string(i))));
  EXPECT_EQ(dictionary.add(named("more")).error().code, ErrorCode::limit);
  EXPECT_TRUE(dictionary.add(named("s0")));
}

}  // namespace
}  // namespace tideline::model
