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

TEST(Query, BothSelectorsMustMatch) {
  using Labels = std::vector<std::pair<std::string, std::string>>;
  const auto all = both(*parse_device_selector("pump-*{site=berlin}"), *parse_device_selector("*-7{line=3}"));
  EXPECT_TRUE(all.matches("pump-7", Labels{{"line", "3"}, {"site", "berlin"}}));
  EXPECT_FALSE(all.matches("pump-8", Labels{{"line", "3"}, {"site", "berlin"}}));
  EXPECT_FALSE(all.matches("fan-7", Labels{{"line", "3"}, {"site", "berlin"}}));
  EXPECT_FALSE(all.matches("pump-7", Labels{{"line", "3"}, {"site", "bern"}}));
  EXPECT_FALSE(all.matches("pump-7", Labels{{"line", "4"}, {"site", "berlin"}}));
  const auto three = both(all, *parse_device_selector("pump-7"));
  EXPECT_TRUE(three.matches("pump-7", Labels{{"line", "3"}, {"site", "berlin"}}));
  EXPECT_FALSE(three.matches("pump-77", Labels{{"line", "3"}, {"site", "berlin"}}));
  EXPECT_TRUE(both({}, {}).matches("any", {}));
}

TEST(Query, ASelectorTellsWhereInTheOrderOfIdsItsDevicesLie) {
  const auto range_of = [](const DeviceSelector& selector) { return std::string(selector.id_range().begin) + (selector.id_range().is_one ? "" : "*"); };
  EXPECT_EQ(range_of({}), "*");
  EXPECT_EQ(range_of(*parse_device_selector("pump-7")), "pump-7");
  EXPECT_EQ(range_of(*parse_device_selector("pump-?7*{site=a}")), "pump-*");
  EXPECT_EQ(range_of(both(*parse_device_selector("p*7"), *parse_device_selector("pump-*"))), "pump-*");
  EXPECT_EQ(range_of(both(*parse_device_selector("pump-7"), *parse_device_selector("pump-7-*"))), "pump-7");
  EXPECT_EQ(range_of(both(*parse_device_selector("pump-7-*"), *parse_device_selector("pump-7"))), "pump-7");
}

TEST(Query, GroupsKeepApartWhatIsNamedAndUnits) {
  Series temp;
  temp.name = "temp";
  temp.unit = "Cel";
  temp.labels = {{"room", "a"}};
  const auto group = [&](const std::vector<std::string>& words, const Series& series, const char* device = "pump-7") {
    const auto [name, joined] = group_of(*parse_grouping(words), device, {{"room", "of the device"}, {"site", "berlin"}}, series);
    return name + "/" + joined.key() + "/" + joined.unit;
  };
  EXPECT_EQ(group({}, temp), "/*/Cel");
  EXPECT_EQ(group({"device"}, temp), "pump-7/*/Cel");
  EXPECT_EQ(group({"series", "site"}, temp), "/temp{site=berlin}/Cel");
  EXPECT_EQ(group({"site", "room", "site"}, temp), "/*{room=a,site=berlin}/Cel") << "a label of the series goes before the device's";
  EXPECT_EQ(group({"floor"}, temp), "/*{floor=}/Cel");
  Series other = temp;
  other.unit = "[degF]";
  EXPECT_NE(group({}, temp), group({}, other));
}

TEST(Query, GroupingIsBounded) {
  EXPECT_FALSE(parse_grouping({""}));
  std::vector<std::string> words;
  for (size_t i = 0; i < limits::labels; ++i) words.push_back("l" + std::to_string(i));
  EXPECT_TRUE(parse_grouping(words));
  words.push_back("more");
  EXPECT_EQ(parse_grouping(words).error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace tideline::model
