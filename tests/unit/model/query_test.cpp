#include "model/query.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace tideline::model {
namespace {

Series series_of(const char* key) { return *parse_series_key(key); }

TEST(Query, AggregateNamesReadBack) {
  for (const Aggregate aggregate : {Aggregate::none, Aggregate::mean, Aggregate::min, Aggregate::max, Aggregate::sum, Aggregate::count,
                                    Aggregate::first, Aggregate::last}) {
    Aggregate parsed = Aggregate::none;
    EXPECT_TRUE(parse_aggregate(aggregate_name(aggregate), parsed));
    EXPECT_EQ(parsed, aggregate);
  }
  Aggregate unchanged = Aggregate::sum;
  EXPECT_FALSE(parse_aggregate("median", unchanged));
  EXPECT_EQ(unchanged, Aggregate::sum);
}

TEST(Query, SelectorMatchesNameAndEveryLabelCondition) {
  const auto selector = parse_series_selector("temp*{room=a*,side=?}");
  ASSERT_TRUE(selector);
  EXPECT_TRUE(selector->matches(series_of("temperature{room=attic,side=n}")));
  EXPECT_FALSE(selector->matches(series_of("temperature{room=attic}")));
  EXPECT_FALSE(selector->matches(series_of("temperature{room=bath,side=n}")));
  EXPECT_FALSE(selector->matches(series_of("humidity{room=attic,side=n}")));
}

TEST(Query, EmptyConditionMatchesOnlyAnAbsentOrEmptyLabel) {
  const auto absent = parse_series_selector("{room=}");
  const auto present = parse_series_selector("{room=*}");
  ASSERT_TRUE(absent && present);
  EXPECT_TRUE(absent->matches(series_of("temp")));
  EXPECT_FALSE(absent->matches(series_of("temp{room=a}")));
  EXPECT_FALSE(present->matches(series_of("temp")));
  EXPECT_TRUE(present->matches(series_of("temp{room=a}")));
}

TEST(Query, LabelsAloneSelectAnyName) {
  const auto selector = parse_device_selector("{site=berlin}");
  ASSERT_TRUE(selector);
  EXPECT_EQ(selector->id_glob, "*");
  EXPECT_TRUE(selector->matches("edge-1", {{"site", "berlin"}}));
  EXPECT_FALSE(selector->matches("edge-1", {{"site", "bern"}}));
  EXPECT_TRUE(parse_device_selector("edge-*")->matches("edge-1", {}));
}

TEST(Query, WrongSelectorsAreRefusedWithTheRuleTheyBreak) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "selector is empty (write * for all)"},
      {"temp{room=a", "selector: { is not closed by a } at the end"},
      {"temp}", "selector: } without {"},
      {"temp{room}", "selector: a label condition has no = (write name=value)"},
      {"temp{=a}", "selector: a label condition has no name before ="},
      {"temp{room=a,}", "selector: nothing after the last comma"},
      {"temp{a={b}}", "selector: a brace inside the braces"},
      {"te\nmp", "selector is not printable UTF-8"},
      {"te\xffmp", "selector is not printable UTF-8"},
  };
  for (const auto& [text, message] : cases) {
    const auto parsed = parse_series_selector(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_STREQ(parsed.error().context, message);
  }
}

TEST(Query, SelectorIsBoundedInBytesAndConditions) {
  EXPECT_TRUE(parse_series_selector(std::string(limits::pattern_bytes, 'a')));
  EXPECT_EQ(parse_series_selector(std::string(limits::pattern_bytes + 1, 'a')).error().code, ErrorCode::limit);
  std::string text = "{";
  for (size_t i = 0; i < limits::labels; ++i) text += (i == 0 ? "a=b" : ",a=b");
  EXPECT_TRUE(parse_series_selector(text + "}"));
  EXPECT_EQ(parse_series_selector(text + ",a=b}").error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace tideline::model
