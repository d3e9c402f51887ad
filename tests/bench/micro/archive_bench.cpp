// What the hub's archive takes in a second on this disk, each commit synced. Counters: readings/s and blocks/s.
// archive_apply/large: blocks of 4,096 readings of 8 series; archive_apply/small: blocks of 60 readings of 4 series, as a device
// sends them each minute. Arguments: devices, blocks a transaction.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "base/limits.hpp"
#include "block/renumber.hpp"
#include "support/hub_blocks.hpp"
#include "support/temp_dir.hpp"

namespace tideline::hub {
namespace {

constexpr int64_t second = 1'000'000'000;

/// A walk in steps of 0.01, sampled each second with a jitter of some milliseconds.
model::ReadingBatch make_readings(uint32_t count, uint32_t series, std::mt19937_64& random) {
  model::ReadingBatch readings;
  double value = 21.5;
  for (uint32_t i = 0; i < count; ++i) {
    value = std::round((value + (static_cast<double>(random() % 7) - 3) * 0.01) * 100) / 100;
    const int64_t time = 1'700'000'000 * second + static_cast<int64_t>(i / series) * second + static_cast<int64_t>(random() % 3) * 1'000'000;
    readings.add_f64(i % series, {time}, value);
  }
  return readings;
}

class Fleet {
 public:
  Fleet(size_t devices, uint32_t readings, uint32_t series) : readings_(readings) {
    archive_ = std::move(*open_sqlite_archive(directory_.file("hub.db"), ArchiveMode::write, log_));
    std::mt19937_64 random(1);
    for (int i = 0; i < 16; ++i) templates_.push_back(source_.block(1, make_readings(readings, series, random)));
    std::vector<IntakeBatch> definitions;
    for (size_t i = 0; i < devices; ++i) {
      DeviceRecord record;
      record.id = "edge-" + std::to_string(i);
      keys_.push_back(archive_->put_device(record)->key);
      IntakeBatch batch = source_.batch(keys_.back());
      for (uint32_t s = 0; s < series; ++s) batch.series.push_back(test::BlockSource::series("s" + std::to_string(s)));
      definitions.push_back(std::move(batch));
    }
    (void)archive_->apply(definitions);
  }

  /// The next block of each of the next `blocks` devices.
  std::vector<IntakeBatch> next(size_t blocks) {
    std::vector<IntakeBatch> batches;
    for (size_t i = 0; i < blocks; ++i, ++turn_) {
      const size_t device = turn_ % keys_.size();
      const model::Seq first = 1 + turn_ / keys_.size() * readings_;
      if (batches.empty() || batches.back().device != keys_[device]) batches.push_back(source_.batch(keys_[device]));
      model::StoredBlock block = templates_[turn_ % templates_.size()];
      ByteBuffer bytes;
      (void)block::renumber(block.bytes, first, 77, bytes);
      block.bytes = std::move(bytes);
      block.range = {first, first + readings_ - 1};
      batches.back().blocks.push_back(std::move(block));
    }
    return batches;
  }
  Archive& archive() { return *archive_; }
  size_t block_bytes() const { return templates_[0].bytes.size(); }

 private:
  test::NullLog log_;
  test::TempDir directory_;
  test::BlockSource source_;
  uint32_t readings_;
  std::unique_ptr<Archive> archive_;
  std::vector<model::StoredBlock> templates_;
  std::vector<DeviceKey> keys_;
  size_t turn_ = 0;
};

void run(benchmark::State& state, uint32_t readings, uint32_t series) {
  Fleet fleet(static_cast<size_t>(state.range(0)), readings, series);
  const auto blocks = static_cast<size_t>(state.range(1));
  int64_t refused = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto batches = fleet.next(blocks);
    state.ResumeTiming();
    const auto verdicts = fleet.archive().apply(batches);
    if (!verdicts) return state.SkipWithError(verdicts.error().context);
    for (const auto& list : *verdicts) {
      for (const BlockVerdict& verdict : list) refused += !verdict.accepted || verdict.duplicate;
    }
  }
  if (refused != 0) state.SkipWithError("blocks were refused");
  state.counters["blocks/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(blocks), benchmark::Counter::kIsRate);
  state.counters["readings/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(blocks * readings), benchmark::Counter::kIsRate);
  state.counters["B/reading"] = static_cast<double>(fleet.block_bytes()) / readings;
}

void archive_apply_large(benchmark::State& state) { run(state, limits::block_readings, 8); }
void archive_apply_small(benchmark::State& state) { run(state, 60, 4); }
BENCHMARK(archive_apply_large)->Args({16, 16})->Args({200, 64})->UseRealTime()->MinTime(2);
BENCHMARK(archive_apply_small)->Args({2000, 1000})->Args({2000, 100})->Args({2000, 10})->UseRealTime()->MinTime(2);

}  // namespace
}  // namespace tideline::hub
