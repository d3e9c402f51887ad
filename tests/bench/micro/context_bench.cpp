// The context at 10,000 entries: what a get costs in the core, a write, a register taken in, a message; and the memory of an entry.
#include <benchmark/benchmark.h>

#include <malloc.h>

#include "base/log.hpp"
#include "context/book.hpp"
#include "context/change.hpp"
#include "context/message.hpp"

namespace tideline::context {
namespace {

constexpr size_t count = 10'000;
constexpr int64_t now = 1'790'000'000'000;

std::string path_at(size_t i) { return format("plant/pump/%zu/setpoint", i); }

Register register_at(size_t i, Stamp stamp) {
  return {path_at(i), i % 2 == 0 ? Side::device : Side::hub, {stamp, 0, false, 0, "ops (context_set)", format("{\"bar\":%zu.25,\"unit\":\"bar\",\"by\":\"rule\"}", i)}};
}

void fill(Book& book) {
  for (size_t i = 0; i < count; ++i) (void)book.put(register_at(i, stamp_at(now) + i)).has_value();
}

void get(benchmark::State& state) {
  Book book;
  fill(book);
  const Declarations declarations;
  std::vector<std::string> paths;
  for (size_t i = 0; i < count; ++i) paths.push_back(path_at((i * 7919) % count));
  size_t i = 0;
  for (auto _ : state) {
    const std::string& path = paths[++i % count];
    const Entry* entry = book.find(path);
    benchmark::DoNotOptimize(view_of(*entry, declarations.rule(path), now).value);
  }
}

void make(benchmark::State& state) {
  Book book;
  fill(book);
  const Declarations declarations;
  HybridClock clock;
  const Entry& entry = *book.find(path_at(77));
  const Change change{path_at(77), Operation::set, R"({"bar":2.75,"unit":"bar","by":"ops"})", std::nullopt, 0, "ops (context_set)"};
  Register made;
  Refusal refusal;
  for (auto _ : state) benchmark::DoNotOptimize(make_register(change, entry, Judge{Side::device, declarations, book.totals(), {now * 1'000'000}, {}}, clock, made, refusal));
}

void put(benchmark::State& state) {
  Book book;
  fill(book);
  Stamp stamp = stamp_at(now) + count;
  size_t i = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const Register reg = register_at(++i % count, ++stamp);
    state.ResumeTiming();
    benchmark::DoNotOptimize(book.put(reg));
  }
}

RegistersMessage page() {
  Book book;
  fill(book);
  return {book.page(Side::hub, 0, 64 * 1024).registers};
}

void encode_page(benchmark::State& state) {
  const RegistersMessage message = page();
  ByteBuffer bytes;
  for (auto _ : state) {
    bytes.clear();
    encode(message, bytes);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(message.registers.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void decode_page(benchmark::State& state) {
  const RegistersMessage message = page();
  ByteBuffer bytes;
  encode(message, bytes);
  for (auto _ : state) benchmark::DoNotOptimize(decode(bytes));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(message.registers.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void fill_book(benchmark::State& state) {
  size_t bytes = 0;
  for (auto _ : state) {
    const size_t before = mallinfo2().uordblks;
    Book book;
    fill(book);
    bytes = mallinfo2().uordblks - before;
  }
  state.counters["bytes_10k"] = static_cast<double>(bytes);
  state.counters["bytes_entry"] = static_cast<double>(bytes) / count;
}

BENCHMARK(get);
BENCHMARK(make);
BENCHMARK(put)->Iterations(200'000);
BENCHMARK(encode_page);
BENCHMARK(decode_page);
BENCHMARK(fill_book)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tideline::context
