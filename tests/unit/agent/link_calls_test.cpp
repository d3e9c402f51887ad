#include "agent/link_calls.hpp"

#include "support/fake_outbox.hpp"
#include "unit/agent/gateway/gateway_fixture.hpp"

namespace tideline::agent {
namespace {

using test::call_tool;
using test::has;

class KeptFrames final : public LinkCalls::Wire {
 public:
  void on_reply_ready() override { ++wakes; }
  void say(const link::ReplyFrame& frame) override { frames.push_back({frame.call, frame.part, std::string(as_text(frame.text))}); }
  void say(const link::NotifyFrame& frame) override {
    notice.append(as_text(frame.text));
    notices += frame.is_last;
  }
  struct Reply {
    uint64_t call;
    link::ReplyPart part;
    std::string text;
  };
  std::vector<Reply> frames;
  std::string notice;
  int notices = 0;
  int wakes = 0;
};

class LinkCallsTest : public testing::Test, private Gateway::Listener {
 protected:
  LinkCallsTest() {
    provider.answers = &gateway;
    gateway.add(provider);
    calls.set_wire(&wire);
    calls.on_up(gateway.catalog_hash());
  }
  void hub_calls(uint64_t id, const std::string& text, uint64_t reply_bytes = 1 << 20) {
    link::CallFrame frame;
    frame.call = id;
    frame.principal = "key:ops";
    frame.reply_bytes = reply_bytes;
    for (size_t at = 0; at < text.size(); at += limits::link_piece_bytes) {
      const std::string_view piece = std::string_view(text).substr(at, limits::link_piece_bytes);
      frame.is_last = at + piece.size() == text.size();
      frame.text = as_bytes(piece);
      calls.on_call(frame);
    }
  }
  void hub_names(uint64_t id, const std::string& name, LinkCalls* to = nullptr) {
    const std::string text = call_tool(std::to_string(id), "echo");
    link::CallFrame frame;
    frame.call = id;
    frame.task = name;
    frame.reply_bytes = 1 << 20;
    frame.text = as_bytes(text);
    (to != nullptr ? *to : calls).on_call(frame);
  }
  /// The store does what it was asked for.
  void settle() {
    while (!outbox.noted.empty() || !outbox.notes_asked.empty()) {
      const std::vector<Outbox::Token> noted = std::exchange(outbox.noted, {});
      for (const Outbox::Token token : noted) notes.on_noted(token, {});
      const auto asked = std::exchange(outbox.notes_asked, {});
      for (const auto& [key, token] : asked) {
        const auto found = outbox.notes.find(key);
        notes.on_note(token, found == outbox.notes.end() ? Result<std::string>(Error{ErrorCode::not_found, 0, ""}) : Result<std::string>(found->second));
      }
    }
  }
  void speak() {
    calls.collect();
    while (calls.has_something_to_say()) calls.say_next();
  }
  void on_gateway_due(Instant) override {}
  void on_catalog_changed() override {}

  test::QuietLog log;
  test::ScriptedProvider provider{"echo"};
  Gateway gateway{{}, nullptr, static_cast<Gateway::Listener&>(*this), log};
  KeptFrames wire;
  test::FakeOutbox outbox;
  OutboxNotebook notes{outbox};
  CallLedger ledger{notes};
  LinkCalls calls{gateway, ledger, [] { return UtcNanos{1'800'000'000'000'000'000}; }, log};
};

TEST_F(LinkCallsTest, a_call_is_answered_under_its_number) {
  provider.instant_answer = R"({"content":[]})";
  hub_calls(7, call_tool("7", "echo"));
  speak();
  ASSERT_EQ(wire.frames.size(), 1u);
  EXPECT_EQ(wire.frames[0].call, 7u);
  EXPECT_EQ(wire.frames[0].part, link::ReplyPart::answer);
  EXPECT_TRUE(has(wire.frames[0].text, R"("id":7)"));
  EXPECT_EQ(calls.under_way(), 0u);
}

TEST_F(LinkCallsTest, long_calls_and_long_answers_travel_in_pieces) {
  provider.instant_answer = R"({"content":[{"type":"text","text":")" + std::string(150'000, 'x') + "\"}]}";
  hub_calls(1, call_tool("1", "echo", R"({"x":")" + std::string(100'000, 'y') + "\"}"));
  speak();
  ASSERT_EQ(wire.frames.size(), 3u);
  EXPECT_EQ(wire.frames[0].part, link::ReplyPart::more);
  EXPECT_EQ(wire.frames[2].part, link::ReplyPart::answer);
}

TEST_F(LinkCallsTest, an_answer_longer_than_the_hub_takes_becomes_an_error) {
  provider.instant_answer = R"({"content":[{"type":"text","text":")" + std::string(5000, 'x') + "\"}]}";
  hub_calls(1, call_tool("1", "echo"), 4096);
  speak();
  ASSERT_EQ(wire.frames.size(), 1u);
  EXPECT_TRUE(has(wire.frames[0].text, "longer than 4096 bytes"));
}

TEST_F(LinkCallsTest, progress_comes_before_the_answer_as_a_message) {
  hub_calls(3, test::modern("3", "tools/call", R"("name":"echo")"));
  const CallKey key = provider.calls.back();
  EXPECT_TRUE(gateway.log(key, mcp::Severity::info, "x", "1") || true);
  gateway.reply(key, R"({"content":[]})");
  speak();
  EXPECT_EQ(wire.frames.back().part, link::ReplyPart::answer);
}

TEST_F(LinkCallsTest, a_cancelled_call_stops_the_work_and_says_nothing) {
  hub_calls(1, call_tool("1", "echo"));
  ASSERT_EQ(provider.calls.size(), 1u);
  calls.on_cancel(1);
  speak();
  EXPECT_EQ(provider.cancelled.size(), 1u);
  EXPECT_TRUE(wire.frames.empty());
  EXPECT_FALSE(gateway.reply(provider.calls[0], "{}"));
}

TEST_F(LinkCallsTest, the_end_of_the_link_ends_its_calls) {
  hub_calls(1, call_tool("1", "echo"));
  calls.on_down();
  calls.collect();
  EXPECT_EQ(provider.cancelled.size(), 1u);
  EXPECT_FALSE(calls.has_something_to_say());
}

TEST_F(LinkCallsTest, more_calls_than_the_bound_are_told_to_come_later) {
  for (uint64_t id = 1; id <= limits::link_calls; ++id) hub_calls(id, call_tool(std::to_string(id), "echo"));
  EXPECT_FALSE(calls.has_something_to_say());
  hub_calls(999, call_tool("999", "echo"));
  speak();
  ASSERT_EQ(wire.frames.size(), 1u);
  EXPECT_TRUE(has(wire.frames[0].text, "try again later"));
}

TEST_F(LinkCallsTest, the_catalog_is_told_only_when_the_hub_has_another) {
  EXPECT_FALSE(calls.has_something_to_say());
  calls.on_up(1);
  speak();
  EXPECT_EQ(wire.notices, 1);
  EXPECT_TRUE(has(wire.notice, "notifications/tideline/catalog"));
  EXPECT_TRUE(has(wire.notice, "\"echo\""));
}

TEST_F(LinkCallsTest, a_newer_catalog_replaces_one_that_still_waits) {
  calls.on_catalog_changed();
  calls.on_catalog_changed();
  speak();
  EXPECT_EQ(wire.notices, 1);
}

// ---- Calls with a lasting name

TEST_F(LinkCallsTest, a_named_call_runs_after_it_was_noted_and_answers_after_its_answer_was) {
  provider.instant_answer = R"({"content":[]})";
  hub_names(7, "t.1");
  EXPECT_TRUE(provider.calls.empty()) << "not before the note is on the disk";
  settle();
  EXPECT_EQ(provider.calls.size(), 1u);
  speak();
  ASSERT_EQ(wire.frames.size(), 1u);
  EXPECT_EQ(wire.frames[0].call, 7u);
  EXPECT_TRUE(has(wire.frames[0].text, R"({"jsonrpc":"2.0","id":7,"result":)")) << wire.frames[0].text;
}

TEST_F(LinkCallsTest, a_named_call_that_comes_again_is_answered_from_the_ledger) {
  provider.instant_answer = R"({"content":[],"n":1})";
  hub_names(7, "t.1");
  settle();
  provider.instant_answer = R"({"content":[],"n":2})";
  hub_names(8, "t.1");
  settle();
  speak();
  EXPECT_EQ(provider.calls.size(), 1u);
  ASSERT_EQ(wire.frames.size(), 2u);
  EXPECT_EQ(wire.frames[1].call, 8u);
  EXPECT_TRUE(has(wire.frames[1].text, R"("n":1)"));
}

TEST_F(LinkCallsTest, a_named_call_outlives_the_link) {
  hub_names(7, "t.1");
  settle();
  calls.on_down();
  calls.collect();
  EXPECT_TRUE(provider.cancelled.empty());
  calls.on_up(gateway.catalog_hash());
  hub_names(1, "t.1");
  EXPECT_EQ(provider.calls.size(), 1u) << "it is still at work";
  gateway.reply(provider.calls[0], R"({"content":[]})");
  settle();
  speak();
  ASSERT_EQ(wire.frames.size(), 1u);
  EXPECT_EQ(wire.frames[0].call, 1u);
}

TEST_F(LinkCallsTest, a_named_call_of_an_earlier_process_is_unknown_and_stays_so) {
  outbox.notes["call/1800000000/b/t.1"] = "begun";
  CallLedger later{notes};
  LinkCalls again{gateway, later, [] { return UtcNanos{}; }, log};
  again.set_wire(&wire);
  again.on_up(gateway.catalog_hash());
  for (int i = 0; i < 2; ++i) {
    hub_names(7, "t.1", &again);
    settle();
  }
  while (again.has_something_to_say()) again.say_next();
  EXPECT_TRUE(provider.calls.empty()) << "it must not run twice";
  ASSERT_EQ(wire.frames.size(), 2u);
  EXPECT_TRUE(has(wire.frames[0].text, R"("code":1001)"));
  EXPECT_EQ(wire.frames[0].text, wire.frames[1].text);
}

TEST_F(LinkCallsTest, a_call_that_only_reads_is_run_again_after_an_interruption) {
  provider.offered.tools[0].annotations_json = R"({"readOnlyHint":true})";
  gateway.offer_changed();
  gateway.on_timer(Instant{INT64_MAX - 1});
  outbox.notes["call/1800000000/b/t.1"] = "begun";
  CallLedger later{notes};
  LinkCalls again{gateway, later, [] { return UtcNanos{}; }, log};
  again.set_wire(&wire);
  again.on_up(gateway.catalog_hash());
  hub_names(7, "t.1", &again);
  settle();
  EXPECT_EQ(provider.calls.size(), 1u);
}

TEST_F(LinkCallsTest, a_request_that_is_no_json_is_answered) {
  hub_calls(5, "not JSON");
  speak();
  ASSERT_EQ(wire.frames.size(), 1u);
  EXPECT_EQ(wire.frames[0].part, link::ReplyPart::answer);
}

}  // namespace
}  // namespace tideline::agent
