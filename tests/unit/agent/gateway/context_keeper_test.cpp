// The keeper: changes are judged in order, stored together, told when durable; what cannot be stored changes nothing.
#include "agent/gateway/context_keeper.hpp"

#include <gtest/gtest.h>

#include "context/limits.hpp"
#include "gateway_fixture.hpp"
#include "support/fake_outbox.hpp"

namespace tideline::agent {
namespace {

using context::Change;
using context::Operation;
using context::Register;
using context::Side;

class ContextKeeperTest : public testing::Test, public ContextKeeper::Watcher {
 protected:
  ContextKeeperTest() { start(); }
  void start(context::Declarations declarations = {}) {
    keeper_ = std::make_unique<ContextKeeper>(outbox_, std::move(declarations), [this] { return now_; }, log_);
    keeper_->add_watcher(*this);
  }
  /// The process ends; what the store was given and answered is there.
  void crash() {
    keeper_.reset();
    outbox_.context_puts.clear();
    outbox_.context = {};
    for (const auto& [key, reg] : disk_) {
      outbox_.context.registers.push_back(reg);
      outbox_.context.newest = std::max(outbox_.context.newest, reg.write.stamp);
    }
    start();
  }
  void on_context_changed(const std::string& path) override { told_.push_back(path); }
  void on_context_settled(bool has_own) override { settled_ += has_own ? "o" : "h"; }

  /// What becomes of it is the next of answers_.
  void set(const std::string& path, const std::string& value, Change change = {}) {
    change.path = path;
    change.value = value;
    if (value.empty()) change.operation = Operation::erase;
    keeper_->change(change, [this](const Register* made, const context::Refusal& refusal) {
      answers_.push_back(made != nullptr ? made->write.value : std::string("! ") + error_name(refusal.code));
    });
  }
  void from_hub(std::vector<Register> registers) {
    keeper_->apply(std::move(registers), [this](const Status& status, const context::Tops&) { answers_.push_back(status ? "applied" : std::string("! ") + error_name(status.error().code)); });
  }
  Register hubs(const std::string& path, const std::string& value, context::Stamp seen = 0, int64_t expires = 0) {
    return {path, Side::hub, {context::stamp_at(now_.nanos / 1'000'000) + ++hub_counter_, seen, value.empty(), expires, "ops", value}};
  }
  /// The disk did it, or not.
  void store_answers(const Status& status) {
    ASSERT_FALSE(outbox_.context_puts.empty());
    const ContextPut put = outbox_.context_puts.front();
    outbox_.context_puts.erase(outbox_.context_puts.begin());
    if (status) {
      for (const std::string& path : put.forgotten) std::erase_if(disk_, [&](const auto& one) { return one.first.first == path; });
      for (const Register& reg : put.registers) disk_.insert_or_assign({reg.path, reg.side}, reg);
    }
    keeper_->on_context_put(put.token, status);
  }
  std::string value(const std::string& path) {
    const context::Entry* entry = keeper_->book().find(path);
    if (entry == nullptr) return "-";
    const context::View view = keeper_->view(*entry, path);
    return view.value == nullptr ? "-" : view.value->value;
  }
  void pass(int64_t ms) {
    now_.nanos += ms * 1'000'000;
    keeper_->on_tick();
  }

  test::QuietLog log_;
  test::FakeOutbox outbox_;
  UtcNanos now_{1'790'000'000'000'000'000};
  std::map<std::pair<std::string, Side>, Register> disk_;
  std::unique_ptr<ContextKeeper> keeper_;
  std::vector<std::string> answers_;
  std::vector<std::string> told_;
  std::string settled_;
  uint16_t hub_counter_ = 0;
};

using Texts = std::vector<std::string>;

TEST_F(ContextKeeperTest, nobody_hears_of_a_change_before_it_is_durable) {
  set("mode", "\"eco\"");
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(value("mode"), "-");
  store_answers({});
  EXPECT_EQ(answers_, Texts{"\"eco\""});
  EXPECT_EQ(told_, Texts{"mode"});
  EXPECT_EQ(settled_, "o");
  EXPECT_EQ(value("mode"), "\"eco\"");
}

TEST_F(ContextKeeperTest, changes_that_wait_are_stored_together_each_judged_after_those_before_it) {
  set("first", "1");
  set("n", "{\"a\":1}");
  set("n", "{\"b\":2}", {.path = {}, .operation = Operation::patch, .value = {}, .if_version = {}, .time_to_live_ms = 0, .author = {}});
  set("n", "3", {.path = {}, .operation = Operation::set, .value = {}, .if_version = "", .time_to_live_ms = 0, .author = {}});
  ASSERT_EQ(outbox_.context_puts.size(), 1U);
  store_answers({});
  ASSERT_EQ(outbox_.context_puts.size(), 1U);
  EXPECT_EQ(outbox_.context_puts[0].registers.size(), 2U) << "the refused one is not stored";
  store_answers({});
  EXPECT_EQ(answers_, (Texts{"1", "{\"a\":1}", "{\"a\":1,\"b\":2}", "! exists already"}));
}

TEST_F(ContextKeeperTest, a_store_that_fails_changes_nothing_and_the_next_change_is_taken) {
  set("mode", "1");
  store_answers({});
  set("mode", "2");
  from_hub({hubs("other", "5")});
  store_answers(Error{ErrorCode::io, 5, "sync"});
  store_answers(Error{ErrorCode::full, 0, "disk"});
  EXPECT_EQ(answers_, (Texts{"1", "! input/output error", "! no space"}));
  EXPECT_EQ(value("mode"), "1");
  EXPECT_EQ(value("other"), "-");
  EXPECT_EQ(told_, Texts{"mode"});
  EXPECT_NE(keeper_->last_failure(), "");
  set("mode", "3");
  store_answers({});
  EXPECT_EQ(value("mode"), "3");
  EXPECT_EQ(keeper_->last_failure(), "");
}

TEST_F(ContextKeeperTest, what_was_answered_is_there_after_a_crash_and_later_stamps_are_greater) {
  set("a", "1");
  store_answers({});
  set("b", "2");
  const context::Stamp before = keeper_->book().state().tops[Side::device];
  now_.nanos = 0;  // the clock is lost too
  crash();
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(value("b"), "-");
  set("c", "3");
  store_answers({});
  EXPECT_GT(keeper_->book().state().tops[Side::device], before);
}

TEST_F(ContextKeeperTest, a_store_that_lost_its_file_gets_everything_again) {
  set("a", "1");
  store_answers({});
  disk_.clear();
  set("b", "2");
  store_answers(Error{ErrorCode::corrupt, 0, "content"});
  EXPECT_EQ(answers_, Texts{"1"}) << "not yet";
  store_answers({});
  EXPECT_EQ(answers_, (Texts{"1", "2"}));
  crash();
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(value("b"), "2");
}

TEST_F(ContextKeeperTest, a_store_that_loses_it_twice_is_not_asked_for_ever) {
  set("a", "1");
  store_answers(Error{ErrorCode::corrupt, 0, "content"});
  store_answers(Error{ErrorCode::corrupt, 0, "content"});
  EXPECT_EQ(answers_, Texts{"! damaged"});
  EXPECT_TRUE(outbox_.context_puts.empty());
}

TEST_F(ContextKeeperTest, writes_of_both_sides_that_did_not_know_of_each_other_are_a_conflict_until_one_writes_again) {
  from_hub({hubs("mode", "\"hub\"")});
  set("mode", "\"device\"");
  store_answers({});
  store_answers({});
  EXPECT_EQ(keeper_->conflicts(), 0U) << "the device had seen it";
  from_hub({hubs("mode", "\"hub 2\"")});
  store_answers({});
  EXPECT_EQ(keeper_->conflicts(), 1U);
  EXPECT_EQ(settled_, "hoh");
  set("mode", "\"settled\"");
  store_answers({});
  EXPECT_EQ(keeper_->conflicts(), 0U);
}

TEST_F(ContextKeeperTest, an_expired_value_is_hidden_at_once_and_becomes_a_deletion) {
  set("t", "1", {.path = {}, .operation = Operation::set, .value = {}, .if_version = {}, .time_to_live_ms = 5000, .author = {}});
  store_answers({});
  pass(4999);
  EXPECT_EQ(value("t"), "1");
  EXPECT_TRUE(outbox_.context_puts.empty());
  pass(1);
  EXPECT_EQ(value("t"), "-");
  store_answers({});
  EXPECT_TRUE(keeper_->book().find("t")->of(Side::device).is_deleted);
  EXPECT_EQ(told_, (Texts{"t", "t"}));
  pass(60'000);
  EXPECT_TRUE(outbox_.context_puts.empty()) << "once";
}

TEST_F(ContextKeeperTest, an_expiry_that_could_not_be_stored_is_tried_again) {
  set("t", "1", {.path = {}, .operation = Operation::set, .value = {}, .if_version = {}, .time_to_live_ms = 1000, .author = {}});
  store_answers({});
  pass(1000);
  store_answers(Error{ErrorCode::io, 5, "sync"});
  pass(1000);
  store_answers({});
  EXPECT_TRUE(keeper_->book().find("t")->of(Side::device).is_deleted);
}

TEST_F(ContextKeeperTest, watchers_hear_when_a_value_of_the_hub_expires) {
  from_hub({hubs("t", "1", 0, now_.nanos / 1'000'000 + 1000)});
  store_answers({});
  told_.clear();
  pass(1000);
  EXPECT_EQ(told_, Texts{"t"});
  EXPECT_TRUE(outbox_.context_puts.empty()) << "its deletion is the hub's";
}

TEST_F(ContextKeeperTest, the_queue_is_bounded_and_says_so) {
  set("first", "0");
  for (size_t i = 0; i <= ContextKeeper::queue_changes; ++i) set("p" + std::to_string(i), "1");
  EXPECT_EQ(answers_, Texts{"! busy"}) << "the bound itself is taken, one past it is not";
  store_answers({});
  store_answers({});
  EXPECT_EQ(answers_.size(), ContextKeeper::queue_changes + 2);
}

TEST_F(ContextKeeperTest, deletions_that_the_hub_knows_are_forgotten_in_the_store_too) {
  for (size_t i = 0; i < context::limits::tombstones + 10; ++i) {
    set("p" + std::to_string(i), "1");
    store_answers({});
    set("p" + std::to_string(i), "");
    store_answers({});
  }
  keeper_->set_peer_holds(keeper_->book().state().tops);
  set("next", "1");
  ASSERT_FALSE(outbox_.context_puts.empty());
  EXPECT_GE(outbox_.context_puts[0].forgotten.size(), 10U);
  store_answers({});
  EXPECT_LE(disk_.size(), context::limits::tombstones + 1);
}

TEST_F(ContextKeeperTest, a_message_of_the_hub_is_taken_whole_or_not_at_all) {
  const std::string big = "\"" + std::string(context::limits::value_bytes - 2, 'x') + "\"";
  std::string last;
  for (size_t i = 0; i * context::limits::value_bytes <= context::limits::replica_bytes; ++i) {
    from_hub({hubs("s" + std::to_string(i), "1"), hubs("b" + std::to_string(i), big)});
    if (!outbox_.context_puts.empty()) store_answers({});
    last = "s" + std::to_string(i);
  }
  EXPECT_EQ(answers_.back(), "! limit reached");
  EXPECT_EQ(value(last), "-");
}

TEST_F(ContextKeeperTest, a_declared_path_takes_only_what_was_declared) {
  context::Declarations declarations;
  context::Declaration one;
  one.pattern = "pump/*";
  one.type = context::ValueType::number;
  one.maximum = 10;
  ASSERT_TRUE(declarations.add(one));
  start(declarations);
  set("pump/7", "11");
  set("pump/7", "10");
  store_answers({});
  EXPECT_EQ(answers_, (Texts{"! invalid", "10"}));
}

}  // namespace
}  // namespace tideline::agent
