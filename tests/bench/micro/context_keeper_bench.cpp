// The context in the agent at 10,000 entries: a get as the keeper sees it, and with the whole answer for programs and people.
#include <benchmark/benchmark.h>

#include "agent/gateway/context_commands.hpp"
#include "base/log.hpp"
#include "support/fake_outbox.hpp"

namespace tideline::agent {
namespace {

constexpr size_t count = 10'000;
constexpr int64_t now_ms = 1'790'000'000'000;

class NoLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

std::string path_at(size_t i) { return format("plant/pump/%zu/setpoint", i); }

/// Half of them written here, half by the hub; some values are declared, so that a rule has to be looked for.
struct Device {
  Device() {
    for (size_t i = 0; i < count; ++i) {
      outbox.context.registers.push_back({path_at(i), i % 2 == 0 ? context::Side::device : context::Side::hub,
                                          {context::stamp_at(now_ms) + i, 0, false, 0, "ops (context_set)", format("{\"bar\":%zu.25,\"unit\":\"bar\",\"by\":\"rule\"}", i)}});
    }
    context::Declarations declarations;
    for (int i = 0; i < 8; ++i) {
      context::Declaration one;
      one.pattern = format("site/%d/*", i);
      (void)declarations.add(one).has_value();
    }
    keeper = std::make_unique<ContextKeeper>(outbox, declarations, [] { return UtcNanos{now_ms * 1'000'000}; }, log);
    for (size_t i = 0; i < count; ++i) paths.push_back(path_at((i * 7919) % count));
  }
  NoLog log;
  test::FakeOutbox outbox;
  std::unique_ptr<ContextKeeper> keeper;
  std::vector<std::string> paths;
};

void keeper_lookup(benchmark::State& state) {
  Device device;
  size_t i = 0;
  for (auto _ : state) {
    const std::string& path = device.paths[++i % count];
    benchmark::DoNotOptimize(device.keeper->view(*device.keeper->book().find(path), path).value);
  }
}

void get_answer(benchmark::State& state) {
  Device device;
  ContextCommands commands(*device.keeper);
  std::vector<std::string> arguments;
  for (const std::string& path : device.paths) arguments.push_back(R"({"path":")" + path + R"("})");
  size_t i = 0;
  for (auto _ : state) {
    commands.run("get", mcp::Slice(arguments[++i % count]), "bench", [](const ContextAnswer& answer) { benchmark::DoNotOptimize(answer.json.data()); });
  }
}

BENCHMARK(keeper_lookup);
BENCHMARK(get_answer);

}  // namespace
}  // namespace tideline::agent
