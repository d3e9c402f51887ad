// How long the hub's archive takes to answer, from a warm cache: one device with 30 days of 8 series at 1 Hz (20.7 M readings in
// blocks of 4,096), and a fleet of 2,000 devices with 4 series each (one block of 60).
// Counters: readings/s are those decoded, "blocks" those opened for one answer.
#include <benchmark/benchmark.h>

#include "base/limits.hpp"
#include "support/hub_blocks.hpp"
#include "support/temp_dir.hpp"

namespace tideline::hub {
namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t begin_s = 1'700'000'000;
constexpr int64_t seconds_a_block = limits::block_readings / 8;
constexpr int64_t blocks_in_all = 30 * 86'400 / seconds_a_block;

class History {
 public:
  History() {
    archive_ = std::move(*open_sqlite_archive(directory_.file("hub.db"), ArchiveMode::write, log_));
    add_history();
    add_fleet();
  }
  Archive& archive() { return *archive_; }

 private:
  DeviceKey add_device(const std::string& id, const char* site) {
    DeviceRecord record;
    record.id = id;
    record.labels = {{"site", site}};
    return archive_->put_device(record)->key;
  }
  IntakeBatch define(DeviceKey key, int series) {
    IntakeBatch batch = source_.batch(key);
    for (int i = 0; i < series; ++i) batch.series.push_back(test::BlockSource::series("s" + std::to_string(i)));
    return batch;
  }
  void add_history() {
    const DeviceKey key = add_device("deep", "one");
    IntakeBatch batch = define(key, 8);
    for (int64_t block = 0; block < blocks_in_all; ++block) {
      model::ReadingBatch readings;
      for (int64_t i = 0; i < limits::block_readings; ++i) {
        const int64_t time = begin_s + block * seconds_a_block + i / 8;
        readings.add_f64(static_cast<model::SeriesId>(i % 8), {time * second}, static_cast<double>((time * 7 + i) % 500) / 10);
      }
      batch.blocks.push_back(source_.block(1 + static_cast<model::Seq>(block) * limits::block_readings, readings));
      if (batch.blocks.size() < 256 && block + 1 < blocks_in_all) continue;
      (void)archive_->apply({batch});
      batch = source_.batch(key);
    }
  }
  void add_fleet() {
    std::vector<IntakeBatch> batches;
    for (int device = 0; device < 2000; ++device) {
      IntakeBatch batch = define(add_device("edge-" + std::to_string(device), "many"), 4);
      model::ReadingBatch readings;
      for (int i = 0; i < 60; ++i) readings.add_f64(static_cast<model::SeriesId>(i % 4), {(begin_s + i) * second}, i / 10.0);
      batch.blocks.push_back(source_.block(1, readings));
      batches.push_back(std::move(batch));
    }
    (void)archive_->apply(batches);
  }

  test::NullLog log_;
  test::TempDir directory_;
  test::BlockSource source_;
  std::unique_ptr<Archive> archive_;
};

/// Made once: filling takes longer than all questions.
Archive& archive() {
  static History history;
  return history.archive();
}

model::Query deep(const char* series) {
  model::Query query;
  query.devices = *model::parse_device_selector("deep");
  query.series = *model::parse_series_selector(series);
  return query;
}

void answer(benchmark::State& state, const model::Query& query) {
  Archive& open = archive();
  uint64_t readings = 0;
  uint64_t blocks = 0;
  for (auto _ : state) {
    const auto answered = open.query(query);
    if (!answered) return state.SkipWithError(answered.error().context);
    readings += answered->readings_scanned;
    blocks = answered->blocks_scanned;
    benchmark::DoNotOptimize(answered->series.size());
  }
  state.counters["readings/s"] = benchmark::Counter(static_cast<double>(readings), benchmark::Counter::kIsRate);
  state.counters["blocks"] = static_cast<double>(blocks);
}

void query_newest_1000(benchmark::State& state) { answer(state, deep("s3")); }

void query_hour_of_two_weeks_ago(benchmark::State& state) {
  model::Query query = deep("s3");
  query.from_ns = (begin_s + 14 * 86'400) * second;
  query.to_ns = query.from_ns + 3600 * second;
  query.limit = 10'000;
  answer(state, query);
}

void query_day_mean_by_minute(benchmark::State& state) {
  model::Query query = deep("s3");
  query.from_ns = (begin_s + 14 * 86'400) * second;
  query.to_ns = query.from_ns + 86'400 * second;
  query.aggregate = model::Aggregate::mean;
  query.step = minutes(1);
  query.limit = 10'000;
  answer(state, query);
}

void query_month_mean_of_8_series(benchmark::State& state) {
  model::Query query = deep("*");
  query.aggregate = model::Aggregate::mean;
  query.step = hours(1);
  query.limit = 10'000;
  answer(state, query);
}

void query_month_max_from_headers(benchmark::State& state) {
  model::Query query = deep("*");
  query.aggregate = model::Aggregate::max;
  query.step = hours(24);
  answer(state, query);
}

void query_fleet_mean(benchmark::State& state) {
  model::Query query;
  query.devices = *model::parse_device_selector("{site=many}");
  query.series = *model::parse_series_selector("s1");
  query.aggregate = model::Aggregate::mean;
  answer(state, query);
}

void latest_of_one_device(benchmark::State& state) {
  const auto devices = *model::parse_device_selector("edge-77");
  for (auto _ : state) benchmark::DoNotOptimize(archive().latest(devices, {})->size());
}

void latest_of_2000_devices(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(archive().latest({}, {})->size());
}

BENCHMARK(query_newest_1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(query_hour_of_two_weeks_ago)->Unit(benchmark::kMicrosecond);
BENCHMARK(query_day_mean_by_minute)->Unit(benchmark::kMicrosecond);
BENCHMARK(query_month_mean_of_8_series)->Unit(benchmark::kMillisecond);
BENCHMARK(query_month_max_from_headers)->Unit(benchmark::kMillisecond);
BENCHMARK(query_fleet_mean)->Unit(benchmark::kMillisecond);
BENCHMARK(latest_of_one_device)->Unit(benchmark::kMicrosecond);
BENCHMARK(latest_of_2000_devices)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tideline::hub
