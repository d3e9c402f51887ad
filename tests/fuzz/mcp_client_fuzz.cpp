// Lines of a hostile third-party server into the client: every line out is one JSON-RPC message and the bounds hold.
#include <cassert>
#include <cstdint>
#include <string>

#include "mcp/client.hpp"
#include "mcp/line_buffer.hpp"

using namespace tideline;
using namespace tideline::mcp;

namespace {

class World final : public ClientListener {
 public:
  size_t respawns = 0;
  size_t outcomes = 0;
  void on_line_out(std::string line) override { assert(parse_message(line).kind != MessageKind::invalid); }
  void on_ready() override {}
  void on_respawn_wanted() override { ++respawns; }
  void on_unusable(std::string_view) override {}
  void on_outcome(const Outcome& outcome) override {
    ++outcomes;
    assert(int{outcome.result.is_present()} + int{outcome.error.is_present()} + int{outcome.failure.has_value()} == 1);
  }
  void on_progress(uint64_t, Slice) override {}
  void on_list(ListKind, const std::vector<std::string>& items, bool) override { assert(items.size() <= limits::mcp_list_items); }
  void on_list_failed(ListKind, std::string_view) override {}
  void on_resource_updated(std::string_view) override {}
  void on_log(Slice) override {}
  void on_request(std::string_view, Method, Slice) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  World world;
  Client client({.name = "c", .version = "1", .capabilities_json = R"({"elicitation":{}})"}, world);
  Instant now{};
  client.on_started(now);
  LineBuffer buffer(64 * 1024);
  buffer.push({reinterpret_cast<const char*>(data), size});
  size_t calls = 0;
  for (size_t turn = 0; const auto line = buffer.next(); ++turn) {
    if (!line->is_too_long) client.on_line(std::string(line->text), now);
    now = now + milliseconds(700);
    client.on_timer(now);
    if (client.call_tool("t", {}, now)) ++calls;
    if (turn % 7 == 3) client.watch({"u:" + std::to_string(turn)}, now);
    if (turn % 13 == 12) {
      client.on_exit(now);
      client.on_started(now);
    }
  }
  client.on_exit(now);
  assert(world.outcomes == calls);
  return 0;
}
