// One local program: which lines go where, and what is not read from whom.
#include "agent/local_session.hpp"

#include "support/fake_outbox.hpp"
#include "unit/agent/gateway/gateway_fixture.hpp"

namespace tideline::test {
namespace {

using agent::LocalSession;

class Wire final : public LocalSession::Wire {
 public:
  void send(Bytes bytes) override {
    sent += as_text(bytes);
    ++writes;
    queued += grows ? bytes.size() : 0;
  }
  size_t queued_bytes() const override { return queued; }
  void on_overrun() override { ++overruns; }
  std::string take() { return std::exchange(sent, {}); }

  std::string sent;
  size_t queued = 0;
  bool grows = false;
  int overruns = 0;
  int writes = 0;
};

class LocalSessionTest : public GatewayTest, public agent::Control::Host {
 public:
  LocalSessionTest() { gateway.add(provider); }
  agent::StatusReport report() override {
    agent::StatusReport report;
    report.device = "pump-7";
    return report;
  }
  void sync_now() override { ++syncs; }
  bool send(std::string_view text) { return session->on_bytes(as_bytes(text)); }

  FakeOutbox outbox;
  int syncs = 0;
  agent::Control control{outbox, *this};
  ScriptedProvider provider{"t"};
  Wire wire;
  std::unique_ptr<LocalSession> session = std::make_unique<LocalSession>(gateway, control, wire);
};

const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
const std::string pong = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";

TEST_F(LocalSessionTest, OurOwnMethodsAndMcpShareALineStream) {
  EXPECT_TRUE(send(R"({"jsonrpc":"2.0","id":7,"method":"tideline/sync_now","params":{}})" "\n" + ping + "\n"));
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ(wire.take(), "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n" + pong);
}

TEST_F(LocalSessionTest, OurOwnMethodsNeedNoStreamAtTheGateway) {
  send(R"({"jsonrpc":"2.0","id":7,"method":"tideline/status"})" "\n");
  EXPECT_TRUE(has(wire.take(), "pump-7"));
  EXPECT_EQ(gateway.streams(), 0u);
  send(ping + "\n");
  EXPECT_EQ(gateway.streams(), 1u);
}

TEST_F(LocalSessionTest, LinesMayComeInAnyPiecesAndWithCarriageReturns) {
  const std::string line = ping + "\r\n";
  for (size_t i = 0; i < line.size(); ++i) send(line.substr(i, 1));
  EXPECT_EQ(wire.take(), pong);
  send("\n \r\n\n");
  EXPECT_EQ(wire.take(), "");
}

TEST_F(LocalSessionTest, ATooLongLineIsAnsweredAndPassedOver) {
  const std::string part(1 << 20, 'x');
  for (int i = 0; i < 5; ++i) send(part);
  send("\n" + ping + "\n");
  const std::string answers = wire.take();
  EXPECT_TRUE(has(answers, "-32600"));
  EXPECT_TRUE(answers.ends_with(pong));
}

TEST_F(LocalSessionTest, WhatIsNoJsonIsAnsweredWithoutAnId) {
  send("nonsense\n");
  EXPECT_TRUE(wire.take().starts_with(R"({"jsonrpc":"2.0","error":{"code":-32700)"));
}

TEST_F(LocalSessionTest, AProgramThatDoesNotReadIsNotRead) {
  wire.queued = limits::send_queue_bytes;
  EXPECT_FALSE(send(ping + "\n"));
  EXPECT_EQ(wire.take(), "");
  wire.queued = limits::send_queue_bytes - 1;
  EXPECT_TRUE(session->go_on());
  EXPECT_EQ(wire.take(), pong);
}

TEST_F(LocalSessionTest, AnswersToLinesThatCameTogetherGoOutTogether) {
  EXPECT_TRUE(send(ping + "\n" + ping + "\n" + ping + "\n"));
  EXPECT_EQ(wire.writes, 1);
  EXPECT_EQ(wire.take(), pong + pong + pong);
}

TEST_F(LocalSessionTest, ALateAnswerGoesOutAtOnce) {
  send(call_tool("1", "t") + "\n");
  EXPECT_EQ(wire.writes, 0);
  gateway.reply(provider.calls[0], mcp::tool_answer("late"));
  EXPECT_EQ(wire.writes, 1);
}

TEST_F(LocalSessionTest, AProgramThatLeavesTooMuchUnreadIsLetGoOnce) {
  wire.grows = true;
  send(call_tool("1", "t") + "\n" + call_tool("2", "t") + "\n" + call_tool("3", "t") + "\n" + call_tool("4", "t") + "\n");
  const std::string answer = mcp::tool_answer(std::string(limits::mcp_line_bytes - 4096, 'x'));
  for (const agent::CallKey& key : provider.calls) gateway.reply(key, answer);
  EXPECT_EQ(wire.overruns, 1);
  EXPECT_LE(wire.queued, limits::mcp_unread_bytes + limits::mcp_line_bytes);
}

TEST_F(LocalSessionTest, TheEndOfInputCancelsWorkAndEndsListens) {
  send(call_tool("1", "t") + "\n" + modern("\"L\"", "subscriptions/listen", R"("notifications":{"toolsListChanged":true})") + "\n");
  wire.take();
  session->on_end();
  EXPECT_EQ(provider.cancelled, provider.calls);
  EXPECT_TRUE(has(wire.take(), R"("id":"L","result")"));
  EXPECT_EQ(gateway.streams(), 0u);
}

TEST_F(LocalSessionTest, AQuestionOutlivesNoProgram) {
  send(R"({"jsonrpc":"2.0","id":7,"method":"tideline/query","params":{"series":"*"}})" "\n");
  ASSERT_EQ(outbox.asked.size(), 1u);
  session.reset();
  control.on_answer(outbox.asked[0].second, model::QueryAnswer{});
  EXPECT_EQ(wire.take(), "");
}

}  // namespace
}  // namespace tideline::test
