// What a reading costs in a block: bytes (all of the block: prologue, header with realistic ids and times, columns, checksum) and
// time. "regular" is a 1 Hz clock without jitter, "jitter" one with 1.5 ms (standard deviation) in steps of 1 ms: it adds 0.42 B.
// Run: ninja benches && tests/block_bench
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "block/decoder.hpp"
#include "block/encoder.hpp"
#include "block/renumber.hpp"
#include "block/scan.hpp"
#include "support/signals.hpp"

namespace tideline {
namespace {

using support::Signal;

block::BlockMeta meta_of(const model::ReadingBatch& batch) {
  block::BlockMeta meta;
  meta.first_seq = 1'234'567;
  meta.run_id = 0x8f3a5c1d7e902b64;
  meta.boot_id = 0xd1b54a32d192ed03;
  meta.utc_offset_ns = batch.readings().front().time_ns - 273'456'789'012'345;
  meta.mono_first_ns = batch.readings().front().time_ns - meta.utc_offset_ns + 183'214;
  meta.mono_last_ns = batch.readings().back().time_ns - meta.utc_offset_ns + 201'755;
  meta.time_quality = model::TimeQuality::synced;
  return meta;
}

ByteBuffer encoded(const model::ReadingBatch& batch) {
  block::Encoder encoder;
  ByteBuffer out;
  if (!encoder.encode(meta_of(batch), batch.readings(), batch.text(), out)) std::abort();
  return out;
}

double per_reading(double total, size_t readings) { return total / static_cast<double>(readings); }

void report(benchmark::State& state, size_t readings, size_t block_bytes) {
  state.counters["B_per_reading"] = per_reading(static_cast<double>(block_bytes), readings);
  state.counters["per_reading"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(readings), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void encode(benchmark::State& state, const model::ReadingBatch& batch) {
  block::Encoder encoder;
  ByteBuffer out;
  const block::BlockMeta meta = meta_of(batch);
  for (auto _ : state) {
    if (!encoder.encode(meta, batch.readings(), batch.text(), out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
  report(state, batch.size(), out.size());
}

void decode(benchmark::State& state, const model::ReadingBatch& batch) {
  const ByteBuffer bytes = encoded(batch);
  std::vector<int64_t> times(limits::block_readings);
  std::vector<uint64_t> values(limits::block_readings);
  std::vector<std::string_view> texts(limits::block_readings);
  for (auto _ : state) {
    const auto view = block::BlockView::open(bytes);
    for (const block::Column& column : view->columns()) {
      if (!block::BlockView::read_times(column, std::span(times).first(column.count))) std::abort();
      const bool is_text = column.type == model::ValueType::text;
      if (is_text && !block::BlockView::read_texts(column, std::span(texts).first(column.count))) std::abort();
      if (!is_text && !block::BlockView::read_values(column, std::span(values).first(column.count))) std::abort();
    }
    benchmark::DoNotOptimize(values.data());
    benchmark::DoNotOptimize(times.data());
  }
  report(state, batch.size(), bytes.size());
}

model::ReadingBatch states(size_t readings) {
  static constexpr std::array<const char*, 3> names = {"running", "stopped", "fault"};
  model::ReadingBatch batch;
  for (size_t i = 0; i < readings; ++i) {
    batch.add_text(1, {support::signal_start_ns + static_cast<int64_t>(i) * 1'000'000'000, model::TimeSource::agent}, names[i / 90 % 3]);
  }
  return batch;
}

/// One kind of signal from 16 interleaved series: against one series of it, this is what grouping and short columns cost.
model::ReadingBatch interleaved(size_t readings_each) {
  std::vector<support::SignalSource> sources;
  for (model::SeriesId series = 0; series < 16; ++series) sources.emplace_back(Signal::walk_tenths, series, 1.5);
  model::ReadingBatch batch;
  for (size_t i = 0; i < readings_each; ++i) {
    for (auto& source : sources) source.add_to(batch);
  }
  return batch;
}

void block_open(benchmark::State& state) {
  const ByteBuffer bytes = encoded(support::make_job_mix(62));
  for (auto _ : state) benchmark::DoNotOptimize(block::BlockView::open(bytes)->count());
}
BENCHMARK(block_open);

void block_renumber(benchmark::State& state) {
  const ByteBuffer bytes = encoded(support::make_job_mix(62));
  ByteBuffer out;
  for (auto _ : state) {
    if (!block::renumber(bytes, 99, 0x1234567812345678, out)) std::abort();
  }
}
BENCHMARK(block_renumber);

class CountingSink final : public block::ScanSink {
 public:
  bool wants(const block::Column& column) override { return column.series == 3; }
  void on_values(const block::Column&, std::span<const int64_t> times, std::span<const uint64_t>) override { count += times.size(); }
  void on_texts(const block::Column&, std::span<const int64_t> times, std::span<const std::string_view>) override { count += times.size(); }
  size_t count = 0;
};

void block_scan_one_of_16(benchmark::State& state) {
  const ByteBuffer bytes = encoded(support::make_job_mix(62));
  block::ScanScratch scratch;
  CountingSink sink;
  for (auto _ : state) {
    const auto view = block::BlockView::open(bytes);
    if (!block::scan(*view, {}, scratch, sink)) std::abort();
  }
  benchmark::DoNotOptimize(sink.count);
}
BENCHMARK(block_scan_one_of_16);

void add(const char* name, const model::ReadingBatch& batch) {
  benchmark::RegisterBenchmark((std::string("encode/") + name).c_str(), [batch](benchmark::State& state) { encode(state, batch); });
  benchmark::RegisterBenchmark((std::string("decode/") + name).c_str(), [batch](benchmark::State& state) { decode(state, batch); });
}

const bool registered = [] {
  struct Named {
    const char* name;
    Signal signal;
  };
  static constexpr Named signals[] = {{"walk_0.1", Signal::walk_tenths}, {"walk_0.01", Signal::walk_hundredths}, {"noise", Signal::noise},
                                      {"counter", Signal::counter},      {"boolean", Signal::boolean},           {"adc12", Signal::adc12},
                                      {"constant", Signal::constant}};
  for (const size_t readings : {size_t{1000}, size_t{limits::block_readings}}) {
    const std::string tail = "/" + std::to_string(readings);
    for (const Named& each : signals) {
      add((std::string(each.name) + "/regular" + tail).c_str(), support::make_signal(each.signal, readings, 0));
      add((std::string(each.name) + "/jitter" + tail).c_str(), support::make_signal(each.signal, readings, 1.5));
    }
    add(("states/regular" + tail).c_str(), states(readings));
  }
  add("mix/16x62", support::make_job_mix(62));
  add("mix/16x256", support::make_job_mix(256));
  add("walks/16x62", interleaved(62));
  add("walks/16x256", interleaved(256));
  return true;
}();

}  // namespace
}  // namespace tideline
