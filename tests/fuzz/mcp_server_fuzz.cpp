// Lines into a server whose handler answers in many ways: every line out is one JSON-RPC message, each id is answered at most once while
// it is open, nothing is said of a cancelled call, and the bounds hold.
#include <cassert>
#include <cstdint>
#include <string>
#include <vector>

#include "mcp/content.hpp"
#include "mcp/line_buffer.hpp"
#include "mcp/server.hpp"

using namespace tideline;
using namespace tideline::mcp;

namespace {

class Plain final : public Sealer {
 public:
  std::string seal(std::string_view state, std::string_view context) override { return std::to_string(context.size()) + ":" + std::string(state); }
  Result<std::string> open(std::string_view sealed, std::string_view context) override {
    const std::string head = std::to_string(context.size()) + ":";
    if (!sealed.starts_with(head)) return Error{ErrorCode::denied, 0, "seal"};
    return std::string(sealed.substr(head.size()));
  }
};

class World final : public Handler, public Output {
 public:
  Server* server = nullptr;
  Instant now{};
  std::vector<CallToken> open;
  std::vector<CallToken> closed;

  void on_call(const Call& call) override {
    assert(call.arguments.raw().empty() || check_json(call.arguments.raw()).has_value());
    switch (call.params.raw().size() % 7) {
      case 0: server->reply(call.token, tool_answer(call.target), now); return;
      case 1: server->fail_not_found(call.token, call.target); return;
      case 2: server->ask(call.token, {{{"k", Method::elicit, "{}"}, {"l", Method::create_message, "{}"}}, "state"}, now); return;
      case 3: server->reply(call.token, R"({"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}},"requestState":"s"})", now); return;
      case 4: server->reply_task(call.token, {.id = "t"}, now); return;
      default: open.push_back(call.token);
    }
  }
  void on_cancel(CallToken token) override { closed.push_back(token); }
  void on_watch(std::string_view, bool) override {}
  void on_outgoing(Outgoing outgoing) override {
    const Message message = parse_message(outgoing.line);
    assert(message.kind != MessageKind::invalid);
    assert(message.kind == MessageKind::batch || check_json(outgoing.line)->is(JsonKind::object));
    assert(outgoing.line.find('\n') == std::string::npos);
    for (const CallToken token : closed) assert(outgoing.stream != token || !outgoing.is_answer);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ListCatalog catalog;
  catalog.set_tools({Tool{.name = "a", .may_ask = true},
                     Tool{.name = "b", .input_schema_json = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"},
                     Tool{.name = "r", .is_relayed = true}});
  catalog.set_prompts({Prompt{.name = "p", .arguments = {{"x", "", true}}}});
  World world;
  Plain sealer;
  Server server({.name = "s", .version = "1", .resources = true, .prompts = true, .completions = true, .logging = true, .tasks = true}, catalog, world, world, &sealer);
  world.server = &server;
  LineBuffer buffer(64 * 1024);
  buffer.push({reinterpret_cast<const char*>(data), size});
  size_t turn = 0;
  while (const auto line = buffer.next()) {
    if (line->is_too_long) {
      server.on_long_line();
    } else {
      server.on_line(std::string(line->text), world.now);
    }
    assert(server.open_calls() <= limits::mcp_in_flight);
    world.now = world.now + seconds(1);
    if (++turn % 5 == 0) server.announce_list(ListKind::tools);
    if (turn % 3 == 0 && !world.open.empty()) {
      const CallToken token = world.open.back();
      world.open.pop_back();
      server.progress(token, {static_cast<double>(turn)}, world.now);
      server.log(token, Severity::error, "l", "1");
      server.reply(token, "{}", world.now);
    }
  }
  server.on_timer(world.now + hours(1));
  assert(server.open_calls() == 0);
  server.end_listens();
  server.on_close();
  return 0;
}
