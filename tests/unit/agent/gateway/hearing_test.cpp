// What "no data" means.
#include "agent/gateway/hearing.hpp"

#include <gtest/gtest.h>

#include "unit/agent/gateway/fake_services.hpp"

namespace tideline::test {
namespace {

using agent::Heard;
using agent::Hearing;
using agent::judge;
using agent::TimeRange;
using agent::Worth;

TimeRange between(int64_t from, int64_t to) { return {utc(from).nanos, utc(to).nanos}; }

/// It is 1000; the agent runs since 900; what ran before stored its last reading at 800.
Hearing usual() {
  Hearing hearing;
  hearing.moment = {utc(1000), model::TimeQuality::synced, 0, utc(900)};
  hearing.last_before = utc(800);
  return hearing;
}
Heard nothing(TimeRange range) {
  Heard heard;
  heard.range = range;
  return heard;
}
Heard something(TimeRange range) {
  Heard heard = nothing(range);
  heard.has_data = true;
  return heard;
}
model::Gap gap(int64_t from, int64_t to) {
  model::Gap one;
  one.count = 5;
  one.from_ns = utc(from).nanos;
  one.to_ns = utc(to).nanos;
  return one;
}

TEST(Hearing, NoDataWhileListeningIsASilentProducer) { EXPECT_EQ(judge(usual(), nothing(between(910, 990))).worth, Worth::silent); }

TEST(Hearing, NoDataWhileNobodyListenedIsDeafness) {
  const auto judgement = judge(usual(), nothing(between(810, 890)));
  EXPECT_EQ(judgement.worth, Worth::not_listening);
  EXPECT_EQ(judgement.deaf.from_ns, utc(810).nanos);
  EXPECT_EQ(judgement.deaf.to_ns, utc(890).nanos);
}

TEST(Hearing, TheDeafTimeIsCutToTheQuestion) {
  const auto judgement = judge(usual(), something(between(700, 950)));
  EXPECT_EQ(judgement.worth, Worth::partial);
  EXPECT_EQ(judgement.deaf.from_ns, utc(800).nanos + 1);
  EXPECT_EQ(judgement.deaf.to_ns, utc(900).nanos);
}

TEST(Hearing, DataWithoutHolesIsComplete) { EXPECT_EQ(judge(usual(), something(between(910, 990))).worth, Worth::complete); }

TEST(Hearing, GapsWithoutDataAreLoss) {
  Heard heard = nothing(between(910, 990));
  heard.gaps = {gap(920, 930)};
  const auto judgement = judge(usual(), heard);
  EXPECT_EQ(judgement.worth, Worth::lost);
  EXPECT_NE(judgement.explanation.find("5 readings"), std::string::npos);
}

TEST(Hearing, WhatWasDeliveredAndFreedIsAtTheHub) {
  Hearing hearing = usual();
  hearing.held_since = utc(700);
  EXPECT_EQ(judge(hearing, nothing(between(500, 600))).worth, Worth::delivered);
  EXPECT_EQ(judge(hearing, something(between(500, 950))).worth, Worth::partial);
  EXPECT_EQ(judge(hearing, something(between(910, 950))).worth, Worth::complete);
}

TEST(Hearing, OfANewDeviceTheTimeBeforeWasNotListened) {
  Hearing hearing = usual();
  hearing.last_before.reset();
  EXPECT_EQ(judge(hearing, nothing(between(100, 200))).worth, Worth::not_listening);
  EXPECT_EQ(judge(hearing, something({})).worth, Worth::complete) << "everything does not ask for the time before the device";
}

TEST(Hearing, TheFutureIsNoSilence) { EXPECT_EQ(judge(usual(), nothing(between(1100, 1200))).worth, Worth::future); }

TEST(Hearing, AnUnknownSeriesIsSaidToBeUnknown) {
  Heard heard = nothing(between(910, 990));
  heard.knows_series = false;
  EXPECT_EQ(judge(usual(), heard).worth, Worth::unknown_series);
}

TEST(Hearing, CutAndUnreadableAnswersArePartial) {
  Heard cut = something(between(910, 990));
  cut.is_truncated = true;
  EXPECT_EQ(judge(usual(), cut).worth, Worth::partial);
  Heard unreadable = something(between(910, 990));
  unreadable.blocks_unreadable = 1;
  EXPECT_EQ(judge(usual(), unreadable).worth, Worth::partial);
}

TEST(Hearing, GapsWithoutTimesMayLieAnywhere) {
  EXPECT_TRUE(agent::touches(model::Gap{}, between(1, 2)));
  EXPECT_TRUE(agent::touches(gap(5, 10), between(10, 11)));
  EXPECT_FALSE(agent::touches(gap(5, 10), between(11, 12)));
  EXPECT_FALSE(agent::touches(gap(5, 10), between(1, 5)));
}

}  // namespace
}  // namespace tideline::test
