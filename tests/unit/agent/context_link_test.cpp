// The context over a link: two real syncs, the device's in its ContextLink, messages cut and joined, broken links, wrong messages.
#include "agent/context_link.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "support/fake_outbox.hpp"

namespace tideline::agent {
namespace {

using context::Register;
using context::Side;

class NoLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// A hub whose store is its memory.
class HubEnd final : public context::Sync::Host {
 public:
  explicit HubEnd(Log& log) : log_(log) {}
  void connect() { sync = std::make_unique<context::Sync>(Side::hub, *this, declarations, log_); }
  void say(Bytes message) override { said.emplace_back(message.begin(), message.end()); }
  void read_state() override { sync->on_state(book.state()); }
  void read_page(Side side, context::Stamp after, size_t max_bytes) override { sync->on_page(book.page(side, after, max_bytes)); }
  void apply(std::vector<Register>&& registers) override {
    for (const Register& reg : registers) (void)book.put(reg).has_value();
    sync->on_applied({}, book.state().tops);
  }
  void on_peer_holds(const context::Tops&) override {}
  void on_declarations(std::string&& json) override { declarations = std::move(json); }

  context::Book book;
  std::string declarations;
  std::unique_ptr<context::Sync> sync;
  std::deque<ByteBuffer> said;

 private:
  Log& log_;
};

class ContextLinkTest : public testing::Test, public ContextLink::Wire {
 protected:
  ContextLinkTest() { link_.set_wire(this); }
  void on_context_ready() override {}
  void say(const link::ContextFrame& frame) override {
    ++frames_;
    EXPECT_LE(frame.bytes.size(), limits::link_piece_bytes);
    append(joined_, frame.bytes);
    if (!frame.is_last) return;
    const ByteBuffer message = std::exchange(joined_, {});
    EXPECT_TRUE(hub_.sync->on_message(message, {}));
  }
  Status to_device(Bytes message, size_t piece_bytes) {
    while (message.size() > piece_bytes) {
      RETURN_IF_ERROR(link_.on_frame({false, message.first(piece_bytes)}, {}));
      message = message.subspan(piece_bytes);
    }
    return link_.on_frame({true, message}, {});
  }
  void connect() {
    joined_.clear();
    hub_.said.clear();
    hub_.connect();
    link_.on_up();
  }
  /// Until nobody has anything to say.
  void run() {
    while (true) {
      if (!outbox_.context_puts.empty()) {
        const Outbox::Token token = outbox_.context_puts.front().token;
        outbox_.context_puts.erase(outbox_.context_puts.begin());
        keeper_.on_context_put(token, {});
      } else if (link_.has_something_to_say()) {
        link_.say_next();
      } else if (!hub_.said.empty()) {
        const ByteBuffer message = std::move(hub_.said.front());
        hub_.said.pop_front();
        ASSERT_TRUE(to_device(message, 1000));
      } else {
        return;
      }
    }
  }
  void set(const std::string& path, const std::string& value) {
    keeper_.change({path, context::Operation::set, value, std::nullopt, 0, "t"}, [](const Register*, const context::Refusal&) {});
  }
  void hub_sets(const std::string& path, const std::string& value) {
    (void)hub_.book.put({path, Side::hub, {context::stamp_at(1'790'000'000'000) + ++hub_counter_, 0, false, 0, "ops", value}}).has_value();
    if (hub_.sync != nullptr) hub_.sync->on_written();
  }
  void expect_same() {
    EXPECT_EQ(keeper_.book().state(), hub_.book.state());
    EXPECT_TRUE(link_.status().is_settled);
    EXPECT_EQ(keeper_.unsent(), 0U);
  }

  NoLog log_;
  test::FakeOutbox outbox_;
  ContextKeeper keeper_{outbox_, {}, [] { return UtcNanos{1'790'000'000'000'000'000}; }, log_};
  ContextLink link_{keeper_, log_};
  HubEnd hub_{log_};
  ByteBuffer joined_;
  size_t frames_ = 0;
  context::Stamp hub_counter_ = 0;
};

TEST_F(ContextLinkTest, what_both_sides_wrote_alone_is_at_both_when_they_met) {
  set("a", "1");
  set("b", "2");
  hub_sets("b", "3");
  hub_sets("c", "4");
  run();
  connect();
  run();
  expect_same();
  EXPECT_EQ(keeper_.conflicts(), 1U);
  hub_sets("a", "5");
  set("d", "6");
  run();
  expect_same();
}

TEST_F(ContextLinkTest, a_message_longer_than_a_frame_goes_in_pieces) {
  const std::string big = "\"" + std::string(60'000, 'x') + "\"";
  set("a", big);
  set("b", big);
  hub_sets("c", big);
  run();
  connect();
  run();
  expect_same();
  EXPECT_GT(frames_, 4U);
}

TEST_F(ContextLinkTest, a_link_that_breaks_in_the_middle_goes_on_from_there) {
  for (int i = 0; i < 300; ++i) set("p/" + std::to_string(i), "\"" + std::string(2000, 'x') + "\"");
  run();
  connect();
  for (int steps = 0; steps < 6; ++steps) {
    if (link_.has_something_to_say()) link_.say_next();
    if (!hub_.said.empty()) {
      ASSERT_TRUE(to_device(hub_.said.front(), 1000));
      hub_.said.pop_front();
    }
  }
  link_.on_down();
  EXPECT_GT(hub_.book.entries().size(), 0U);
  EXPECT_LT(hub_.book.entries().size(), 300U);
  connect();
  run();
  expect_same();
}

TEST_F(ContextLinkTest, an_answer_of_the_store_for_a_link_that_is_gone_disturbs_no_later_one) {
  connect();
  run();
  hub_sets("a", "1");
  while (outbox_.context_puts.empty()) {
    ASSERT_FALSE(hub_.said.empty() && !link_.has_something_to_say());
    if (link_.has_something_to_say()) link_.say_next();
    if (hub_.said.empty()) continue;
    ASSERT_TRUE(to_device(hub_.said.front(), 1000));
    hub_.said.pop_front();
  }
  link_.on_down();
  connect();
  run();
  expect_same();
}

TEST_F(ContextLinkTest, declarations_of_a_reload_reach_the_hub) {
  connect();
  run();
  context::Declarations declarations;
  context::Declaration one;
  one.pattern = "mode";
  ASSERT_TRUE(declarations.add(one));
  keeper_.set_declarations(declarations);
  link_.on_declarations_changed();
  run();
  EXPECT_EQ(hub_.declarations, context::write_declarations(declarations));
}

TEST_F(ContextLinkTest, a_wrong_message_and_one_that_is_too_long_are_errors) {
  connect();
  const ByteBuffer nonsense(100, 0xc1);
  EXPECT_FALSE(to_device(nonsense, 1000));
  const ByteBuffer long_one(ContextLink::message_bytes + 1, 0);
  EXPECT_FALSE(to_device(long_one, limits::link_piece_bytes));
}

}  // namespace
}  // namespace tideline::agent
