// Memory does not grow with the backlog (law 6): a process with ten million readings in its store against one with none.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "agent/store/store.hpp"
#include "agent/store/store_query.hpp"
#include "clock.hpp"
#include "support/temp_dir.hpp"

namespace tideline::agent {
namespace {

constexpr size_t backlog_readings = 10'000'000;
constexpr size_t batch_readings = 4000;
constexpr long growth_most_kb = 1024;  // measured: 540 KB, the page caches of the segments that are open for reading
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

class SilentLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// Proportional set size of this process, 0 if the kernel does not say.
long pss_kb() {
  long kb = 0;
  if (std::FILE* file = std::fopen("/proc/self/smaps_rollup", "re")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr && std::sscanf(line, "Pss: %ld", &kb) != 1) {
    }
    std::fclose(file);
  }
  return kb;
}

/// Runs `work` in a child, so that what one store leaves in the heap does not count for the next.
long in_child(const std::function<long()>& work) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const long result = work();
    _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  close(ends[1]);
  long result = -1;
  EXPECT_EQ(read(ends[0], &result, sizeof result), static_cast<ssize_t>(sizeof result));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return result;
}

std::unique_ptr<Store> open(const std::string& directory, Log& log) {
  StoreOptions options;
  options.directory = directory;
  options.free_bytes_least = 0;
  auto opened = Store::open(options, platform::take_anchor({}), platform::now(), log);
  return opened ? std::move(*opened) : nullptr;
}

long append(const std::string& directory, size_t readings) {
  SilentLog log;
  const auto store = open(directory, log);
  if (store == nullptr) return 0;
  const auto id = store->series_id({.name = "s", .labels = {}, .unit = ""});
  for (size_t made = 0; made < readings;) {
    model::ReadingBatch batch;
    for (size_t i = 0; i < batch_readings; ++i, ++made) {
      const auto value = static_cast<int64_t>(made);
      batch.add_f64(*id, {value * 1'000'000'000, model::TimeSource::agent}, static_cast<double>(value * 7919 % 10'000) / 100);
    }
    store->append(model::Stream::normal, std::move(batch), Durability::grouped, 1, platform::now());
    store->commit_due(platform::now());
    (void)store->take_completions();
  }
  store->close(platform::now());
  return static_cast<long>(store->next(model::Stream::normal) - 1);
}

/// What a daemon with a backlog does: starts, drains a part, answers a question, records.
long use_and_measure(const std::string& directory) {
  SilentLog log;
  const auto store = open(directory, log);
  if (store == nullptr) return 0;
  const auto id = store->series_id({.name = "s", .labels = {}, .unit = ""});
  for (model::Seq from = 1, turn = 0; turn < 200; ++turn) {
    const Fetched fetched = store->fetch(model::Stream::normal, from, 64 * 1024, platform::now());
    from = fetched.covered_to + 1;
    model::ReadingBatch batch;
    batch.add_f64(*id, {static_cast<int64_t>(turn), model::TimeSource::agent}, 1);
    store->append(model::Stream::normal, std::move(batch), Durability::grouped, 1, platform::now());
    store->commit_due(platform::now());
    (void)store->take_completions();
  }
  model::Query question;
  question.limit = 100;
  StoreQuery running(*store, question);
  while (!running.step(16, platform::now())) {
  }
  (void)running.take();
  return pss_kb();
}

TEST(StoreMemoryTest, ten_million_readings_cost_less_than_a_megabyte) {
  const test::TempDir empty;
  const test::TempDir full;
  if (pss_kb() == 0) GTEST_SKIP() << "no smaps_rollup here";
  if (is_sanitized) GTEST_SKIP() << "the sanitizer keeps what was freed";
  ASSERT_EQ(in_child([&] { return append(full.path(), backlog_readings); }), static_cast<long>(backlog_readings));
  ASSERT_GT(in_child([&] { return append(empty.path(), batch_readings); }), 0);
  const long without = in_child([&] { return use_and_measure(empty.path()); });
  const long with = in_child([&] { return use_and_measure(full.path()); });
  std::printf("PSS without a backlog %ld KB, with %zu readings %ld KB\n", without, backlog_readings, with);
  ASSERT_GT(without, 0);
  EXPECT_LT(with - without, growth_most_kb);
}

}  // namespace
}  // namespace tideline::agent
