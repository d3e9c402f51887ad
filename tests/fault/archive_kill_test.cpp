// What a hub acknowledged survives its death at any moment, and a disk that refuses.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "hub/store/archive.hpp"
#include "support/hub_blocks.hpp"
#include "support/temp_dir.hpp"

namespace tideline::hub {
namespace {

constexpr model::Seq block_readings = 20;

class ArchiveFaultTest : public ::testing::Test {
 protected:
  std::unique_ptr<Archive> open() {
    auto opened = open_sqlite_archive(directory_.file("hub.db"), ArchiveMode::write, log_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().context);
    return opened ? std::move(*opened) : nullptr;
  }
  DeviceKey prepare() {
    const auto archive = open();
    DeviceRecord record;
    record.id = "edge-1";
    const DeviceKey key = archive->put_device(record)->key;
    IntakeBatch batch = source_.batch(key);
    batch.series = {test::BlockSource::series("s0")};
    EXPECT_TRUE(archive->apply({batch}));
    return key;
  }
  IntakeBatch next(DeviceKey key, model::Seq first) { return source_.batch(key, {source_.ramp(first, block_readings, static_cast<int64_t>(first))}); }

  /// The child: applies block after block and writes each acknowledged number to the pipe, until it is killed.
  [[noreturn]] void apply_until_killed(DeviceKey key, int pipe) {
    const auto archive = open();
    if (archive == nullptr) _exit(1);
    model::Seq first = archive->load_state(key, source_.epoch())->held[1].cursor() + 1;
    for (;; first += block_readings) {
      const auto verdicts = archive->apply({next(key, first)});
      if (!verdicts || !verdicts->at(0).at(0).accepted) _exit(2);
      const model::Seq acknowledged = first + block_readings - 1;
      if (write(pipe, &acknowledged, sizeof acknowledged) != sizeof acknowledged) _exit(3);
    }
  }

  test::NullLog log_;
  test::TempDir directory_;
  test::BlockSource source_;
};

TEST_F(ArchiveFaultTest, AcknowledgedBlocksSurviveKillNine) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const DeviceKey key = prepare();
  model::Seq acknowledged = 0;
  for (int round = 0; round < 20; ++round) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) apply_until_killed(key, pipes[1]);
    close(pipes[1]);
    const uint64_t wanted = 1 + random() % 40;
    model::Seq seen = 0;
    for (uint64_t i = 0; i < wanted && read(pipes[0], &seen, sizeof seen) == sizeof seen; ++i) acknowledged = seen;
    usleep(static_cast<useconds_t>(random() % 2000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
    while (read(pipes[0], &seen, sizeof seen) == sizeof seen) acknowledged = seen;
    close(pipes[0]);

    const auto archive = open();
    ASSERT_NE(archive, nullptr);
    const model::Seq cursor = archive->load_state(key, source_.epoch())->held[1].cursor();
    EXPECT_GE(cursor, acknowledged);
    EXPECT_LE(cursor, acknowledged + block_readings) << "at most one commit was not yet reported";
    const auto report = archive->verify({});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->readings, cursor);
    EXPECT_EQ(report->missing + report->duplicates + report->unreadable_blocks, 0u);
    EXPECT_TRUE(report->problems.empty()) << report->problems[0];
  }
}

// RLIMIT_FSIZE makes the file system refuse to grow the file, like a full disk or a quota.
TEST_F(ArchiveFaultTest, ARefusedCommitAcknowledgesNothingAndReopeningGoesOn) {
  const DeviceKey key = prepare();
  auto archive = open();
  ASSERT_TRUE(archive->apply({next(key, 1)}));
  struct rlimit unlimited;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  signal(SIGXFSZ, SIG_IGN);
  const struct rlimit tight = {64 * 1024, unlimited.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  model::Seq acknowledged = block_readings;
  bool has_failed = false;
  for (model::Seq first = block_readings + 1; !has_failed && first < 10'000; first += block_readings) {
    const auto verdicts = archive->apply({next(key, first)});
    has_failed = !verdicts.has_value();
    if (!has_failed) acknowledged = first + block_readings - 1;
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  ASSERT_TRUE(has_failed);
  EXPECT_FALSE(archive->apply({next(key, acknowledged + 1)})) << "it stays failed until it is opened again";
  EXPECT_FALSE(archive->load_state(key, source_.epoch()));
  archive.reset();
  archive = open();
  EXPECT_EQ(archive->load_state(key, source_.epoch())->held[1].cursor(), acknowledged);
  EXPECT_TRUE(archive->apply({next(key, acknowledged + 1)}));
  EXPECT_TRUE(archive->verify({})->problems.empty());
}

}  // namespace
}  // namespace tideline::hub
