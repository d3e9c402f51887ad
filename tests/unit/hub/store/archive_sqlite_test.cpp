// What only the embedded archive can show: its file, its damage, its lock, its copies, its plans.
#include "hub/store/archive_sqlite.hpp"

#include <atomic>
#include <thread>

#include "archive_fixture.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {
namespace {

class SqliteArchiveTest : public ArchiveTest {
 protected:
  /// Runs `sql` on the closed file, behind the archive's back.
  void tamper(const char* sql) {
    archive_.reset();
    auto database = sqlite::Database::open(path(), sqlite::OpenMode::write);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute(sql));
  }
  DeviceKey fill(model::Seq blocks) {
    const DeviceKey key = device();
    define(key);
    IntakeBatch batch = source_.batch(key);
    for (model::Seq i = 0; i < blocks; ++i) batch.blocks.push_back(source_.ramp(1 + i * 10, 10, 1000 + static_cast<int64_t>(i) * 10));
    apply(std::move(batch));
    return key;
  }
  static constexpr const char* flip_a_byte =
      "UPDATE block SET data = CAST(substr(data, 1, length(data) - 9) || x'a5' || substr(data, length(data) - 7) AS BLOB) WHERE first = 21";
};
INSTANTIATE_TEST_SUITE_P(Embedded, SqliteArchiveTest, ::testing::Values(sqlite_archive), kind_of);

TEST_P(SqliteArchiveTest, ADamagedBlockIsReportedAndTheOthersAreAnswered) {
  fill(5);
  tamper(flip_a_byte);
  reopen();
  const auto answer = ask();
  EXPECT_EQ(answer.blocks_unreadable, 1u);
  EXPECT_EQ(count_points(answer), 40u);
  const VerifyReport report = verify();
  EXPECT_EQ(report.unreadable_blocks, 1u);
  EXPECT_EQ(report.missing, 0u);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("edge-1"), std::string::npos);
  EXPECT_NE(report.problems[0].find("21"), std::string::npos);
}

TEST_P(SqliteArchiveTest, ALostCursorDoesNotMakeDuplicates) {
  const DeviceKey key = fill(5);
  tamper("DELETE FROM held");
  reopen();
  EXPECT_FALSE(verify().problems.empty());
  for (model::Seq first = 1; first <= 41; first += 10) {
    const BlockVerdict verdict = apply(key, source_.ramp(first, 10, 1000));
    EXPECT_TRUE(verdict.accepted && verdict.duplicate);
  }
  EXPECT_EQ(count_points(ask()), 50u);
  expect_sound();
}

TEST_P(SqliteArchiveTest, AnArchiveOfANewerVersionIsRefusedInWords) {
  tamper("PRAGMA user_version = 4");
  const auto opened = open_sqlite_archive(path(), ArchiveMode::write, log_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_STREQ(opened.error().context, "the archive was made by a newer tideline-hub: install that version");
}

TEST_P(SqliteArchiveTest, AnotherProgramsDatabaseIsRefused) {
  tamper("PRAGMA application_id = 0");
  EXPECT_EQ(open_sqlite_archive(path(), ArchiveMode::write, log_).error().code, ErrorCode::unsupported);
}

TEST_P(SqliteArchiveTest, OnlyOneHubOwnsIt) {
  EXPECT_EQ(open_sqlite_archive(path(), ArchiveMode::write, log_).error().code, ErrorCode::busy);
  fill(3);
  auto reader = open_sqlite_archive(path(), ArchiveMode::read, log_);
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->verify({})->readings, 30u);
  DeviceRecord record;
  record.id = "edge-2";
  EXPECT_FALSE((*reader)->put_device(record));
}

TEST_P(SqliteArchiveTest, ABackupIsWholeAndRestores) {
  const DeviceKey key = fill(5);
  const std::string copy = directory_.file("copy.db");
  ASSERT_TRUE(archive_->backup(copy, {}));
  EXPECT_EQ(archive_->backup(copy, {}).error().code, ErrorCode::exists);
  apply(key, source_.ramp(51, 10, 1050));
  EXPECT_EQ(restore_sqlite_archive(copy, path()).error().code, ErrorCode::busy);
  archive_.reset();
  ASSERT_TRUE(restore_sqlite_archive(copy, path()));
  reopen();
  EXPECT_EQ(count_points(ask()), 50u);
  EXPECT_EQ(state(key).held[1].cursor(), 50u);
  EXPECT_TRUE(apply(key, source_.ramp(51, 10, 1050)).accepted);
  expect_sound();
  auto replaced = open_sqlite_archive(path() + ".replaced", ArchiveMode::read, log_);
  ASSERT_TRUE(replaced);
  EXPECT_EQ((*replaced)->verify({})->readings, 60u) << "what was there before is kept whole, its WAL included";
}

TEST_P(SqliteArchiveTest, ADamagedBackupIsNotPutInPlace) {
  fill(5);
  const std::string copy = directory_.file("copy.db");
  ASSERT_TRUE(archive_->backup(copy, {}));
  archive_.reset();
  {
    std::FILE* file = std::fopen(copy.c_str(), "r+b");
    ASSERT_NE(file, nullptr);
    std::fseek(file, 4096 + 1, SEEK_SET);
    std::fputs("damage damage damage", file);
    std::fclose(file);
  }
  EXPECT_FALSE(restore_sqlite_archive(copy, path()));
  EXPECT_FALSE(restore_sqlite_archive(directory_.file("none.db"), path()));
  reopen();
  EXPECT_EQ(count_points(ask()), 50u);
}

TEST_P(SqliteArchiveTest, AnInterruptedRestoreDoesNotBecomeAnEmptyArchive) {
  fill(5);
  archive_.reset();
  ASSERT_TRUE(platform::rename_file(path(), path() + ".replaced"));
  EXPECT_EQ(open_sqlite_archive(path(), ArchiveMode::write, log_).error().code, ErrorCode::unsupported);
  ASSERT_TRUE(restore_sqlite_archive(path() + ".replaced", path()));
  reopen();
  EXPECT_EQ(count_points(ask()), 50u);
}

TEST_P(SqliteArchiveTest, ABackupFromAnotherConnectionDuringWritesIsConsistent) {
  const DeviceKey key = fill(200);
  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    for (model::Seq first = 2001; !is_done && first < 40'001; first += 10) apply(key, source_.ramp(first, 10, static_cast<int64_t>(first)));
  });
  for (int round = 0; round < 3; ++round) {
    const std::string copy = directory_.file("copy" + std::to_string(round));
    auto reader = open_sqlite_archive(path(), ArchiveMode::read, log_);
    EXPECT_TRUE(reader && (*reader)->backup(copy, {}));
    auto opened = open_sqlite_archive(copy, ArchiveMode::read, log_);
    EXPECT_TRUE(opened);
    if (!opened) continue;
    const auto report = (*opened)->verify({});
    EXPECT_TRUE(report && report->problems.empty() && report->missing == 0 && report->readings >= 2000);
  }
  is_done = true;
  writer.join();
  expect_sound();
}

// The plans that the comments beside the statements promise: no question may walk the table of blocks.
TEST_P(SqliteArchiveTest, QuestionsUseTheirIndexes) {
  fill(1);
  archive_.reset();
  auto database = sqlite::Database::open(path(), sqlite::OpenMode::write);
  ASSERT_TRUE(database);
  const auto plan = [&](const std::string& sql) {
    std::string text;
    auto rows = database->prepare("EXPLAIN QUERY PLAN " + sql);
    EXPECT_TRUE(rows);
    while (rows && *rows->step()) text += std::string(rows->text(3)) + "; ";
    return text;
  };
  const std::string by_time = plan(
      "SELECT time_max_ns, first, time_min_ns, incarnation, quality, shift_ns, data FROM block "
      "WHERE epoch = 1 AND stream = 1 AND time_max_ns >= 2 AND (time_max_ns, first) < (3, 4) ORDER BY time_max_ns DESC, first DESC");
  EXPECT_NE(by_time.find("USING INDEX block_time (epoch=? AND stream=? AND time_max_ns>? AND (time_max_ns,first)<(?,?))"), std::string::npos) << by_time;
  EXPECT_EQ(by_time.find("TEMP B-TREE"), std::string::npos) << by_time;
  const std::string untimed = plan("SELECT id FROM block WHERE epoch = 1 AND boot = 2 AND quality < 4 AND quality < 3 LIMIT 4096");
  EXPECT_NE(untimed.find("INDEX block_untimed"), std::string::npos) << untimed;
  const std::string by_seq = plan("SELECT first, count, incarnation, shift_ns, time_min_ns, time_max_ns, data FROM block WHERE epoch = 1 AND stream = 1 ORDER BY first");
  EXPECT_NE(by_seq.find("INDEX block_seq"), std::string::npos) << by_seq;
  const std::string latest = plan(
      "SELECT l.epoch, s.name FROM epoch e JOIN latest l ON l.epoch = e.id "
      "JOIN series s ON s.epoch = l.epoch AND s.incarnation = l.incarnation AND s.id = l.series WHERE e.device = 1");
  EXPECT_EQ(latest.find("SCAN"), std::string::npos) << latest;
}

}  // namespace
}  // namespace tideline::hub
