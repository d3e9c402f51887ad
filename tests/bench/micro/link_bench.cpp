// What the link costs per block: codec and uplink, without TLS, store and network. items = readings (4,096 a block of 12 KB, as
// the encoder makes of typical sensors: 3 bytes a reading).
#include <benchmark/benchmark.h>

#include "../../unit/agent/uplink_fixture.hpp"

namespace {

using namespace tideline;

constexpr size_t block_size = 12 * 1024;
constexpr uint64_t block_count = 4096;

void link_encode_block(benchmark::State& state) {
  const ByteBuffer block(block_size, 0xab);
  ByteBuffer payload;
  for (auto _ : state) {
    payload.clear();
    link::encode(link::BlockFrame{link::Lane::live, model::Stream::normal, {1, block_count}, block}, payload);
    benchmark::DoNotOptimize(payload.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(block_count));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(block_size));
}
BENCHMARK(link_encode_block);

void link_decode_block(benchmark::State& state) {
  const ByteBuffer block(block_size, 0xab);
  ByteBuffer payload;
  link::encode(link::BlockFrame{link::Lane::live, model::Stream::normal, {1, block_count}, block}, payload);
  for (auto _ : state) benchmark::DoNotOptimize(link::decode(payload));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(block_count));
}
BENCHMARK(link_decode_block);

/// A wire that hands everything over and a hub that acknowledges every 8th block: reads, sends, acknowledgements.
void uplink_drain(benchmark::State& state) {
  constexpr size_t backlog = 512;
  int64_t readings = 0;
  for (auto _ : state) {
    state.PauseTiming();
    agent::uplink_test::Fixture fixture;
    for (size_t i = 0; i < backlog; ++i) fixture.store.put_block(model::Stream::normal, block_count, block_size);
    fixture.come_online();
    state.ResumeTiming();
    model::Seq acknowledged = 0;
    while (!fixture.uplink->is_synced()) {
      fixture.serve();
      fixture.empty_queue();
      uint64_t credit = 0;
      model::Seq last = acknowledged;
      for (const ByteBuffer& payload : fixture.wire.sent) {
        const auto message = link::decode(payload);
        if (const auto* block = std::get_if<link::BlockFrame>(&*message)) {
          last = block->range.last;
          credit += payload.size();
        }
      }
      fixture.wire.sent.clear();
      if (last > acknowledged) fixture.hub_sends(link::Ack{model::Stream::normal, {{acknowledged + 1, last}}, credit});
      acknowledged = last;
    }
    readings += static_cast<int64_t>(backlog * block_count);
  }
  state.SetItemsProcessed(readings);
}
BENCHMARK(uplink_drain)->Unit(benchmark::kMillisecond);

void link_series_hash(benchmark::State& state) {
  model::Series series;
  series.name = "process.cpu.seconds";
  series.labels = {{"host", "edge-17"}, {"unit", "tideline.service"}};
  for (auto _ : state) benchmark::DoNotOptimize(link::series_hash(series, 1));
}
BENCHMARK(link_series_hash);

}  // namespace
