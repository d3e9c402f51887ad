// The fleet's own tools: what they are asked, and that their answers are what their schemas promise.
#include "hub/mcp/fleet_tools.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "hub/mcp/fleet_tools_answers.hpp"
#include "hub/mcp/fleet_tools_search.hpp"
#include "hub/mcp/fleet_tools_worth.hpp"
#include "mcp/schema_check.hpp"

namespace tideline::hub {
namespace {

constexpr UtcNanos now{1'800'000'000'000'000'000};
constexpr int64_t hour = hours(1).nanos;

class FleetToolsTest : public testing::Test {
 protected:
  FleetToolsTest() {
    add("pump-1", "berlin", true);
    add("pump-2", "berlin", false, now.nanos - 2 * hour);
    add("pump-3", "bern", false);  // never seen
  }
  void add(const std::string& id, const std::string& site, bool is_online, int64_t last_seen_ns = 0) {
    DeviceRecord record;
    record.key = static_cast<DeviceKey>(registry.size()) + 1;
    record.id = id;
    record.labels = {{"site", site}};
    record.last_seen_ns = last_seen_ns;
    EXPECT_TRUE(registry.put(record));
    if (is_online) registry.go_online(record.key, 1, "1.0", now - hours(3));
  }
  Devices select(const char* selector = "*") { return registry.select(*model::parse_device_selector(selector)); }
  static model::Series series(const std::string& name, const std::string& unit = "Cel") {
    model::Series one;
    one.name = name;
    one.unit = unit;
    return one;
  }
  static model::Point point(int64_t time_ns, double value) { return {time_ns, model::ValueType::f64, std::bit_cast<uint64_t>(value), "", 1}; }
  static LatestValue value(const std::string& device, int64_t age_ns) { return {device, series("temp"), point(now.nanos - age_ns, 21.5), model::TimeQuality::synced}; }
  static std::pair<std::string, model::Gap> gap(const std::string& device, uint64_t count, model::GapReason reason = model::GapReason::evicted) {
    return {device, {model::Stream::normal, {1, count}, count, reason, false, now.nanos - 3 * hour, now.nanos - 2 * hour, now.nanos}};
  }

  /// Checks the result against the output schema of `tool` and keeps it; texts live as long as the fixture.
  mcp::Slice structured(std::string_view tool, std::string result) {
    result_ = std::move(result);
    EXPECT_FALSE(mcp::find_member(mcp::Slice(result_), "isError").is_true()) << result_;
    const mcp::Slice content = mcp::find_member(mcp::Slice(result_), "structuredContent");
    EXPECT_TRUE(mcp::check_json(result_)) << result_;
    for (const mcp::Tool& one : tools) {
      if (one.name != tool) continue;
      EXPECT_EQ(mcp::check_arguments(mcp::Slice(one.output_schema_json), content), "") << result_;
    }
    return content;
  }
  std::string text() const {
    for (mcp::Walk walk(mcp::find_member(mcp::Slice(result_), "content")); walk.next();) return mcp::find_member(walk.value(), "text").text();
    return "";
  }
  static std::vector<std::string> texts(mcp::Slice array, std::string_view member) {
    std::vector<std::string> all;
    for (mcp::Walk walk(array); walk.next();) all.push_back(mcp::find_member(walk.value(), member).text());
    return all;
  }
  static std::string state_of(mcp::Slice content) { return mcp::find_member(mcp::find_member(content, "completeness"), "state").text(); }

  const std::vector<mcp::Tool> tools = fleet_tools();
  const model::DeviceSelector everything;
  Registry registry;
  std::string result_;
};

using Words = std::vector<std::string>;

// ---- Definitions

TEST_F(FleetToolsTest, every_definition_is_one_that_clients_accept) {
  EXPECT_EQ(tools.size(), 6u);
  for (const mcp::Tool& tool : tools) {
    std::string text;
    mcp::append_tool(text, tool, mcp::newest_modern);
    const auto json = mcp::check_json(text);
    ASSERT_TRUE(json) << tool.name << ": " << json.error().context << " at " << json.error().native << "\n" << text.substr(static_cast<size_t>(json.error().native));
    const auto judged = mcp::judge_tool(*json);
    EXPECT_TRUE(judged.value.has_value()) << judged.problem;
    EXPECT_EQ(judged.problem, "");
    EXPECT_TRUE(mcp::read_hints(mcp::Slice(tool.annotations_json)).is_read_only);
    EXPECT_NE(tool.description, "");
    EXPECT_NE(tool.output_schema_json, "");
  }
}

TEST_F(FleetToolsTest, examples_in_descriptions_fit_their_schemas) {
  for (const mcp::Tool& tool : tools) {
    const size_t at = tool.description.find("Example: {");
    ASSERT_NE(at, std::string::npos) << tool.name;
    std::string example = tool.description.substr(at + 9);
    example.pop_back();  // the full stop
    const auto json = mcp::check_json(example);
    ASSERT_TRUE(json) << example;
    EXPECT_EQ(mcp::check_arguments(mcp::Slice(tool.input_schema_json), *json), "") << tool.name;
  }
}

// ---- Arguments

TEST_F(FleetToolsTest, what_the_caller_may_see_is_in_every_selector) {
  const auto visible = *model::parse_device_selector("{site=berlin}");
  const mcp::Slice all(R"({"devices":"pump-*"})");
  const auto seen = [&](const model::DeviceSelector& selector) { return registry.select(selector).size(); };
  ListDevicesRequest list;
  LatestRequest latest;
  QueryRequest query;
  GapsRequest gaps;
  ASSERT_EQ(read_list_devices(all, visible, list), "");
  ASSERT_EQ(read_latest(all, visible, latest), "");
  ASSERT_EQ(read_query(all, visible, now, query), "");
  ASSERT_EQ(read_list_gaps(all, visible, now, gaps), "");
  for (const model::DeviceSelector* selector : {&list.devices, &latest.devices, &query.query.devices, &gaps.devices}) EXPECT_EQ(seen(*selector), 2u);
  ASSERT_EQ(read_latest(mcp::Slice(R"({"devices":"pump-3"})"), visible, latest), "");
  EXPECT_EQ(seen(latest.devices), 0u);
  ASSERT_EQ(read_latest(mcp::Slice("{}"), visible, latest), "");
  EXPECT_EQ(seen(latest.devices), 2u);
}

TEST_F(FleetToolsTest, a_question_is_read_whole) {
  QueryRequest request;
  ASSERT_EQ(read_query(mcp::Slice(R"({"devices":"pump-*","series":"temp{room=a}","from":"-24h","to":"now","step":"1h","group_by":["site","device"],"limit":7})"), everything, now, request), "");
  EXPECT_EQ(request.query.from_ns, now.nanos - 24 * hour);
  EXPECT_EQ(request.query.to_ns, now.nanos);
  EXPECT_EQ(request.query.aggregate, model::Aggregate::mean);
  EXPECT_EQ(request.query.step.nanos, hour);
  EXPECT_EQ(request.query.limit, 7u);
  EXPECT_TRUE(request.query.group->by_device);
  EXPECT_EQ(request.query.group->labels, Words{"site"});
  ListDevicesRequest list;
  ASSERT_EQ(read_list_devices(mcp::Slice(R"({"state":"offline","limit":3,"cursor":"pump-1"})"), everything, list), "");
  EXPECT_EQ(list.show, ListDevicesRequest::Show::offline);
  EXPECT_EQ(list.after, "pump-1");
}

TEST_F(FleetToolsTest, wrong_arguments_are_named_with_what_to_write) {
  QueryRequest query;
  const std::pair<const char*, const char*> cases[] = {{R"({"devices":"{site"})", "devices"}, {R"({"series":"a{"})", "series"},     {R"({"from":"yesterday"})", "from"},
                                                       {R"({"to":"-2h"})", "before"},         {R"({"step":"soon"})", "step"},       {R"({"group_by":["site"]})", "aggregate"},
                                                       {R"({"aggregate":"median"})", "mean"}, {R"({"step":"1m","aggregate":"none"})", "aggregate"}};
  for (const auto& [arguments, word] : cases) {
    query = {};
    EXPECT_NE(read_query(mcp::Slice(arguments), everything, now, query).find(word), std::string::npos) << arguments;
  }
  GapsRequest gaps;
  EXPECT_NE(read_list_gaps(mcp::Slice(R"({"class":"slow"})"), everything, now, gaps), "");
  std::string device;
  EXPECT_NE(read_describe_device(mcp::Slice("{}"), device), "");
  FindToolsRequest find;
  EXPECT_NE(read_find_tools(mcp::Slice("{}"), find), "");
}

// ---- Answers

TEST_F(FleetToolsTest, devices_are_listed_with_state_and_age) {
  const mcp::Slice content = structured("list_devices", list_devices_answer({}, select(), now));
  const mcp::Slice devices = mcp::find_member(content, "devices");
  EXPECT_EQ(texts(devices, "device"), (Words{"pump-1", "pump-2", "pump-3"}));
  EXPECT_EQ(texts(devices, "state"), (Words{"online", "offline", "never_seen"}));
  EXPECT_EQ(mcp::find_member(content, "online").integer(), 1);
  EXPECT_NE(text().find("2h"), std::string::npos) << text();
}

TEST_F(FleetToolsTest, pages_hold_every_device_once) {
  for (int i = 0; i < 20; ++i) add("fan-" + std::to_string(100 + i), "bern", false);
  ListDevicesRequest request;
  request.limit = 7;
  Words all;
  for (int pages = 0; pages < 10; ++pages) {
    const mcp::Slice content = structured("list_devices", list_devices_answer(request, select(), now));
    EXPECT_EQ(mcp::find_member(content, "total").integer(), 23);
    for (const std::string& id : texts(mcp::find_member(content, "devices"), "device")) all.push_back(id);
    request.after = mcp::find_member(content, "next_cursor").text();
    if (request.after.empty()) break;
  }
  EXPECT_EQ(all.size(), 23u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  request = {};
  request.show = ListDevicesRequest::Show::online;
  EXPECT_EQ(texts(mcp::find_member(structured("list_devices", list_devices_answer(request, select(), now)), "devices"), "device"), Words{"pump-1"});
}

TEST_F(FleetToolsTest, a_device_is_described_with_what_it_measures_and_offers) {
  mcp::ListCatalog offer;
  mcp::Tool tool;
  tool.name = "restart";
  (void)offer.set_tools({tool});
  const mcp::Slice content = structured("describe_device", describe_device_answer(*select("pump-2").at(0), offer, {value("pump-2", hour)}, {gap("pump-2", 5)}, now));
  EXPECT_EQ(texts(mcp::find_member(content, "series"), "key"), Words{"temp"});
  EXPECT_EQ(texts(mcp::find_member(content, "tools"), "name"), Words{"restart"});
  EXPECT_EQ(mcp::find_member(content, "lost_readings").integer(), 5);
  EXPECT_TRUE(mcp::find_member(content, "enrolled").is(mcp::JsonKind::null));
}

TEST_F(FleetToolsTest, newest_values_say_their_age_and_whether_the_device_is_there) {
  LatestRequest request;
  request.limit = 10;
  const mcp::Slice content = structured("latest", latest_answer(request, select(), {value("pump-1", 0), value("pump-2", 2 * hour)}, now));
  const mcp::Slice values = mcp::find_member(content, "values");
  mcp::Walk walk(values);
  ASSERT_TRUE(walk.next());
  EXPECT_TRUE(mcp::find_member(walk.value(), "online").is_true());
  ASSERT_TRUE(walk.next());
  EXPECT_FALSE(mcp::find_member(walk.value(), "online").is_true());
  EXPECT_EQ(mcp::find_member(walk.value(), "age_s").real(), 7200.0);
  EXPECT_TRUE(mcp::find_member(walk.value(), "time_quality").equals("synced"));
  EXPECT_EQ(state_of(content), "partial");
  request.limit = 1;
  const mcp::Slice cut = structured("latest", latest_answer(request, select("pump-1"), {value("pump-1", 0), value("pump-1", 0)}, now));
  EXPECT_TRUE(mcp::find_member(mcp::find_member(cut, "completeness"), "truncated").is_true());
  EXPECT_EQ(mcp::find_member(cut, "total").integer(), 2);
}

class QueryAnswerTest : public FleetToolsTest {
 protected:
  mcp::Slice ask(const char* devices, const model::QueryAnswer& answer) { return structured("query", query_answer(request, select(devices), answer, now)); }
  static model::QueryAnswer data(const std::string& device) {
    model::QueryAnswer answer;
    answer.series.push_back({device, series("temp"), model::TimeQuality::synced, {point(now.nanos - hour, 1), point(now.nanos, 2)}});
    return answer;
  }
  QueryRequest request = [] {
    QueryRequest one;
    one.query.from_ns = now.nanos - 4 * hour;
    return one;
  }();
};

TEST_F(QueryAnswerTest, data_of_devices_in_contact_is_complete) {
  const mcp::Slice content = ask("pump-1", data("pump-1"));
  EXPECT_EQ(state_of(content), "complete");
  EXPECT_EQ(mcp::find_member(content, "rows").integer(), 2);
}

TEST_F(QueryAnswerTest, data_is_partial_while_a_device_is_away_or_behind_or_something_was_lost) {
  EXPECT_EQ(state_of(ask("{site=berlin}", data("pump-1"))), "partial");
  EXPECT_NE(text().find("pump-2"), std::string::npos) << text();
  model::QueryAnswer lossy = data("pump-1");
  lossy.gaps.push_back(gap("pump-1", 12));
  EXPECT_EQ(state_of(ask("pump-1", lossy)), "partial");
  EXPECT_EQ(texts(mcp::find_member(mcp::find_member(mcp::Slice(result_), "structuredContent"), "gaps"), "reason"), Words{"evicted"});
  model::QueryAnswer cut = data("pump-1");
  cut.truncated = true;
  EXPECT_EQ(state_of(ask("pump-1", cut)), "partial");
  registry.set_backlog(1, {0, 7, 0});
  EXPECT_EQ(state_of(ask("pump-1", data("pump-1"))), "partial");
}

TEST_F(QueryAnswerTest, no_data_says_why) {
  EXPECT_EQ(state_of(ask("pump-1", {})), "silent");
  EXPECT_EQ(state_of(ask("pump-2", {})), "waiting");
  EXPECT_EQ(state_of(ask("none", {})), "no_device");
  model::QueryAnswer lost;
  lost.gaps.push_back(gap("pump-1", 12));
  EXPECT_EQ(state_of(ask("pump-1", lost)), "lost");
  lost.gaps = {gap("pump-1", 0, model::GapReason::rollback)};
  EXPECT_EQ(state_of(ask("pump-1", lost)), "silent") << "a roll-back loses nothing";
  request.query.to_ns = now.nanos - 3 * hour;
  EXPECT_EQ(state_of(ask("pump-2", {})), "silent") << "the device was in contact after the time asked for";
  request.query.from_ns = now.nanos + hour;
  request.query.to_ns = INT64_MAX;
  EXPECT_EQ(state_of(ask("pump-1", {})), "future");
}

TEST_F(QueryAnswerTest, groups_come_without_a_device) {
  request.query.aggregate = model::Aggregate::mean;
  request.query.step = hours(1);
  request.group_by = {"site"};
  request.query.group = *model::parse_grouping(request.group_by);
  model::QueryAnswer answer = data("");
  answer.series[0].series.labels = {{"site", "berlin"}};
  const mcp::Slice content = ask("pump-1", answer);
  EXPECT_EQ(mcp::find_member(content, "group_by").raw(), R"(["site"])");
  mcp::Walk walk(mcp::find_member(content, "series"));
  ASSERT_TRUE(walk.next());
  EXPECT_FALSE(mcp::find_member(walk.value(), "device").is_present());
  EXPECT_TRUE(mcp::find_member(walk.value(), "key").equals("temp{site=berlin}"));
}

TEST_F(QueryAnswerTest, an_answer_too_large_says_how_to_ask_for_less) {
  model::QueryAnswer answer = data("pump-1");
  while (answer.series[0].points.size() < 40'000) answer.series[0].points.push_back(point(now.nanos, 0.1));
  const std::string result = query_answer(request, select("pump-1"), answer, now);
  EXPECT_LT(result.size(), 1000u);
  EXPECT_TRUE(mcp::find_member(mcp::Slice(result), "isError").is_true());
  EXPECT_NE(result.find("aggregate"), std::string::npos);
}

TEST_F(FleetToolsTest, gaps_are_filtered_and_counted) {
  GapsRequest request;
  DeviceGaps gaps = {gap("pump-1", 5), gap("pump-2", 7), gap("pump-2", 100, model::GapReason::rollback)};
  gaps[1].second.stream = model::Stream::bulk;
  mcp::Slice content = structured("list_gaps", list_gaps_answer(request, gaps, now));
  EXPECT_EQ(mcp::find_member(content, "total").integer(), 3);
  EXPECT_EQ(mcp::find_member(content, "lost_readings").integer(), 12);
  request.stream = model::Stream::bulk;
  content = structured("list_gaps", list_gaps_answer(request, gaps, now));
  EXPECT_EQ(mcp::find_member(content, "lost_readings").integer(), 7);
  request.stream.reset();
  request.from_ns = now.nanos - hour;
  content = structured("list_gaps", list_gaps_answer(request, gaps, now));
  EXPECT_EQ(mcp::find_member(content, "total").integer(), 0);
  request.from_ns = INT64_MIN;
  request.limit = 2;
  content = structured("list_gaps", list_gaps_answer(request, gaps, now));
  EXPECT_TRUE(mcp::find_member(content, "truncated").is_true());
}

// ---- Search

class FindToolsTest : public FleetToolsTest {
 protected:
  FindToolsTest() {
    add_tool("restart_service", "Restart a service", "Stops and starts a systemd unit.", "unit", 3);
    add_tool("set_valve", "Set the valve", "Opens or closes it; restart the pump afterwards.", "position", 1);
    add_tool("list_devices", "", "The fleet.", "site", 0);
  }
  void add_tool(const char* name, const char* title, const char* description, const std::string& argument, size_t devices) {
    mcp::Tool& tool = made.emplace_back();
    tool.name = name;
    tool.title = title;
    tool.description = description;
    tool.input_schema_json = R"({"type":"object","properties":{")" + argument + R"(":{"type":"string"}}})";
    counts.push_back(devices);
  }
  Words find(const std::string& words, size_t limit = 10) {
    std::vector<SearchedTool> searched;
    for (size_t i = 0; i < made.size(); ++i) searched.push_back({&made[i], counts[i], {"pump-1"}});
    return texts(mcp::find_member(structured("find_tools", find_tools_answer({words, limit}, searched)), "tools"), "name");
  }
  std::vector<mcp::Tool> made;
  std::vector<size_t> counts;
};

TEST_F(FindToolsTest, names_go_before_descriptions) {
  EXPECT_EQ(find("restart"), (Words{"restart_service", "set_valve"}));
  EXPECT_EQ(find("restart", 1), (Words{"restart_service"}));
}

TEST_F(FindToolsTest, tools_with_all_words_go_first) { EXPECT_EQ(find("restart pump"), (Words{"set_valve", "restart_service"})); }

TEST_F(FindToolsTest, arguments_beginnings_and_case_are_found) {
  EXPECT_EQ(find("POSITION"), (Words{"set_valve"}));
  EXPECT_EQ(find("val"), (Words{"set_valve"}));
  EXPECT_EQ(find("ervic"), (Words{"restart_service"})) << "within a word, from three letters on";
  EXPECT_TRUE(find("zzz").empty());
  EXPECT_TRUE(find("?!").empty());
}

TEST_F(FindToolsTest, words_are_cut_where_people_see_them) {
  EXPECT_EQ(search_words("restartService"), (Words{"restart", "service"}));
  EXPECT_EQ(search_words("child__get_HTTP-status2 get"), (Words{"child", "get", "http", "status2"}));
  EXPECT_EQ(search_words("\xc3\xa4ndern"), (Words{"\xc3\xa4ndern"}));
}

TEST_F(FleetToolsTest, WhatTheArchiveCannotDoIsSaidInWords) {
  EXPECT_EQ(archive_problem({ErrorCode::io, 0, "it is not open"}), "The hub's archive cannot answer now: it is not open, input/output error. Try again in a moment.");
  EXPECT_EQ(archive_problem({ErrorCode::full, 0, "too many questions"}), "too many questions. Ask for fewer devices or series, or try again in a moment.");
}

}  // namespace
}  // namespace tideline::hub
