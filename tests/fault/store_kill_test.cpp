// What the edge store acknowledged survives kill -9 at any moment, and a real file system that is full.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "agent/store/store.hpp"
#include "base/random.hpp"
#include "block/decoder.hpp"
#include "clock.hpp"
#include "support/temp_dir.hpp"

namespace tideline::agent {
namespace {

using model::Seq;
using model::Stream;

class SilentLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view text) override {
    if (std::getenv("TIDELINE_TEST_LOG") != nullptr) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
};

class StoreKillTest : public testing::Test {
 protected:
  enum class Work : uint8_t { append, append_and_rebase, notes, context };

  StoreKillTest() {
    options_.directory = directory_.path();
    options_.segment_bytes = 64 * 1024;
    options_.free_bytes_least = 0;
  }

  std::unique_ptr<Store> open() {
    auto opened = Store::open(options_, platform::take_anchor({}), platform::now(), log_);
    EXPECT_TRUE(opened.has_value());
    return opened ? std::move(*opened) : nullptr;
  }
  static model::ReadingBatch make(Store& store, int64_t from, size_t count) {
    model::ReadingBatch batch;
    const auto id = store.series_id({.name = "s", .labels = {}, .unit = ""});
    for (size_t i = 0; i < count; ++i) {
      const int64_t value = from + static_cast<int64_t>(i);
      batch.add_i64(*id, {value, model::TimeSource::producer}, static_cast<int64_t>(Random(static_cast<uint64_t>(value)).next() << 40) | value);
    }
    return batch;
  }
  /// Appends from value `from` on; after each commit tells the pipe the last value that is durable. Never returns.
  [[noreturn]] void append_until_killed(int64_t from, int pipe, bool with_rebase) {
    const auto store = open();
    if (store == nullptr) _exit(1);
    Random random(static_cast<uint64_t>(from) + 1);
    for (;;) {
      const size_t count = static_cast<size_t>(1 + random.below(2000));
      store->append(Stream::normal, make(*store, from, count), Durability::synced, 1, platform::now());
      store->commit_due(platform::now());
      const auto done = store->take_completions();
      if (done.size() != 1 || !done[0].status) _exit(2);
      from += static_cast<int64_t>(count);
      if (write(pipe, &from, sizeof from) != sizeof from) _exit(3);
      const Seq next = store->next(Stream::normal);
      if (with_rebase && random.below(3) == 0) (void)store->rebase(Stream::normal, next - random.below(std::min<Seq>(next, 3000)), next + 10, platform::now()).has_value();
      store->tick(platform::now());
    }
  }
  static std::string note_of(int64_t i) { return std::string(static_cast<size_t>(i * 7919 % 5000) + 1, static_cast<char>('a' + i % 26)); }
  /// Keeps the newest hundred notes, as append_until_killed().
  [[noreturn]] void note_until_killed(int64_t from, int pipe) {
    const auto store = open();
    if (store == nullptr) _exit(1);
    for (;; ++from) {
      const std::vector<NoteChange> changes{{"n" + std::to_string(from), note_of(from), 1}, {"n" + std::to_string(from - 100), "", 2}};
      for (const Status& status : store->put_notes(changes, platform::now())) {
        if (!status) _exit(2);
      }
      const int64_t durable = from + 1;
      if (write(pipe, &durable, sizeof durable) != sizeof durable) _exit(3);
    }
  }
  static std::string value_of(int64_t i) { return "\"" + note_of(i) + "\""; }
  /// Writes two registers at a time and forgets old ones, as append_until_killed().
  [[noreturn]] void put_context_until_killed(int64_t from, int pipe) {
    const auto store = open();
    if (store == nullptr) _exit(1);
    for (;; ++from) {
      const auto stamp = static_cast<context::Stamp>(from) + 1;
      const auto reg = [&](std::string path) { return context::Register{std::move(path), context::Side::device, {stamp, 0, false, 0, "", value_of(from)}}; };
      const ContextPut put{{reg("p/" + std::to_string(from % 100)), reg("same")}, {"p/" + std::to_string((from + 50) % 100)}, 1};
      if (!store->put_context({&put, 1}, platform::now())) _exit(2);
      const int64_t durable = from + 1;
      if (write(pipe, &durable, sizeof durable) != sizeof durable) _exit(3);
    }
  }
  /// Runs a child until some time after its first answer; returns the first value that is not known to be durable.
  int64_t kill_one(int64_t from, std::mt19937_64& random, Work work = Work::append) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      if (work == Work::notes) note_until_killed(from, ends[1]);
      if (work == Work::context) put_context_until_killed(from, ends[1]);
      append_until_killed(from, ends[1], work == Work::append_and_rebase);
    }
    close(ends[1]);
    int64_t durable = from;
    const auto answers = 1 + random() % 20;
    for (uint64_t i = 0; i < answers && read(ends[0], &durable, sizeof durable) == sizeof durable; ++i) {
    }
    usleep(static_cast<useconds_t>(random() % 3000));
    kill(child, SIGKILL);
    int result = 0;
    waitpid(child, &result, 0);
    EXPECT_TRUE(WIFSIGNALED(result)) << "exit code " << WEXITSTATUS(result);
    while (read(ends[0], &durable, sizeof durable) == sizeof durable) {
    }
    close(ends[0]);
    return durable;
  }
  struct Contents {
    std::vector<int64_t> values;
    uint64_t lost = 0;
    uint64_t given_up = 0;
  };
  static Contents read_all(Store& store) {
    Contents contents;
    for (Seq from = 1; from < store.next(Stream::normal);) {
      const Fetched part = store.fetch(Stream::normal, from, 1'000'000, platform::now());
      for (const model::StoredBlock& block : part.blocks) {
        const auto view = block::BlockView::open(block.bytes);
        for (const block::Column& column : view->columns()) {
          std::vector<int64_t> times(column.count);  // the value again, not scattered
          EXPECT_TRUE(block::BlockView::read_times(column, times).has_value());
          contents.values.insert(contents.values.end(), times.begin(), times.end());
        }
      }
      for (const model::Gap& gap : part.gaps) {
        contents.lost += gap.count;
        if (gap.reason == model::GapReason::rollback) contents.given_up += gap.range.count();
        EXPECT_FALSE(gap.at_least);
      }
      EXPECT_GE(part.covered_to, from);
      if (part.covered_to < from) break;
      from = part.covered_to + 1;
    }
    return contents;
  }
  /// Every value from 0 on once, in order, at least up to `durable`; returns how many there are.
  static int64_t expect_all(const Contents& contents, int64_t durable) {
    for (size_t i = 0; i < contents.values.size(); ++i) {
      if (contents.values[i] != static_cast<int64_t>(i)) {
        ADD_FAILURE() << "value " << contents.values[i] << " at place " << i;
        break;
      }
    }
    EXPECT_GE(static_cast<int64_t>(contents.values.size()), durable);
    return static_cast<int64_t>(contents.values.size());
  }

  SilentLog log_;
  test::TempDir directory_;
  StoreOptions options_;
  const uint32_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
};

TEST_F(StoreKillTest, every_acknowledged_reading_is_there_once_after_kill_nine) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  int64_t from = 0;
  for (int round = 0; round < 20; ++round) {
    const int64_t durable = kill_one(from, random_);
    const auto store = open();
    const Contents contents = read_all(*store);
    EXPECT_EQ(contents.lost, 0U);
    from = expect_all(contents, durable);
    EXPECT_EQ(store->next(Stream::normal), static_cast<Seq>(from) + 1);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(StoreKillTest, a_kill_while_renumbering_loses_and_doubles_nothing) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  options_.segment_bytes = 16 * 1024;
  int64_t from = 0;
  for (int round = 0; round < 12; ++round) {
    const int64_t durable = kill_one(from, random_, Work::append_and_rebase);
    const auto store = open();
    const Contents contents = read_all(*store);
    EXPECT_EQ(contents.lost, 0U);
    from = expect_all(contents, durable);
    EXPECT_EQ(store->next(Stream::normal), static_cast<Seq>(from) + contents.given_up + 1);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(StoreKillTest, a_kill_while_evicting_leaves_exact_gaps) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  options_.store_bytes = 400'000;
  int64_t from = 0;
  for (int round = 0; round < 20; ++round) {
    const int64_t durable = kill_one(from, random_);
    const auto store = open();
    const Contents contents = read_all(*store);
    EXPECT_EQ(contents.values.size() + contents.lost, store->next(Stream::normal) - 1);
    for (size_t i = 1; i < contents.values.size(); ++i) ASSERT_EQ(contents.values[i], contents.values[i - 1] + 1);
    ASSERT_FALSE(contents.values.empty());
    EXPECT_GE(contents.values.back() + 1, durable);
    EXPECT_EQ(static_cast<uint64_t>(contents.values.front()), contents.lost);
    from = contents.values.back() + 1;
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(StoreKillTest, every_acknowledged_note_is_there_after_kill_nine) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  int64_t from = 0;
  for (int round = 0; round < 20; ++round) {
    const int64_t durable = kill_one(from, random_, Work::notes);
    const auto store = open();
    EXPECT_EQ(store->status().incarnation, 0U);
    for (int64_t i = std::max<int64_t>(0, durable - 50); i < durable; ++i) {
      const auto text = store->get_note("n" + std::to_string(i), platform::now());
      ASSERT_TRUE(text.has_value()) << "note " << i << " of " << durable << ", round " << round;
      EXPECT_EQ(*text, note_of(i));
    }
    from = durable;
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(StoreKillTest, context_that_was_acknowledged_survives_kill_9) {
  int64_t from = 0;
  for (int round = 0; round < 30; ++round) {
    const int64_t durable = kill_one(from, random_, Work::context);
    const auto store = open();
    const ContextImage image = store->take_context();
    std::map<std::string, context::Write> held;
    for (const context::Register& reg : image.registers) held[reg.path] = reg.write;
    ASSERT_GE(image.newest, static_cast<context::Stamp>(durable)) << "round " << round;
    // Both registers of a put, or none; the last one may have been cut off after its commit.
    const auto last = static_cast<int64_t>(held["same"].stamp) - 1;
    ASSERT_GE(last + 1, durable);
    EXPECT_EQ(held["p/" + std::to_string(last % 100)], held["same"]);
    for (int64_t i = std::max<int64_t>(0, last - 49); i <= last; ++i) EXPECT_EQ(held["p/" + std::to_string(i % 100)].value, value_of(i)) << "round " << round;
    EXPECT_LE(held.size(), 51U) << "what was forgotten is gone";
    from = last + 1;
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(StoreKillTest, a_really_full_file_system_is_survived) {
  if (geteuid() != 0 || mount("tideline-test", directory_.path().c_str(), "tmpfs", 0, "size=3m") != 0) GTEST_SKIP() << "needs a mount";
  options_.free_bytes_least = 0;
  {
    const auto store = open();
    uint64_t kept = 0;
    uint64_t refused = 0;
    for (int64_t from = 0; from < 1'000'000; from += 2000) {
      store->append(Stream::normal, make(*store, from, 2000), from % 4000 == 0 ? Durability::synced : Durability::grouped, 1, platform::now());
      store->commit_all(platform::now());
      for (const Completion& done : store->take_completions()) ++(done.status ? kept : refused);
      ASSERT_FALSE(store->status().failed);
    }
    EXPECT_GT(kept, 400U) << refused << " refused";
    const Contents contents = read_all(*store);
    EXPECT_EQ(contents.values.size() + contents.lost, store->next(Stream::normal) - 1);
    store->close(platform::now());
  }
  {
    const auto again = open();
    const Contents contents = read_all(*again);
    EXPECT_EQ(contents.values.size() + contents.lost, again->next(Stream::normal) - 1);
  }
  EXPECT_EQ(umount(directory_.path().c_str()), 0);
}

}  // namespace
}  // namespace tideline::agent
