// Lines a second through the parser, one thread, sink that keeps readings. Law: at least 3 M lines a second for a repeated series.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "agent/inputs/ingest_session.hpp"

namespace tideline::agent {
namespace {

class CountingSink final : public Sink {
 public:
  Result<SeriesHandle> resolve(const model::Series& series) override {
    ASSIGN_OR_RETURN(const model::SeriesId id, dictionary_.add(series));
    return SeriesHandle{id, series.stream};
  }
  model::ReadingBatch& batch(model::Stream stream) override { return batches_[model::index_of(stream)]; }
  bool has_room() const override { return true; }
  void declare_lost(model::Stream, uint64_t) override {}
  void clear() {
    for (auto& batch : batches_) batch.clear();
  }

 private:
  model::SeriesDictionary dictionary_;
  std::array<model::ReadingBatch, model::stream_count> batches_;
};

class Silent final : public IngestSession::Owner {
  void request_sync(IngestSession&, IngestSession::SyncId) override {}
  void send_reply(IngestSession&, std::string) override {}
};

void feed(benchmark::State& state, const std::string& text, int64_t lines) {
  CountingSink sink;
  Silent owner;
  const SeriesRules rules;
  IngestSession session(rules, sink, owner);
  session.feed(as_bytes(text), UtcNanos{1});  // each series is new once
  for (auto unused : state) {
    sink.clear();
    if (session.feed(as_bytes(text), UtcNanos{1}) != text.size() || session.totals().rejected != 0) state.SkipWithError("a line was refused");
  }
  state.SetItemsProcessed(state.iterations() * lines);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

constexpr int lines = 1000;

std::string repeat(std::string (*line)(int)) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += line(i) + "\n";
  return text;
}

std::string stamp(int i) { return std::to_string(1'700'000'000'000'000'000 + i * 1'000'000ll); }

void influx_one_series(benchmark::State& state) {
  feed(state, repeat([](int i) { return "temp,room=a v=21.5 " + stamp(i); }), lines);
}
void influx_hundred_series(benchmark::State& state) {
  feed(state, repeat([](int i) { return "temp,site=north,room=" + std::to_string(i % 100) + " v=" + std::to_string(20 + i % 17) + "." + std::to_string(i % 10) + " " + stamp(i); }), lines);
}
void influx_no_time(benchmark::State& state) {
  feed(state, repeat([](int i) { return "count,room=a v=" + std::to_string(i) + "i"; }), lines);
}
void influx_eight_fields(benchmark::State& state) {
  feed(state, repeat([](int i) { return "m,host=a f1=1.5,f2=2.5,f3=3.5,f4=4.5,f5=5.5,f6=6.5,f7=7.5,f8=8i " + stamp(i); }), lines);
}
void json_long(benchmark::State& state) {
  feed(state, repeat([](int i) { return "{\"series\":\"temp\",\"labels\":{\"room\":\"a\"},\"value\":21.5,\"time\":" + stamp(i) + "}"; }), lines);
}
void json_long_text_time(benchmark::State& state) {
  feed(state, repeat([](int) { return std::string("{\"series\":\"temp\",\"labels\":{\"room\":\"a\"},\"value\":21.5,\"time\":\"2026-11-21T03:04:05.250Z\",\"unit\":\"Cel\"}"); }), lines);
}
void json_short(benchmark::State& state) {
  feed(state, repeat([](int i) { return "{\"temp\":21.5,\"time\":" + stamp(i) + "}"; }), lines);
}

BENCHMARK(influx_one_series);
BENCHMARK(influx_hundred_series);
BENCHMARK(influx_no_time);
BENCHMARK(influx_eight_fields);
BENCHMARK(json_long);
BENCHMARK(json_long_text_time);
BENCHMARK(json_short);

}  // namespace
}  // namespace tideline::agent
