// What TLS costs the hub and the device: handshakes (full, resumed), bulk data, and the memory of an idle session.
// Run: build/release/tls_bench. Both ends work in one thread; the counters split the time by side. The client is mbedTLS, as on a
// device; the server is each library that this build has.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "link/framer.hpp"
#include "wrap/tls/certificates.hpp"
#include "wrap/tls/context.hpp"
#include "wrap/tls/server.hpp"
#if defined(TIDELINE_BENCH_OPENSSL)
#include "wrap/openssl/server.hpp"
#endif

namespace {

using namespace tideline;
using Clock = std::chrono::steady_clock;

constexpr UtcNanos now{1'800'000'000'000'000'000};
constexpr tls::Validity year{now - hours(24), now + hours(24 * 365)};

using MakeServer = Result<std::unique_ptr<tls::Server>>(const tls::ServerOptions&, tls::TicketKeys*);

struct Pair {
  explicit Pair(MakeServer* make_server) {
    const tls::Identity authority = *tls::make_authority("bench", year);
    tls::ServerOptions server_options;
    server_options.identity = *tls::make_server_certificate(authority, {"hub.bench"}, year);
    server_options.client_ca_pem = authority.certificate_pem;
    server_options.alpn = {"tideline/1"};
    tls::ClientOptions client_options;
    client_options.identity.key_pem = tls::make_key();
    client_options.identity.certificate_pem =
        *tls::sign_request(authority, *tls::make_request(client_options.identity.key_pem, "device"), "device", year);
    client_options.ca_pem = authority.certificate_pem;
    client_options.alpn = {"tideline/1"};
    server_context = std::move(*make_server(server_options, &tickets));
    client_context = std::move(*tls::Context::make_client(client_options));
  }

  bool carry(tls::Session& from, tls::Session& to, size_t& moved) {
    moved += from.output().size();
    to.feed(from.output());
    to.hold_input();
    from.output().clear();
    return to.has_input();
  }

  void shake(Bytes saved) {
    const auto start = Clock::now();
    server = std::move(*server_context->make_session({now, false}));
    const auto middle = Clock::now();
    client = std::move(*client_context->make_session({now, false}, "hub.bench", saved));
    server_time += middle - start;
    client_time += Clock::now() - middle;
    while (!client->is_open() || !server->is_open()) {
      const auto client_start = Clock::now();
      (void)client->handshake().has_value();
      carry(*client, *server, up);
      const auto server_start = Clock::now();
      (void)server->handshake().has_value();
      carry(*server, *client, down);
      client_time += server_start - client_start;
      server_time += Clock::now() - server_start;
    }
  }

  ByteBuffer save() {
    uint8_t buffer[64];
    (void)server->write(as_bytes("x")).has_value();
    carry(*server, *client, down);
    (void)client->read(buffer).has_value();
    return client->save();
  }

  tls::TicketKeys tickets{now};
  std::unique_ptr<tls::Server> server_context;
  std::unique_ptr<tls::Context> client_context;
  std::unique_ptr<tls::Session> server;
  std::unique_ptr<tls::Session> client;
  Clock::duration server_time{};
  Clock::duration client_time{};
  size_t up = 0;
  size_t down = 0;
};

void report(benchmark::State& state, const Pair& pair) {
  const auto per = [&](Clock::duration d) {
    return std::chrono::duration<double, std::micro>(d).count() / static_cast<double>(state.iterations());
  };
  state.counters["client_us"] = per(pair.client_time);
  state.counters["server_us"] = per(pair.server_time);
  state.counters["bytes_up"] = static_cast<double>(pair.up) / static_cast<double>(state.iterations());
  state.counters["bytes_down"] = static_cast<double>(pair.down) / static_cast<double>(state.iterations());
}

void handshake_full(benchmark::State& state, MakeServer* make_server) {
  Pair pair(make_server);
  for (auto _ : state) pair.shake({});
  report(state, pair);
}

void handshake_resumed(benchmark::State& state, MakeServer* make_server) {
  Pair pair(make_server);
  pair.shake({});
  const ByteBuffer saved = pair.save();
  pair.up = pair.down = 0;
  pair.client_time = pair.server_time = {};
  for (auto _ : state) pair.shake(saved);
  report(state, pair);
  if (!pair.server->was_resumed()) state.SkipWithError("not resumed");
}

/// Frames of `range` bytes from the device, encrypted in one go, decrypted and cut into frames again as net/connection does. The
/// counter is what the server alone takes.
void bulk_up(benchmark::State& state, MakeServer* make_server) {
  Pair pair(make_server);
  pair.shake({});
  const auto size = static_cast<size_t>(state.range(0));
  const ByteBuffer payload(size, 0x5a);
  ByteBuffer plain;
  while (plain.size() + size < limits::read_buffer_bytes) link::append_frame(plain, payload);
  if (plain.empty()) link::append_frame(plain, payload);
  std::vector<uint8_t> work(limits::read_buffer_bytes);
  link::FrameReader frames;
  uint64_t received = 0;
  Clock::duration server_time{};
  for (auto _ : state) {
    (void)pair.client->write(plain).has_value();
    const auto start = Clock::now();
    pair.server->feed(pair.client->output());
    while (true) {
      size_t filled = 0;
      while (filled < work.size()) {
        const auto count = pair.server->read(std::span(work).subspan(filled));
        if (!count || *count == 0) break;
        filled += *count;
      }
      if (filled == 0) break;
      Bytes input(work.data(), filled);
      while (true) {
        const auto frame = frames.next(input);
        if (!frame || !*frame) break;
        received += (*frame)->size();
      }
    }
    server_time += Clock::now() - start;
    pair.client->output().clear();
  }
  state.SetBytesProcessed(static_cast<int64_t>(received));
  state.counters["server_MB_per_s"] = static_cast<double>(received) / std::chrono::duration<double, std::micro>(server_time).count();
}

/// What the server takes to encrypt 128 KiB, as much as net/connection does at once.
void bulk_down(benchmark::State& state, MakeServer* make_server) {
  Pair pair(make_server);
  pair.shake({});
  const ByteBuffer plain(128 * 1024, 0x5a);
  for (auto _ : state) {
    (void)pair.server->write(plain).has_value();
    pair.server->output().clear();
  }
  state.SetBytesProcessed(static_cast<int64_t>(plain.size()) * static_cast<int64_t>(state.iterations()));
}

/// Heap of one server session after the handshake: what each idle device costs a hub.
void idle_session_memory(benchmark::State& state, MakeServer* make_server) {
  Pair pair(make_server);
  std::vector<std::unique_ptr<tls::Session>> sessions;
  pair.shake({});
  const ByteBuffer saved = pair.save();
  const size_t before = mallinfo2().uordblks;
  for (auto _ : state) {
    pair.shake(saved);
    ByteBuffer().swap(pair.server->output());
    sessions.push_back(std::move(pair.server));
    pair.client.reset();
  }
  state.counters["heap_bytes"] = static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(sessions.size());
}

#define BENCH_ENGINE(name, make_server)                                                                          \
  BENCHMARK_CAPTURE(handshake_full, name, make_server)->Unit(benchmark::kMicrosecond);                           \
  BENCHMARK_CAPTURE(handshake_resumed, name, make_server)->Unit(benchmark::kMicrosecond);                        \
  BENCHMARK_CAPTURE(bulk_up, name, make_server)->Arg(64)->Arg(4096)->Arg(61440);                                 \
  BENCHMARK_CAPTURE(bulk_down, name, make_server);                                                               \
  BENCHMARK_CAPTURE(idle_session_memory, name, make_server)->Iterations(200)->Unit(benchmark::kMicrosecond)

BENCH_ENGINE(mbedtls, tls::make_server);
#if defined(TIDELINE_BENCH_OPENSSL)
BENCH_ENGINE(openssl, openssl::make_server);
#endif

}  // namespace
