// What holds for every archive: see archive.hpp.
#include "hub/store/archive.hpp"

#include "archive_fixture.hpp"
#include "base/limits.hpp"

namespace tideline::hub {
namespace {

using model::SeqRange;
using model::Stream;

INSTANTIATE_TEST_SUITE_P(Embedded, ArchiveTest, ::testing::Values(sqlite_archive), kind_of);

TEST_P(ArchiveTest, AcceptedBlocksAreThereAfterReopening) {
  const DeviceKey key = device();
  define(key);
  EXPECT_TRUE(apply(key, source_.ramp(1, 10, 1000)).accepted);
  reopen();
  EXPECT_EQ(count_points(ask()), 10u);
  EXPECT_EQ(state(key).held[1].cursor(), 10u);
  expect_sound();
}

TEST_P(ArchiveTest, AReplayIsANoOpForever) {
  const DeviceKey key = device();
  define(key);
  const model::StoredBlock block = source_.ramp(1, 10, 1000);
  apply(key, block);
  for (int round = 0; round < 3; ++round) {
    const BlockVerdict again = apply(key, block);
    EXPECT_TRUE(again.accepted);
    EXPECT_TRUE(again.duplicate);
    reopen();
  }
  apply(key, source_.ramp(11, 10, 1010));
  EXPECT_TRUE(apply(key, block).duplicate);
  EXPECT_TRUE(apply(key, source_.ramp(3, 2, 1002)).duplicate) << "a part of what is held";
  EXPECT_EQ(count_points(ask()), 20u);
  expect_sound();
}

TEST_P(ArchiveTest, AReplayInsideOneBatchIsANoOp) {
  const DeviceKey key = device();
  define(key);
  const model::StoredBlock block = source_.ramp(1, 10, 1000);
  const auto verdicts = apply(source_.batch(key, {block, block}));
  EXPECT_FALSE(verdicts[0].duplicate);
  EXPECT_TRUE(verdicts[1].accepted && verdicts[1].duplicate);
  expect_sound();
}

TEST_P(ArchiveTest, APartlyHeldBlockIsRefused) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(5, 10, 1000));
  for (const SeqRange range : {SeqRange{1, 5}, SeqRange{14, 20}, SeqRange{1, 20}}) {
    const BlockVerdict verdict = apply(key, source_.ramp(range.first, static_cast<uint32_t>(range.count()), 1000));
    EXPECT_FALSE(verdict.accepted);
    EXPECT_STREQ(verdict.reason, "block overlaps what is held");
  }
  EXPECT_EQ(state(key).held[1].ranges(), (std::vector<SeqRange>{{5, 14}}));
}

TEST_P(ArchiveTest, EqualNumbersInAnotherEpochOrStreamOrDeviceAreOtherReadings) {
  const DeviceKey one = device("edge-1");
  const DeviceKey two = device("edge-2");
  define(one);
  define(two);
  EXPECT_FALSE(apply(one, source_.ramp(1, 10, 1000)).duplicate);
  EXPECT_FALSE(apply(two, source_.ramp(1, 10, 1000)).duplicate);
  source_.meta.stream = Stream::bulk;
  EXPECT_FALSE(apply(one, source_.ramp(1, 10, 1000)).duplicate);
  test::BlockSource other(std::string(32, 'f'));
  IntakeBatch batch = other.batch(one, {other.ramp(1, 10, 2000)});
  batch.series = {test::BlockSource::series("s0")};
  EXPECT_FALSE(apply(std::move(batch))[0].duplicate);
  expect_sound();
}

TEST_P(ArchiveTest, BlocksMayComeInAnyOrder) {
  const DeviceKey key = device();
  define(key);
  for (const model::Seq first : {31u, 1u, 21u, 11u}) EXPECT_TRUE(apply(key, source_.ramp(first, 10, 1000 + static_cast<int64_t>(first))).accepted);
  EXPECT_EQ(state(key).held[1].cursor(), 40u);
  EXPECT_EQ(count_points(ask()), 40u);
}

TEST_P(ArchiveTest, RangesAreBoundedAndTheBlockThatJoinsTwoStillFits) {
  const DeviceKey key = device();
  define(key);
  for (model::Seq i = 0; i < limits::cursor_ranges; ++i) ASSERT_TRUE(apply(key, source_.ramp(1 + 20 * i, 10, 1000)).accepted);
  const BlockVerdict verdict = apply(key, source_.ramp(1 + 20 * limits::cursor_ranges, 10, 1000));
  EXPECT_FALSE(verdict.accepted);
  EXPECT_STREQ(verdict.reason, "too many ranges: send older blocks first");
  EXPECT_TRUE(apply(key, source_.ramp(11, 10, 1000)).accepted);
  EXPECT_TRUE(apply(key, source_.ramp(1 + 20 * limits::cursor_ranges, 10, 1000)).accepted);
  reopen();
  EXPECT_EQ(state(key).held[1].ranges().size(), limits::cursor_ranges);
  const VerifyReport report = verify();
  EXPECT_EQ(report.missing, 10 * (limits::cursor_ranges - 1)) << "what is neither held nor declared is reported";
}

TEST_P(ArchiveTest, DamagedAndMislabelledBlocksAreRefusedAndHoldUpNobody) {
  const DeviceKey key = device();
  define(key);
  model::StoredBlock damaged = source_.ramp(1, 10, 1000);
  damaged.bytes[damaged.bytes.size() / 2] ^= 1;
  model::StoredBlock mislabelled = source_.ramp(11, 10, 1000);
  mislabelled.range = {12, 21};
  model::StoredBlock wrong_stream = source_.ramp(31, 10, 1000);
  wrong_stream.stream = Stream::critical;
  model::StoredBlock zero = source_.ramp(1, 1, 1000);
  zero.range = {0, 0};
  model::StoredBlock empty = source_.ramp(1, 1, 1000);
  empty.range = {5, 4};
  const auto verdicts = apply(source_.batch(key, {damaged, mislabelled, wrong_stream, zero, empty, source_.ramp(51, 10, 1000)}));
  EXPECT_STREQ(verdicts[0].reason, "block is damaged");
  EXPECT_STREQ(verdicts[1].reason, "block is not what its frame says");
  EXPECT_STREQ(verdicts[2].reason, "block is not what its frame says");
  EXPECT_STREQ(verdicts[3].reason, "sequence numbers are out of range");
  EXPECT_STREQ(verdicts[4].reason, "sequence numbers are out of range");
  EXPECT_TRUE(verdicts[5].accepted);
}

TEST_P(ArchiveTest, NumbersThatCannotBeStoredAreRefused) {
  const DeviceKey key = device();
  define(key);
  EXPECT_TRUE(apply(key, source_.ramp(INT64_MAX - 9, 10, 1000)).accepted);
  EXPECT_STREQ(apply(key, source_.ramp(static_cast<model::Seq>(INT64_MAX) + 1, 10, 1000)).reason, "sequence numbers are out of range");
}

TEST_P(ArchiveTest, ABlockOfAnUndefinedSeriesIsRefused) {
  const DeviceKey key = device();
  define(key, 2);
  EXPECT_TRUE(apply(key, source_.ramp(1, 10, 1000, 1)).accepted);
  EXPECT_STREQ(apply(key, source_.ramp(11, 10, 1000, 2)).reason, "block names a series that was not defined");
}

TEST_P(ArchiveTest, AnUnknownDeviceIsRefusedAndOthersInTheTransactionAreNot) {
  const DeviceKey key = device();
  define(key);
  std::vector<IntakeBatch> batches;
  batches.push_back(source_.batch(key + 99, {source_.ramp(1, 10, 1000)}));
  batches.push_back(source_.batch(key, {source_.ramp(1, 10, 1000)}));
  const auto applied = archive_->apply(batches);
  ASSERT_TRUE(applied);
  EXPECT_FALSE((*applied)[0][0].accepted);
  EXPECT_TRUE((*applied)[1][0].accepted);
}

TEST_P(ArchiveTest, DefinitionsAreAppendedAndRepeatedOnesMustBeEqual) {
  const DeviceKey key = device();
  define(key, 3);
  define(key, 3);
  EXPECT_EQ(state(key).series_known, 3u);
  IntakeBatch other = source_.batch(key, {source_.ramp(1, 10, 1000)});
  other.first_series = 1;
  other.series = {test::BlockSource::series("renamed")};
  EXPECT_STREQ(apply(std::move(other))[0].reason, "a series id has another definition here: the store needs a new incarnation");
  IntakeBatch hole = source_.batch(key, {source_.ramp(1, 10, 1000)});
  hole.first_series = 4;
  hole.series = {test::BlockSource::series("s4")};
  EXPECT_STREQ(apply(std::move(hole))[0].reason, "series definitions have a hole");
  EXPECT_EQ(state(key).series_known, 3u);
}

TEST_P(ArchiveTest, ANewIncarnationNumbersItsSeriesAfresh) {
  const DeviceKey key = device();
  define(key, 2);
  apply(key, source_.ramp(1, 10, 1000, 1));
  IntakeBatch next = source_.batch(key, {source_.ramp(11, 10, 1010, 1)});
  next.incarnation = 1;
  next.series = {test::BlockSource::series("s0"), test::BlockSource::series("other")};
  EXPECT_TRUE(apply(std::move(next))[0].accepted);
  reopen();
  EXPECT_EQ(state(key).incarnation, 1u);
  EXPECT_EQ(state(key).series_known, 2u);
  const auto answer = ask();
  ASSERT_EQ(answer.series.size(), 2u);
  EXPECT_EQ(answer.series[0].series.name, "other");
  EXPECT_EQ(answer.series[0].points.front().bits, 11u);
  EXPECT_EQ(answer.series[1].series.name, "s1");
  EXPECT_EQ(answer.series[1].points.back().bits, 10u);
  expect_sound();
}

TEST_P(ArchiveTest, SeriesHashFollowsTheDefinitions) {
  const DeviceKey key = device();
  EXPECT_EQ(state(key).series_hash, 0u);
  define(key, 1);
  const uint64_t one = state(key).series_hash;
  define(key, 2);
  const uint64_t two = state(key).series_hash;
  EXPECT_NE(one, two);
  reopen();
  EXPECT_EQ(state(key).series_hash, two);
}

TEST_P(ArchiveTest, RunsAreRememberedWithTheirHighestNumbers) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(1, 10, 1000));
  source_.meta.run_id = 0xffff'ffff'ffff'fff0;
  apply(key, source_.ramp(21, 10, 1000));
  apply(key, source_.ramp(11, 10, 1000));
  reopen();
  const auto runs = state(key).runs;
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].id, 77u);
  EXPECT_EQ(runs[0].highest[1], 10u);
  EXPECT_EQ(runs[0].highest[0], 0u);
  EXPECT_EQ(runs[1].id, 0xffff'ffff'ffff'fff0);
  EXPECT_EQ(runs[1].highest[1], 30u);
}

TEST_P(ArchiveTest, ClaimedRunsAreJoinedToWhatIsKnown) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(1, 10, 1000));
  IntakeBatch batch = source_.batch(key);
  batch.runs = {{77, {1, 1, 1}, {0, 5, 0}}, {78, {1, 11, 3}, {0, 0, 0}}};
  apply(batch);
  batch.runs = {{78, {1, 31, 0}, {0, 40, 0}}};
  apply(batch);
  reopen();
  const auto runs = state(key).runs;
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].first[1], 1u);
  EXPECT_EQ(runs[0].highest[1], 10u);
  EXPECT_EQ(runs[1].id, 78u);
  EXPECT_EQ(runs[1].first[1], 31u);  // it moved
  EXPECT_EQ(runs[1].first[2], 3u);   // nothing said
  EXPECT_EQ(runs[1].highest[1], 40u);
}

TEST_P(ArchiveTest, RunsAreBoundedAndTheNewestStay) {
  const DeviceKey key = device();
  define(key);
  IntakeBatch batch = source_.batch(key);
  for (uint64_t run = 1; run <= limits::held_runs + 1; ++run) {
    source_.meta.run_id = run;
    batch.blocks.push_back(source_.ramp(run, 1, 1000));
  }
  apply(std::move(batch));
  reopen();
  const auto runs = state(key).runs;
  ASSERT_EQ(runs.size(), limits::held_runs);
  EXPECT_EQ(runs.front().id, 2u);
  EXPECT_EQ(runs.back().id, limits::held_runs + 1);
}

TEST_P(ArchiveTest, GapsCountAsHeldAndAreAnswered) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(1, 10, 1000));
  IntakeBatch batch = source_.batch(key, {source_.ramp(31, 10, 1030)});
  batch.gaps = {{Stream::normal, {11, 30}, 20, model::GapReason::evicted, false, 1010 * second, 1029 * second, 2000 * second}};
  apply(batch);
  apply(batch);
  reopen();
  EXPECT_EQ(state(key).held[1].cursor(), 40u);
  const auto gaps = archive_->gaps({});
  ASSERT_TRUE(gaps);
  ASSERT_EQ(gaps->size(), 1u);
  EXPECT_EQ((*gaps)[0].first, "edge-1");
  EXPECT_EQ((*gaps)[0].second, batch.gaps[0]);
  EXPECT_EQ(verify().missing, 0u);
  EXPECT_EQ(verify().declared_lost, 20u);

  EXPECT_EQ(ask().gaps.size(), 1u);
  model::Query later;
  later.from_ns = 1030 * second;
  EXPECT_TRUE(ask(later).gaps.empty());
}

TEST_P(ArchiveTest, VerifyReportsWhatIsNeitherHeldNorDeclared) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(1, 10, 1000));
  apply(key, source_.ramp(14, 10, 1000));
  const VerifyReport report = verify();
  EXPECT_EQ(report.missing, 3u);
  EXPECT_EQ(report.readings, 20u);
  EXPECT_EQ(report.blocks, 2u);
  EXPECT_EQ(report.devices, 1u);
  ASSERT_EQ(report.problems.size(), 1u);
}

TEST_P(ArchiveTest, StateOfAnUnknownEpochIsEmptyAndNothingIsStoredByAsking) {
  const DeviceKey key = device();
  const DeviceState empty = state(key);
  EXPECT_EQ(empty.series_known, 0u);
  EXPECT_EQ(empty.held[0].cursor(), 0u);
  EXPECT_TRUE(empty.runs.empty());
  EXPECT_EQ(archive_->load_state(key + 1, "x").error().code, ErrorCode::not_found);
}

TEST_P(ArchiveTest, SettingsReadBack) {
  EXPECT_EQ(archive_->setting("ca").error().code, ErrorCode::not_found);
  EXPECT_TRUE(archive_->set_setting("ca", "one"));
  EXPECT_TRUE(archive_->set_setting("ca", "two"));
  reopen();
  EXPECT_EQ(*archive_->setting("ca"), "two");
}

}  // namespace
}  // namespace tideline::hub
