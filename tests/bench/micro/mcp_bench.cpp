// What the MCP core costs per message, without any I/O: the target is 3 us for tools/call.
#include <benchmark/benchmark.h>

#include "mcp/content.hpp"
#include "mcp/server.hpp"

namespace tideline::mcp {
namespace {

class Echo final : public Handler, public Output {
 public:
  Server* server = nullptr;
  size_t bytes = 0;
  void on_call(const Call& call) override { server->reply(call.token, tool_answer(find_member(call.arguments, "message").text()), Instant{}); }
  void on_cancel(CallToken) override {}
  void on_watch(std::string_view, bool) override {}
  void on_outgoing(Outgoing outgoing) override { bytes += outgoing.line.size(); }
};

const std::string modern_call =
    R"({"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"},"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"hub","version":"0.4"},)"
    R"("io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}},"progressToken":"p-41",)"
    R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}})";
const std::string legacy_call = R"({"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}})";

ListCatalog make_catalog(size_t tools) {
  std::vector<Tool> list;
  list.push_back(Tool{.name = "echo",
                      .description = "Says it again.",
                      .input_schema_json = R"({"type":"object","properties":{"message":{"type":"string"}},"required":["message"],"additionalProperties":false})"});
  for (size_t i = 1; i < tools; ++i) list.push_back(Tool{.name = "tool" + std::to_string(i), .description = std::string(200, 'd')});
  ListCatalog catalog;
  catalog.set_tools(std::move(list));
  return catalog;
}

void run(benchmark::State& state, const std::string& line, std::optional<LegacySession> session, size_t tools) {
  const ListCatalog catalog = make_catalog(tools);
  Echo echo;
  Server server({.name = "s", .version = "1", .session = session}, catalog, echo, echo, nullptr);
  echo.server = &server;
  for (auto _ : state) server.on_line(line, Instant{});
  benchmark::DoNotOptimize(echo.bytes);
  state.SetItemsProcessed(state.iterations());
}

void call_modern(benchmark::State& state) { run(state, modern_call, std::nullopt, 50); }
void call_legacy(benchmark::State& state) { run(state, legacy_call, LegacySession{}, 50); }
void list_200_tools(benchmark::State& state) { run(state, R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})", LegacySession{}, 200); }

void parse_1_mib(benchmark::State& state) {
  std::string line = R"({"jsonrpc":"2.0","id":1,"result":{"content":[)";
  while (line.size() < 1024 * 1024) line += R"({"type":"text","text":"a line of text as tools return them, with some \"escapes\" and digits 12345.678"},)";
  line += "1]}}";
  for (auto _ : state) benchmark::DoNotOptimize(parse_message(line));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(line.size()));
}

BENCHMARK(call_modern);
BENCHMARK(call_legacy);
BENCHMARK(list_200_tools);
BENCHMARK(parse_1_mib);

}  // namespace
}  // namespace tideline::mcp
