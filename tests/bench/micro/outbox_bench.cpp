// The edge store end to end: batches of 1,000 readings handed over on the loop thread, answered after the sync.
// outbox_synced: every batch asks to be durable, several in flight (law 1). outbox_grouped: committed by size and interval.
// loop_ns is processor time of the loop thread for one append().

#include <benchmark/benchmark.h>

#include <time.h>

#include <memory>

#include "agent/store/outbox.hpp"
#include "agent/store/store.hpp"
#include "agent/store/store_query.hpp"
#include "base/random.hpp"
#include "clock.hpp"
#include "support/temp_dir.hpp"

namespace tideline::agent {
namespace {

constexpr size_t batch_readings = 1000;

int64_t thread_nanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

class NoLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// Sixteen series at 1 Hz, as research/perf.md's job mix: walks, counters, states.
class Producer {
 public:
  explicit Producer(const std::vector<model::SeriesId>& ids) : ids_(ids) {}
  void fill(model::ReadingBatch& batch) {
    batch.clear();
    for (size_t i = 0; i < batch_readings; ++i, ++made_) {
      const size_t series = made_ % ids_.size();
      const model::ReadingBatch::Stamp stamp{1'700'000'000'000'000'000 + static_cast<int64_t>(made_ / ids_.size()) * 1'000'000'000 + static_cast<int64_t>(random_.below(3'000'000)),
                                             model::TimeSource::agent};
      walk_[series] += static_cast<int64_t>(random_.below(7)) - 3;
      if (series < 10) batch.add_f64(ids_[series], stamp, static_cast<double>(walk_[series]) / 100);
      else if (series < 14) batch.add_i64(ids_[series], stamp, static_cast<int64_t>(made_));
      else batch.add_boolean(ids_[series], stamp, (walk_[series] & 8) != 0);
    }
  }

 private:
  std::vector<model::SeriesId> ids_;
  std::array<int64_t, 16> walk_{};
  Random random_{1};
  uint64_t made_ = 0;
};

class Driver : public Outbox::Listener {
 public:
  explicit Driver(uv::Loop& loop) : loop_(loop) {}
  void on_appended(Outbox::Token, Status status) override {
    ++answered_;
    if (!status) ++failed_;
    loop_.stop();
  }
  void on_fetched(model::Stream, model::Seq, std::vector<model::StoredBlock>, std::vector<model::Gap>, model::Seq) override {}
  void on_answer(Outbox::Token, Result<model::QueryAnswer>) override {}
  void on_committed(model::Stream, model::Seq) override {}
  void on_rebased(model::Stream, Status) override {}

  uv::Loop& loop_;
  uint64_t answered_ = 0;
  uint64_t failed_ = 0;
};

void run(benchmark::State& state, Durability durability) {
  const test::TempDir directory;
  NoLog log;
  uv::Loop loop;
  Driver driver(loop);
  StoreOptions options;
  options.directory = directory.path();
  options.store_bytes = 256ull * 1024 * 1024;
  auto opened = Outbox::open(options, platform::take_anchor({}), loop, driver, log);
  if (!opened) return state.SkipWithError(opened.error().context);
  std::unique_ptr<Outbox> outbox = std::move(*opened);
  std::vector<model::SeriesId> ids;
  for (int i = 0; i < 16; ++i) ids.push_back(*outbox->series_id({.name = format("s%d", i), .labels = {}, .unit = ""}));
  Producer producer(ids);
  std::vector<model::ReadingBatch> ready(64);  // made beforehand: the producer is not what is measured
  for (model::ReadingBatch& batch : ready) producer.fill(batch);

  uint64_t sent = 0;
  int64_t loop_nanos = 0;
  const auto in_flight_most = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    while (sent - driver.answered_ >= in_flight_most || !outbox->has_room()) loop.run();
    model::ReadingBatch batch = ready[sent % ready.size()];
    const int64_t started = thread_nanos();
    const Status status = outbox->append(model::Stream::normal, std::move(batch), durability, sent, platform::now());
    loop_nanos += thread_nanos() - started;
    if (!status) return state.SkipWithError(status.error().context);
    ++sent;
  }
  outbox->flush();
  while (driver.answered_ < sent) loop.run();
  const StoreStatus status = outbox->status();
  state.SetItemsProcessed(static_cast<int64_t>(sent * batch_readings));
  state.counters["commits"] = static_cast<double>(status.commits);
  state.counters["loop_ns"] = static_cast<double>(loop_nanos) / static_cast<double>(sent);
  state.counters["bytes_per_reading"] = static_cast<double>(status.streams[1].held_bytes) / static_cast<double>(status.streams[1].held_readings);
  state.counters["failed"] = static_cast<double>(driver.failed_);
  outbox->close();
}

void outbox_synced(benchmark::State& state) { run(state, Durability::synced); }
void outbox_grouped(benchmark::State& state) { run(state, Durability::grouped); }
BENCHMARK(outbox_synced)->Arg(1)->Arg(8)->Arg(32)->UseRealTime()->MinTime(1.0);
BENCHMARK(outbox_grouped)->Arg(1'000'000)->UseRealTime()->MinTime(1.0);

/// Store alone: commit of one batch, and reading a filled store.
struct Filled {
  Filled(size_t batches) {
    options.directory = directory.path();
    store = std::move(*Store::open(options, platform::take_anchor({}), platform::now(), log));
    std::vector<model::SeriesId> ids;
    for (int i = 0; i < 16; ++i) ids.push_back(*store->series_id({.name = format("s%d", i), .labels = {}, .unit = ""}));
    Producer producer(ids);
    for (size_t i = 0; i < batches; ++i) {
      model::ReadingBatch batch;
      producer.fill(batch);
      store->append(model::Stream::normal, std::move(batch), Durability::grouped, i, platform::now());
      store->commit_due(platform::now());
    }
    store->commit_all(platform::now());
  }
  const test::TempDir directory;
  NoLog log;
  StoreOptions options;
  std::unique_ptr<Store> store;
};

void store_open_10_million(benchmark::State& state) {
  Filled filled(10'000);
  const model::Anchor anchor = filled.store->status().anchor;
  filled.store->close(platform::now());
  for (auto _ : state) {
    filled.store.reset();
    filled.store = std::move(*Store::open(filled.options, anchor, platform::now(), filled.log));
  }
}
BENCHMARK(store_open_10_million)->Unit(benchmark::kMillisecond)->Iterations(5);

void store_fetch(benchmark::State& state) {
  Filled filled(2'000);
  uint64_t readings = 0;
  model::Seq from = 1;
  for (auto _ : state) {
    const Fetched fetched = filled.store->fetch(model::Stream::normal, from, 64 * 1024, platform::now());
    readings += fetched.covered_to + 1 - from;
    from = fetched.covered_to + 1 >= filled.store->next(model::Stream::normal) ? 1 : fetched.covered_to + 1;
  }
  state.SetItemsProcessed(static_cast<int64_t>(readings));
}
BENCHMARK(store_fetch);

void store_query(benchmark::State& state, model::Query query) {
  Filled filled(2'000);
  uint64_t scanned = 0;
  for (auto _ : state) {
    StoreQuery running(*filled.store, query);
    while (!running.step(64, platform::now())) {
    }
    const model::QueryAnswer answer = running.take();
    scanned += answer.readings_scanned;
  }
  state.SetItemsProcessed(static_cast<int64_t>(scanned));
}
void store_query_latest(benchmark::State& state) {
  model::Query query;
  query.limit = 16;
  store_query(state, query);
}
void store_query_mean(benchmark::State& state) {
  model::Query query;
  query.aggregate = model::Aggregate::mean;
  query.step = minutes(10);
  store_query(state, query);
}
BENCHMARK(store_query_latest)->Unit(benchmark::kMicrosecond);
BENCHMARK(store_query_mean)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tideline::agent
