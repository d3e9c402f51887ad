// A gateway with providers that the test scripts, and streams whose lines are kept.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/gateway/gateway.hpp"
#include "mcp/content.hpp"

namespace tideline::test {

class QuietLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view text) override { lines.emplace_back(text); }
  std::vector<std::string> lines;
};

/// Offers what the test says and keeps the calls it gets.
class ScriptedProvider final : public agent::Provider {
 public:
  explicit ScriptedProvider(std::string tool) {
    mcp::Tool one;
    one.name = std::move(tool);
    offered.tools.push_back(one);
  }
  agent::Offer offer() const override { return offered; }
  bool takes(const mcp::Call& call) const override {
    for (const mcp::Tool& tool : offered.tools) {
      if (call.method == mcp::Method::call_tool && tool.name == call.target) return true;
    }
    for (const mcp::Resource& resource : offered.resources) {
      if (call.method == mcp::Method::read_resource && resource.uri == call.target) return true;
    }
    return false;
  }
  void on_call(const agent::CallKey& key, const mcp::Call& call) override {
    calls.push_back(key);
    targets.emplace_back(call.target);
    answers_in.emplace_back(call.input_responses.raw());
    if (answers != nullptr && !instant_answer.empty()) answers->reply(key, instant_answer);
  }
  void on_cancel(const agent::CallKey& key) override { cancelled.push_back(key); }
  void on_watch(std::string_view uri, bool is_watched) override { watches.push_back((is_watched ? "+" : "-") + std::string(uri)); }

  agent::Offer offered;
  agent::Answers* answers = nullptr;
  std::string instant_answer;
  std::vector<agent::CallKey> calls;
  std::vector<std::string> targets;
  std::vector<std::string> answers_in;
  std::vector<agent::CallKey> cancelled;
  std::vector<std::string> watches;
};

/// The far end of a stream.
class Lines final : public mcp::Output {
 public:
  void on_outgoing(mcp::Outgoing outgoing) override { all.push_back(std::move(outgoing.line)); }
  std::string last() const { return all.empty() ? std::string() : all.back(); }
  std::vector<std::string> all;
};

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

inline constexpr std::string_view envelope =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

/// `members` of params, without the envelope.
inline std::string modern(std::string_view id, std::string_view method, std::string_view members = {}) {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) + R"(","params":{)" + std::string(members) +
         (members.empty() ? "" : ",") + std::string(envelope) + "}}";
}
inline std::string call_tool(std::string_view id, std::string_view name, std::string_view arguments = "{}") {
  return modern(id, "tools/call", R"("name":")" + std::string(name) + R"(","arguments":)" + std::string(arguments));
}

struct TestClock {
  static Instant now() { return current; }
  static inline Instant current{};
};

class GatewayTest : public testing::Test, public agent::Gateway::Listener {
 public:
  GatewayTest() { TestClock::current = Instant{} + seconds(100); }
  static agent::GatewayOptions options() {
    agent::GatewayOptions options;
    options.version = "1";
    options.now = &TestClock::now;
    return options;
  }
  void on_gateway_due(Instant at) override { due = at; }
  void on_catalog_changed() override { ++catalog_changes; }
  void pass(Duration time) {
    TestClock::current = TestClock::current + time;
    gateway.on_timer(TestClock::current);
  }
  std::unique_ptr<agent::Desk> open(Lines& lines) { return gateway.open_stream({}, lines); }
  static void open_session(agent::Desk& desk, std::string_view capabilities = "{}") {
    desk.on_line(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":)" + std::string(capabilities) + "}}");
    desk.on_line(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  }

  QuietLog quiet;
  Instant due = never;
  int catalog_changes = 0;
  agent::Gateway gateway{options(), nullptr, *this, quiet};
};

}  // namespace tideline::test
