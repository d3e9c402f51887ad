#include <gtest/gtest.h>

#include <cmath>

#include "agent/inputs/report_filter.hpp"
#include "agent/inputs/sampled_input.hpp"
#include "agent/inputs/sampler.hpp"
#include "agent/inputs/series_rules.hpp"
#include "sim/scripted_source.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

std::vector<size_t> due(Sampler& sampler, Instant now) {
  std::vector<size_t> all;
  sampler.take_due(now, all);
  return all;
}

TEST(Sampler, keeps_its_grid_without_drift) {
  Sampler sampler(7);
  sampler.add(milliseconds(300), Instant{});
  const Instant first = sampler.next();
  EXPECT_LT(first, Instant{} + milliseconds(300));
  for (int i = 0; i < 1000; ++i) {
    const Instant expected = first + milliseconds(300) * i;
    ASSERT_EQ(sampler.next(), expected);
    EXPECT_TRUE(due(sampler, expected - nanoseconds(1)).empty());
    EXPECT_EQ(due(sampler, expected + milliseconds(i % 299)).size(), 1u);  // woken late
  }
}

TEST(Sampler, a_stall_makes_one_sample_due_not_many) {
  Sampler sampler(7);
  sampler.add(seconds(1), Instant{});
  const Instant first = sampler.next();
  EXPECT_EQ(due(sampler, first + hours(1) + milliseconds(5)).size(), 1u);
  EXPECT_EQ(sampler.next(), first + hours(1) + seconds(1));
  EXPECT_TRUE(due(sampler, first + hours(1) + milliseconds(5)).empty());
}

TEST(Sampler, inputs_of_one_interval_are_spread_within_the_first_second) {
  Sampler sampler(7);
  for (int i = 0; i < 20; ++i) sampler.add(hours(1), Instant{});
  EXPECT_LE(due(sampler, sampler.next()).size(), 2u);
  due(sampler, Instant{} + seconds(1));
  EXPECT_GE(sampler.next(), Instant{} + hours(1));
}

TEST(Sampler, with_no_input_nothing_is_ever_due) { EXPECT_EQ(Sampler(1).next(), never); }

Instant at(int64_t s) { return Instant{} + seconds(s); }

TEST(ReportFilter, without_a_deadband_every_sample_is_a_reading) {
  ReportFilter filter{ReportPolicy{}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(filter.should_report(1.0, at(i)));
}

TEST(ReportFilter, a_slow_drift_is_reported_once_it_went_far_enough) {
  ReportFilter filter{ReportPolicy{.deadband = 1.0, .max_interval = {}}};
  EXPECT_TRUE(filter.should_report(10.0, at(0)));
  EXPECT_FALSE(filter.should_report(10.4, at(1)));
  EXPECT_FALSE(filter.should_report(10.8, at(2)));
  EXPECT_TRUE(filter.should_report(11.0, at(3)));
  EXPECT_FALSE(filter.should_report(10.5, at(4)));
}

TEST(ReportFilter, a_deadband_of_zero_reports_any_change) {
  ReportFilter filter{ReportPolicy{.deadband = 0.0, .max_interval = {}}};
  EXPECT_TRUE(filter.should_report(1.0, at(0)));
  EXPECT_FALSE(filter.should_report(1.0, at(1)));
  EXPECT_TRUE(filter.should_report(std::nextafter(1.0, 2.0), at(2)));
  EXPECT_TRUE(filter.should_report(INFINITY, at(3)));
  EXPECT_FALSE(filter.should_report(INFINITY, at(4)));
}

TEST(ReportFilter, silence_is_broken_after_the_longest_interval) {
  ReportFilter filter{ReportPolicy{.deadband = 1.0, .max_interval = seconds(60)}};
  EXPECT_TRUE(filter.should_report(1.0, at(0)));
  EXPECT_FALSE(filter.should_report(1.0, at(59)));
  EXPECT_TRUE(filter.should_report(1.0, at(60)));
}

TEST(ReportFilter, a_change_held_back_is_reported_when_it_lasts) {
  ReportFilter filter{ReportPolicy{.deadband = 1.0, .min_interval = seconds(10), .max_interval = {}}};
  EXPECT_TRUE(filter.should_report(1.0, at(0)));
  EXPECT_FALSE(filter.should_report(9.0, at(9)));
  EXPECT_TRUE(filter.should_report(9.0, at(10)));
}

TEST(ReportFilter, becoming_nan_and_leaving_it_are_changes) {
  ReportFilter filter{ReportPolicy{.deadband = 1.0, .max_interval = {}}};
  EXPECT_TRUE(filter.should_report(1.0, at(0)));
  EXPECT_TRUE(filter.should_report(NAN, at(1)));
  EXPECT_FALSE(filter.should_report(NAN, at(2)));
  EXPECT_TRUE(filter.should_report(1.0, at(3)));
}

TEST(ReportFilter, any_other_text_is_a_change) {
  ReportFilter filter{ReportPolicy{.deadband = 100.0, .max_interval = {}}};
  EXPECT_TRUE(filter.should_report("a", at(0)));
  EXPECT_FALSE(filter.should_report("a", at(1)));
  EXPECT_TRUE(filter.should_report("b", at(2)));
}

model::Series series_called(std::string name, std::vector<std::pair<std::string, std::string>> labels = {}) {
  model::Series series;
  series.name = std::move(name);
  series.labels = std::move(labels);
  return series;
}

TEST(SeriesRules, the_last_rule_that_matches_wins_by_name_or_key) {
  const SeriesRules rules({{"temp*", model::Stream::bulk, {}, "Cel", 1.0, {}, {}}, {"temp{room=a}", model::Stream::critical, {}, "", {}, seconds(5), {}}});
  model::Series a = series_called("temp", {{"room", "a"}});
  model::Series b = series_called("temp", {{"room", "b"}});
  rules.apply(a);
  rules.apply(b);
  EXPECT_EQ(a.stream, model::Stream::critical);
  EXPECT_EQ(a.unit, "Cel");
  EXPECT_EQ(b.stream, model::Stream::bulk);
  EXPECT_EQ(rules.policy(a, {}).deadband, 1.0);
  EXPECT_EQ(rules.policy(a, {}).min_interval, seconds(5));
  EXPECT_EQ(rules.policy(series_called("x"), {}), ReportPolicy{});
}

TEST(SeriesRules, an_input_selects_before_it_renames) {
  InputConfig input;
  input.include = {"cpu.*"};
  input.exclude = {"cpu.core.percent{core=1}"};
  input.rename = {{"cpu.percent", "load"}};
  input.labels = {{"core", "x"}, {"a", "b"}};
  input.unit = "1";
  model::Series kept = series_called("cpu.percent");
  EXPECT_TRUE(shape_series(input, {}, kept));
  EXPECT_EQ(kept.key(), "load{a=b,core=x}");
  EXPECT_EQ(kept.unit, "1");
  model::Series excluded = series_called("cpu.core.percent", {{"core", "1"}});
  EXPECT_FALSE(shape_series(input, {}, excluded));
  model::Series other = series_called("load");
  EXPECT_FALSE(shape_series(input, {}, other));
}

class SampledInputTest : public ::testing::Test {
 protected:
  void begin(InputConfig config) {
    config.name = "chip";
    config.type = InputType::hwmon;
    input = std::make_unique<SampledInput>(std::move(config), rules, log);
  }
  void sample() {
    SampleResult result;
    result.taken = now;
    result.status = source.sample(now, result.set);
    result.new_channels.assign(source.channels().begin() + static_cast<std::ptrdiff_t>(told), source.channels().end());
    told = source.channels().size();
    input->on_sampled(result, UtcNanos{1}, sink);
    now = now + seconds(1);
  }
  platform::ScriptedSource source;
  KeepingSink sink;
  KeepingLog log;
  SeriesRules rules;
  std::unique_ptr<SampledInput> input;
  Instant now = at(100);
  size_t told = 0;
};

TEST_F(SampledInputTest, values_are_scaled_and_filtered) {
  InputConfig config;
  config.scale = 2;
  config.offset = 1;
  config.report.deadband = 5;
  begin(config);
  const uint32_t temp = source.add(series_called("temp"));
  source.set(temp, 10);
  sample();
  source.set(temp, 12);
  sample();
  source.set(temp, 13);
  sample();
  EXPECT_EQ(sink.lines(), (Lines{"temp=21@agent", "temp=27@agent"}));
  EXPECT_EQ(input->status().readings, 2u);
  EXPECT_EQ(sink.resolved, 1u);
  EXPECT_EQ(input->status().last_success, at(102));
}

TEST_F(SampledInputTest, a_missing_sensor_is_told_once_and_its_return_once) {
  begin({});
  const uint32_t a = source.add(series_called("a"));
  const uint32_t b = source.add(series_called("b"));
  source.set(a, 1);
  for (int i = 0; i < 3; ++i) sample();
  EXPECT_EQ(log.lines, (Lines{"warning input 'chip': b: no value yet: not found"}));
  EXPECT_EQ(input->status().failures, 3u);
  EXPECT_EQ(input->status().last_error, "b: no value yet: not found");
  EXPECT_EQ(sink.size(), 3u);
  source.set(b, 2);
  for (int i = 0; i < 3; ++i) sample();
  EXPECT_EQ(log.lines.size(), 2u);
  EXPECT_EQ(log.lines[1], "info input 'chip': b is back");
  EXPECT_EQ(input->status().last_error, "");
}

TEST_F(SampledInputTest, a_failing_source_is_told_once_and_its_return_once) {
  begin({});
  source.set(source.add(series_called("a")), 1);
  source.break_source({ErrorCode::io, 5, "read"});
  for (int i = 0; i < 3; ++i) sample();
  EXPECT_EQ(log.lines, (Lines{"warning input 'chip': read: Input/output error"}));
  source.repair();
  for (int i = 0; i < 2; ++i) sample();
  EXPECT_EQ(log.lines.size(), 2u);
  EXPECT_EQ(log.lines[1], "info input 'chip' is back");
  EXPECT_EQ(input->status().failures, 3u);
}

TEST_F(SampledInputTest, an_optional_input_without_sensors_says_so_once_and_warns_nobody) {
  InputConfig config;
  config.optional = true;
  begin(config);
  source.break_source({ErrorCode::not_found, 0, "no sensor"});
  for (int i = 0; i < 3; ++i) sample();
  EXPECT_EQ(log.lines, (Lines{"info input 'chip': no sensor; the agent goes on looking"}));
}

TEST_F(SampledInputTest, without_room_a_reading_is_declared_lost) {
  begin({});
  source.set(source.add(series_called("a")), 1);
  sink.room = 0;
  sample();
  EXPECT_EQ(sink.lost, 1u);
  EXPECT_EQ(sink.size(), 0u);
  EXPECT_EQ(input->status().readings, 0u);
}

TEST_F(SampledInputTest, series_left_out_cost_nothing_and_fail_silently) {
  InputConfig config;
  config.exclude = {"a"};
  begin(config);
  source.add(series_called("a"));
  source.set(source.add(series_called("b")), 1);
  sample();
  EXPECT_EQ(sink.lines(), (Lines{"b=1@agent"}));
  EXPECT_TRUE(log.lines.empty());
  EXPECT_EQ(input->status().failures, 0u);
}

TEST_F(SampledInputTest, a_stall_is_told_once) {
  begin({});
  for (int i = 0; i < 3; ++i) input->on_skipped();
  EXPECT_EQ(log.lines.size(), 1u);
  EXPECT_EQ(input->status().skipped, 3u);
}

}  // namespace
}  // namespace tideline::agent
