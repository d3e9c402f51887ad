#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include "context/limits.hpp"
#include "support/archive_v1.hpp"
#include "support/archive_v2.hpp"
#include "unit/hub/store/archive_fixture.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {
namespace {

using context::Change;
using context::Operation;
using context::Register;
using context::Side;
using context::Stamp;

constexpr UtcNanos noon{1'800'000'000'000'000'000};

class ArchiveContextTest : public ArchiveTest {
 protected:
  ContextArchive& context() { return archive_->context(); }
  static Register written(const std::string& path, Side side, Stamp stamp, const std::string& value, Stamp seen = 0) {
    Register reg{path, side, {stamp, seen, value.empty(), 0, "somebody", value}};
    return reg;
  }
  ContextWork step(ContextWork work) {
    std::vector<ContextWork> all;
    all.push_back(std::move(work));
    EXPECT_TRUE(context().agree(all));
    return std::move(all[0]);
  }
  ContextWork put(DeviceKey device, std::vector<Register> registers) {
    ContextWork work;
    work.kind = ContextWork::Kind::put;
    work.device = device;
    work.registers = std::move(registers);
    work.now_ns = 5;
    return step(std::move(work));
  }
  void hold(DeviceKey device, Stamp of_device, Stamp of_hub, int64_t now_ns = 7) {
    ContextWork work;
    work.kind = ContextWork::Kind::holds;
    work.device = device;
    work.holds = {{of_device, of_hub}};
    work.now_ns = now_ns;
    step(std::move(work));
  }
  void declare(DeviceKey device, const std::string& json) {
    ContextWork work;
    work.kind = ContextWork::Kind::declare;
    work.device = device;
    work.declarations = json;
    step(std::move(work));
  }
  ContextOutcome change(DeviceKey device, Change change, UtcNanos now = noon) {
    change.author = "ops";
    auto outcomes = context().change({{device, &change}}, now);
    EXPECT_TRUE(outcomes);
    return outcomes ? outcomes->at(0) : ContextOutcome{};
  }
  ContextOutcome set(DeviceKey device, const std::string& path, const std::string& value, UtcNanos now = noon) {
    Change one;
    one.path = path;
    one.value = value;
    return change(device, one, now);
  }
  ContextOutcome erase(DeviceKey device, const std::string& path) {
    Change one;
    one.path = path;
    one.operation = Operation::erase;
    return change(device, one);
  }
  /// All registers of the device, put into a replica in memory.
  context::Book book(DeviceKey device) {
    context::Book all;
    for (const Side side : context::sides) {
      for (Stamp after = 0;;) {
        const auto page = context().page(device, side, after, 64 * 1024);
        EXPECT_TRUE(page);
        for (const Register& reg : page->registers) {
          EXPECT_GT(reg.write.stamp, after) << "in the order of stamps";
          after = reg.write.stamp;
          EXPECT_TRUE(*all.put(reg));
        }
        if (page->is_end) break;
      }
    }
    return all;
  }
  /// What is kept up with every register is what counting anew gives.
  void expect_sums(DeviceKey device) {
    const context::Book counted = book(device);
    const auto state = context().state(device);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->replica.digest, counted.state().digest);
    EXPECT_EQ(state->replica.entries, counted.state().entries);
    EXPECT_EQ(state->bytes, counted.totals().bytes);
    uint64_t conflicts = 0;
    uint64_t tombstones = 0;
    for (const auto& [path, entry] : counted.entries()) {
      conflicts += entry.is_conflict();
      tombstones += context::weight_of(path, entry).tombstones;
    }
    EXPECT_EQ(state->conflicts, conflicts);
    EXPECT_EQ(state->tombstones, tombstones);
    expect_sound();
  }
  void run(const char* sql, sqlite::OpenMode mode = sqlite::OpenMode::write) {
    auto database = sqlite::Database::open(path(), mode);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute(sql));
  }
};

TEST_P(ArchiveContextTest, AWriteOfTheHubIsDurableAndHasItsStamp) {
  const DeviceKey key = device();
  const ContextOutcome first = set(key, "mode", "\"auto\"");
  ASSERT_TRUE(first.is_written) << first.refusal.what;
  EXPECT_EQ(first.stamp, context::stamp_at(noon.nanos / 1'000'000));
  EXPECT_EQ(set(key, "mode", "\"eco\"", {}).stamp, first.stamp + 1) << "a clock that went back costs no order";
  reopen();
  const auto found = context().find(key, "mode");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->entry.of(Side::hub).value, "\"eco\"");
  EXPECT_EQ((*found)->entry.of(Side::hub).author, "ops");
  EXPECT_EQ(context().state(key)->replica.tops[Side::hub], first.stamp + 1);
  EXPECT_GT(set(key, "other", "1", {}).stamp, first.stamp + 1) << "also after a restart";
  expect_sums(key);
}

TEST_P(ArchiveContextTest, ADeviceWithAWrongClockCarriesNoOtherWithIt) {
  const DeviceKey wrong = device("wrong");
  const DeviceKey right = device("right");
  const Stamp far = context::stamp_end - 100;
  put(wrong, {written("mode", Side::device, far, "1")});
  EXPECT_GT(set(wrong, "mode", "2").stamp, far);
  EXPECT_EQ(set(right, "mode", "2").stamp, context::stamp_at(noon.nanos / 1'000'000));
}

TEST_P(ArchiveContextTest, AfterAnOldBackupStampsGoOnAboveWhatTheDeviceHolds) {
  const DeviceKey key = device();
  hold(key, 0, context::stamp_at(4'000'000'000'000));
  EXPECT_GT(set(key, "mode", "1").stamp, context::stamp_at(4'000'000'000'000));
}

TEST_P(ArchiveContextTest, WritesAreJudgedByWhatTheDeviceDeclared) {
  const DeviceKey key = device();
  declare(key, R"([{"path":"pump/*","type":"number","maximum":10}])");
  EXPECT_TRUE(set(key, "pump/1", "10").is_written);
  const ContextOutcome refused = set(key, "pump/1", "11");
  EXPECT_FALSE(refused.is_written);
  EXPECT_NE(refused.refusal.what.find("at most 10"), std::string::npos) << refused.refusal.what;
  EXPECT_EQ(set(key, "reported/x", "1").refusal.code, ErrorCode::denied);
  EXPECT_EQ(set(key, "a//b", "1").refusal.code, ErrorCode::invalid);
  EXPECT_EQ(set(key + 1, "mode", "1").refusal.code, ErrorCode::not_found);
  reopen();
  EXPECT_FALSE(set(key, "pump/1", "11").is_written) << "kept over a restart";
}

TEST_P(ArchiveContextTest, OneCallWritesManyDevicesAndEachSaysHowItWent) {
  std::vector<DeviceKey> keys;
  for (int i = 0; i < 5; ++i) keys.push_back(device("d-" + std::to_string(i)));
  declare(keys[3], R"([{"path":"mode","type":"string"}])");
  Change change;
  change.path = "mode";
  change.value = "1";
  std::vector<ContextWrite> writes;
  for (const DeviceKey key : keys) writes.push_back({key, &change});
  const auto outcomes = context().change(writes, noon);
  ASSERT_TRUE(outcomes);
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ((*outcomes)[i].is_written, i != 3) << i;
}

TEST_P(ArchiveContextTest, CompareAndSetSeesTheWriteBefore) {
  const DeviceKey key = device();
  Change change;
  change.path = "n";
  change.value = "1";
  change.if_version = "";
  const auto outcomes = context().change({{key, &change}, {key, &change}}, noon);
  ASSERT_TRUE(outcomes);
  EXPECT_TRUE((*outcomes)[0].is_written);
  EXPECT_EQ((*outcomes)[1].refusal.code, ErrorCode::exists);
}

TEST_P(ArchiveContextTest, RegistersComeInWhateverTheOrderAndNothingOlderReplacesThem) {
  const DeviceKey key = device();
  const ContextWork first = put(key, {written("a", Side::device, 10 << 16, "1"), written("b", Side::device, 11 << 16, "2")});
  EXPECT_EQ(first.state.tops[Side::device], 11u << 16);
  EXPECT_EQ(first.registers.size(), 2u);
  const ContextWork again = put(key, {written("a", Side::device, 9 << 16, "0"), written("b", Side::device, 11 << 16, "2"), written("a", Side::device, 12 << 16, "3")});
  EXPECT_EQ(again.registers.size(), 1u) << "what was new";
  EXPECT_EQ((*context().find(key, "a"))->entry.of(Side::device).value, "3");
  expect_sums(key);
}

TEST_P(ArchiveContextTest, AConflictIsCountedKeptAndEndsWithAWriteOfWhoSawBoth) {
  const DeviceKey key = device();
  const ContextOutcome mine = set(key, "mode", "\"hub\"");
  put(key, {written("mode", Side::device, mine.stamp + 5, "\"device\"")});
  EXPECT_EQ(context().state(key)->conflicts, 1u);
  const auto list = context().list(key, {"", "", true, 10, 1000});
  ASSERT_TRUE(list && list->entries.size() == 1u);
  const auto view = context::view_of(list->entries[0].entry, context::Rule::last_writer, 0);
  EXPECT_EQ(view.value->value, "\"device\"");
  EXPECT_EQ(view.loser->value, "\"hub\"");
  set(key, "mode", "\"agreed\"");
  EXPECT_EQ(context().state(key)->conflicts, 0u);
  const auto history = context().history(key, "mode");
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 3u) << "nobody's write is lost";
  EXPECT_EQ((*history)[0].write.value, "\"agreed\"");
  expect_sums(key);
}

TEST_P(ArchiveContextTest, HistoryIsBoundedByNumberAndBytes) {
  const DeviceKey key = device();
  for (int i = 0; i < 40; ++i) set(key, "n", std::to_string(i));
  auto history = context().history(key, "n");
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), context::limits::history);
  for (size_t i = 0; i < history->size(); ++i) EXPECT_EQ((*history)[i].write.value, std::to_string(39 - i));
  const std::string large = "\"" + std::string(60'000, 'x') + "\"";
  for (int i = 0; i < 10; ++i) set(key, "large", large);
  history = context().history(key, "large");
  EXPECT_EQ(history->size(), 1 + context::limits::history_bytes / (60'000 + 60));
  expect_sums(key);
}

TEST_P(ArchiveContextTest, HistoryOfADeviceIsBoundedInAll) {
  const DeviceKey key = device();
  const std::string large = "\"" + std::string(30'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    for (int round = 0; round < 9; ++round) set(key, "e/" + std::to_string(i), large);
  }
  EXPECT_LE(context().state(key)->history_bytes, context_history_bytes);
  EXPECT_GT(context().state(key)->history_bytes, context_history_bytes - 60'000);
  EXPECT_EQ(context().history(key, "e/99")->size(), 9u);
  EXPECT_EQ(context().history(key, "e/0")->size(), 1u) << "the oldest go first";
}

TEST_P(ArchiveContextTest, ListsArePagedByPathAndPrefix) {
  const DeviceKey key = device();
  for (const char* path : {"pump", "pump-7", "pump/1", "pump/2/x", "pump.x", "pumps", "a"}) set(key, path, "1");
  set(device("other"), "pump/other", "1");
  const auto paths = [&](const char* prefix, const char* after = "", size_t most = 1000) {
    ContextFilter filter;
    filter.prefix = prefix;
    filter.after = after;
    filter.entries_most = most;
    std::vector<std::string> found;
    const auto list = context().list(key, filter);
    EXPECT_TRUE(list);
    for (const ContextEntry& entry : list->entries) found.push_back(entry.path);
    if (!list->is_end) found.push_back("...");
    return found;
  };
  EXPECT_EQ(paths("pump"), (std::vector<std::string>{"pump", "pump/1", "pump/2/x"}));
  EXPECT_EQ(paths("pump/"), paths("pump"));
  EXPECT_EQ(paths("", "", 2), (std::vector<std::string>{"a", "pump", "..."}));
  EXPECT_EQ(paths("pump", "pump", 1), (std::vector<std::string>{"pump/1", "..."}));
  EXPECT_EQ(paths("", "pump/2/x"), (std::vector<std::string>{"pumps"}));
}

TEST_P(ArchiveContextTest, WhatTheDeviceHoldsIsKnownWithItsTime) {
  const DeviceKey key = device();
  const Stamp a = set(key, "a", "1").stamp;
  const Stamp b = set(key, "b", "1").stamp;
  hold(key, 0, a, 70);
  EXPECT_EQ((*context().find(key, "a"))->delivered_ns, 70);
  EXPECT_EQ((*context().find(key, "b"))->delivered_ns, 0);
  hold(key, 0, b, 80);
  EXPECT_EQ((*context().find(key, "a"))->delivered_ns, 70);
  EXPECT_EQ((*context().find(key, "b"))->delivered_ns, 80);
  EXPECT_EQ(context().state(key)->delivered_ns, 80);
  reopen();
  EXPECT_EQ(context().state(key)->holds[Side::hub], b);
}

TEST_P(ArchiveContextTest, DeletionsThatBothKnowAreForgottenBeyondTheBound) {
  const DeviceKey key = device();
  const size_t count = context::limits::tombstones + 300;
  std::vector<Register> all;
  for (size_t i = 0; i < count; ++i) all.push_back(written("e/" + std::to_string(i), Side::device, (i + 1) << 16, ""));
  put(key, all);
  EXPECT_LE(context().state(key)->tombstones, context::limits::tombstones);
  EXPECT_FALSE(*context().find(key, "e/0")) << "the oldest first";
  EXPECT_TRUE(*context().find(key, "e/" + std::to_string(count - 1)));
  expect_sums(key);
}

TEST_P(ArchiveContextTest, DeletionsOfTheHubStayUntilTheDeviceKnows) {
  const DeviceKey key = device();
  const size_t count = context::limits::tombstones + 20;
  std::vector<Register> all;
  for (size_t i = 0; i < count; ++i) all.push_back(written("e/" + std::to_string(i), Side::hub, (i + 1) << 16, ""));
  put(key, all);
  EXPECT_EQ(context().state(key)->tombstones, count);
  hold(key, 0, count << 16);
  EXPECT_LE(context().state(key)->tombstones, context::limits::tombstones);
  expect_sums(key);
}

TEST_P(ArchiveContextTest, AReplicaIsBounded) {
  const DeviceKey key = device();
  const std::string large = "\"" + std::string(65'000, 'x') + "\"";
  std::vector<Register> all;
  for (Stamp i = 0; i < 200; ++i) all.push_back(written("e/" + std::to_string(i), Side::device, (i + 1) << 16, large));
  const ContextWork work = put(key, std::move(all));
  ASSERT_FALSE(work.status);
  EXPECT_EQ(work.status.error().code, ErrorCode::limit);
  EXPECT_LE(context().state(key)->bytes, context::limits::replica_bytes);
  EXPECT_EQ(set(key, "mine", "1").refusal.code, ErrorCode::limit) << "the hub makes no more than a device may have";
  EXPECT_TRUE(erase(key, "e/0").is_written) << "but it can make room";
  expect_sums(key);
}

TEST_P(ArchiveContextTest, WhatExpiredBecomesADeletionOfTheHubs) {
  const DeviceKey key = device();
  Change change;
  change.path = "token";
  change.value = "1";
  change.time_to_live_ms = 1000;
  EXPECT_TRUE(this->change(key, change).is_written);
  EXPECT_TRUE(context().expire(noon, 10)->empty());
  const auto expired = context().expire(noon + seconds(2), 10);
  ASSERT_TRUE(expired);
  ASSERT_EQ(expired->size(), 1u);
  EXPECT_EQ((*expired)[0].path, "token");
  EXPECT_TRUE((*context().find(key, "token"))->entry.of(Side::hub).is_deleted);
  EXPECT_TRUE(context().expire(noon + seconds(2), 10)->empty());
  expect_sums(key);
}

TEST_P(ArchiveContextTest, SumsStayRightUnderRandomWork) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const DeviceKey key = device();
  Stamp clock = context::stamp_at(noon.nanos / 1'000'000);
  for (int i = 0; i < 600; ++i) {
    const std::string path = "e/" + std::to_string(random() % 20);
    switch (random() % 4) {
      case 0: set(key, path, std::to_string(random())); break;
      case 1: erase(key, path); break;
      default: {
        const auto known = context().find(key, path);
        const Stamp seen = *known && random() % 2 ? (*known)->entry.of(Side::hub).stamp : 0;
        put(key, {written(path, Side::device, clock += 1 + random() % 3, random() % 3 == 0 ? "" : std::to_string(random()), seen)});
      }
    }
  }
  expect_sums(key);
}

TEST_P(ArchiveContextTest, WhatWasTamperedWithIsFound) {
  const DeviceKey key = device();
  set(key, "a", "1");
  set(key, "b", "1");
  for (const char* sql : {"UPDATE context SET value = '1 ' WHERE path = 'a'", "UPDATE context SET stamp = stamp + 1 WHERE path = 'b'", "DELETE FROM context WHERE path = 'b'",
                          "UPDATE context_state SET digest = digest + 1", "UPDATE context SET path = 'reported/a' WHERE path = 'a'"}) {
    archive_.reset();
    std::filesystem::copy_file(path(), directory_.file("kept.db"), std::filesystem::copy_options::overwrite_existing);
    run(sql);
    reopen();
    EXPECT_FALSE(verify().problems.empty()) << sql;
    archive_.reset();
    std::filesystem::copy_file(directory_.file("kept.db"), path(), std::filesystem::copy_options::overwrite_existing);
  }
  reopen();
  expect_sound();
}

TEST_P(ArchiveContextTest, AnArchiveOfVersionTwoIsUpgraded) {
  archive_.reset();
  std::filesystem::remove(path());
  run(test::archive_v1_schema, sqlite::OpenMode::create);
  run(test::archive_v2_step);
  run("PRAGMA user_version = 2; INSERT INTO device VALUES(7, 'old', 'ab', 5, 0, 9, '0.1');");
  {
    auto reader = open_sqlite_archive(path(), ArchiveMode::read, log_);
    ASSERT_TRUE(reader);
    EXPECT_TRUE((*reader)->keys());
    EXPECT_EQ((*reader)->context().state(7).error().code, ErrorCode::unsupported);
  }
  reopen();
  EXPECT_EQ(archive_->device("old")->key, 7);
  EXPECT_TRUE(set(7, "mode", "1").is_written);
  expect_sums(7);
}

INSTANTIATE_TEST_SUITE_P(All, ArchiveContextTest, ::testing::Values(sqlite_archive), kind_of);

}  // namespace
}  // namespace tideline::hub
