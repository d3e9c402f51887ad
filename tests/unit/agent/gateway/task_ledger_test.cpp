#include "agent/gateway/task_ledger.hpp"

#include <gtest/gtest.h>

#include "mcp/content.hpp"

namespace tideline::test {
namespace {

using agent::CallState;
using agent::LedgerCall;
using agent::LedgerChange;
using agent::LedgerOptions;
using agent::TaskLedger;

constexpr Instant start{1000};
constexpr UtcNanos day{1'700'000'000'000'000'000};

LedgerCall call(std::string id, bool is_idempotent = false) { return {std::move(id), "pump", "alice", is_idempotent}; }

/// What a process that was killed leaves to the next.
TaskLedger after_crash(TaskLedger& before, LedgerOptions options = {}) {
  TaskLedger next(std::move(options));
  for (const LedgerChange& change : before.take_changes()) next.load(change.key, change.text, start);
  return next;
}

TEST(TaskLedger, ANewCallRunsAndTheSameIdAgainDoesNot) {
  TaskLedger ledger;
  EXPECT_EQ(ledger.begin(call("a"), day, start), TaskLedger::Begin::run);
  EXPECT_EQ(ledger.begin(call("a"), day, start), TaskLedger::Begin::running);
  EXPECT_TRUE(ledger.finish("a", mcp::tool_answer("done"), day, start));
  EXPECT_EQ(ledger.begin(call("a"), day, start), TaskLedger::Begin::ended);
  EXPECT_NE(ledger.find("a")->result_json.find("done"), std::string::npos);
}

TEST(TaskLedger, ACallOfAnEarlierProcessReadsAsInterruptedAndDoesNotRunAgain) {
  TaskLedger before;
  before.begin(call("a"), day, start);
  TaskLedger ledger = after_crash(before);
  ASSERT_NE(ledger.find("a"), nullptr);
  EXPECT_EQ(ledger.find("a")->state, CallState::interrupted);
  EXPECT_EQ(ledger.begin(call("a"), day, start), TaskLedger::Begin::interrupted);
  EXPECT_FALSE(ledger.finish("a", "{}", day, start));
}

TEST(TaskLedger, AnInterruptedIdempotentCallRunsAgain) {
  TaskLedger before;
  before.begin(call("a", true), day, start);
  TaskLedger ledger = after_crash(before);
  EXPECT_EQ(ledger.begin(call("a", true), day, start), TaskLedger::Begin::run);
  EXPECT_EQ(ledger.find("a")->state, CallState::running);
  EXPECT_EQ(ledger.take_changes().size(), 1u);
}

TEST(TaskLedger, AResultSurvivesARestart) {
  TaskLedger before;
  before.begin(call("a"), day, start);
  before.finish("a", R"({"content":[],"x":9007199254740993})", day + seconds(5), start);
  TaskLedger ledger = after_crash(before);
  const mcp::Task task = agent::task_of(*ledger.find("a"), hours(1));
  EXPECT_EQ(task.status, mcp::TaskStatus::completed);
  EXPECT_EQ(task.result_json, R"({"content":[],"x":9007199254740993})");
  EXPECT_EQ(task.created_at, day);
  EXPECT_EQ(task.updated_at, day + seconds(5));
}

TEST(TaskLedger, ACallIsNobodyElses) {
  TaskLedger ledger;
  ledger.begin(call("a"), day, start);
  EXPECT_EQ(ledger.begin({"a", "pump", "mallory", true}, day, start), TaskLedger::Begin::refused);
  EXPECT_EQ(ledger.begin({"a", "valve", "alice", true}, day, start), TaskLedger::Begin::refused);
  EXPECT_EQ(ledger.find("a", "mallory"), nullptr);
  EXPECT_NE(ledger.find("a", "alice"), nullptr);
}

TEST(TaskLedger, ANoteThatCannotBeReadIsInterruptedAndShownToNobody) {
  for (const char* text : {"", "nonsense", "{}", R"({"tool":"pump","principal":"alice","idempotent":true,"state":"happy","begun":1,"changed":1})",
                           R"({"tool":"pump","principal":"alice","state":"finished","begun":1,"changed":1})"}) {
    TaskLedger ledger;
    ledger.load("task/a", text, start);
    EXPECT_EQ(ledger.find("a", "alice"), nullptr) << text;
    EXPECT_EQ(ledger.begin(call("a", true), day, start), TaskLedger::Begin::interrupted) << text;
  }
}

TEST(TaskLedger, OfManyChangesOfOneCallTheLastIsSaved) {
  TaskLedger ledger;
  ledger.begin(call("a"), day, start);
  ledger.finish("a", "{}", day, start);
  const std::vector<LedgerChange> changes = ledger.take_changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].key, "task/a");
  EXPECT_NE(changes[0].text.find("finished"), std::string::npos);
  EXPECT_TRUE(ledger.take_changes().empty());
}

TEST(TaskLedger, WhatEndedTooLongAgoIsForgottenAndItsNoteDeleted) {
  TaskLedger ledger;
  ledger.begin(call("running"), day, start);
  ledger.begin(call("ended"), day, start);
  ledger.cancel("ended", day, start);
  (void)ledger.take_changes();
  EXPECT_EQ(ledger.next_expiry(), start + limits::ledger_keep);
  ledger.expire(start + limits::ledger_keep - nanoseconds(1));
  EXPECT_EQ(ledger.size(), 2u);
  ledger.expire(start + limits::ledger_keep);
  EXPECT_EQ(ledger.find("ended"), nullptr);
  EXPECT_NE(ledger.find("running"), nullptr);
  const std::vector<LedgerChange> changes = ledger.take_changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].text, "");
}

TEST(TaskLedger, WhenFullTheOldestEndedCallGoesAndRunningOnesStay) {
  LedgerOptions options;
  options.most = 2;
  TaskLedger ledger(options);
  ledger.begin(call("a"), day, start);
  ledger.begin(call("b"), day, start);
  EXPECT_EQ(ledger.begin(call("c"), day, start), TaskLedger::Begin::full);
  ledger.finish("b", "{}", day, start);
  EXPECT_EQ(ledger.begin(call("c"), day, start), TaskLedger::Begin::run);
  EXPECT_EQ(ledger.find("b"), nullptr);
  EXPECT_NE(ledger.find("a"), nullptr);
}

TEST(TaskLedger, ResultsAreBounded) {
  LedgerOptions options;
  options.bytes = 20;
  TaskLedger ledger(options);
  for (const char* id : {"a", "b"}) {
    ledger.begin(call(id), day, start);
    ledger.finish(id, R"({"twelve":12})", day, start + nanoseconds(*id));
  }
  EXPECT_EQ(ledger.find("a"), nullptr);
  EXPECT_NE(ledger.find("b"), nullptr);
  ledger.begin(call("long"), day, start);
  ledger.finish("long", "{\"x\":\"" + std::string(limits::ledger_result_bytes, 'x') + "\"}", day, start);
  EXPECT_LT(ledger.find("long")->result_json.size(), 400u);
  EXPECT_NE(ledger.find("long")->result_json.find("isError"), std::string::npos);
}

TEST(TaskLedger, AnIdThatMakesNoKeyIsRefused) {
  TaskLedger ledger;
  EXPECT_EQ(ledger.begin(call(""), day, start), TaskLedger::Begin::refused);
  EXPECT_EQ(ledger.begin(call("a b"), day, start), TaskLedger::Begin::refused);
  EXPECT_EQ(ledger.begin(call(std::string(limits::note_key_bytes, 'a')), day, start), TaskLedger::Begin::refused);
  EXPECT_EQ(ledger.begin(call(std::string(limits::note_key_bytes - 5, 'a')), day, start), TaskLedger::Begin::run);
}

}  // namespace
}  // namespace tideline::test
