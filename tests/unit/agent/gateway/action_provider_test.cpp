#include "agent/gateway/action_provider.hpp"

#include "unit/agent/gateway/gateway_fixture.hpp"
#include "unit/agent/gateway/provider_fakes.hpp"

namespace tideline::test {
namespace {

using agent::ActionConfig;
using agent::ActionProvider;
using agent::RunOutcome;

constexpr std::string_view plain = R"({})";
constexpr std::string_view with_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
constexpr std::string_view with_forms = R"({"elicitation":{}})";

std::string request(std::string_view id, std::string_view method, std::string_view members, std::string_view capabilities, std::string_view meta = {}) {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) + R"(","params":{)" + std::string(members) +
         R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":)" + std::string(capabilities) + std::string(meta) + "}}}";
}

std::string call(std::string_view id, std::string_view capabilities = plain, std::string_view more = {}) {
  return request(id, "tools/call", R"("name":"do","arguments":{"x":"v"})" + std::string(more), capabilities);
}

std::string member(std::string_view line, std::initializer_list<std::string_view> path) {
  mcp::Slice slice(line);
  for (const std::string_view name : path) slice = mcp::find_member(slice, name);
  return slice.is(mcp::JsonKind::string) ? slice.text() : std::string(slice.raw());
}

class ActionProviderTest : public GatewayTest {
 public:
  ActionConfig config() {
    ActionConfig action;
    action.name = "do";
    action.description = "Does it.";
    action.command = {"/bin/do", "{x}"};
    action.arguments.emplace_back();
    action.arguments[0].name = "x";
    return action;
  }
  void offer(ActionConfig action) {
    provider = std::make_unique<ActionProvider>(std::vector<ActionConfig>{std::move(action)}, gateway, runs, notebook, clock, quiet, &TestClock::now);
    gateway.add(*provider);
    provider->begin();
    notebook.deliver();
  }
  std::unique_ptr<agent::Desk> open_as(std::string principal, Lines& to) {
    agent::StreamOptions options;
    options.principal = std::move(principal);
    return gateway.open_stream(std::move(options), to);
  }
  void end(RunOutcome outcome = {}) { provider->on_run_ended(runs.orders.back().first, outcome); }
  void alarm() {
    TestClock::current = std::max(TestClock::current, runs.alarm);
    provider->on_alarm();
  }
  /// Starts a call that has become a task; its id.
  std::string make_task(agent::Desk& desk) {
    desk.on_line(call("1", with_tasks));
    alarm();
    notebook.deliver();
    return member(lines.last(), {"result", "taskId"});
  }
  std::string task_answer(agent::Desk& desk, std::string_view method, const std::string& id, Lines& to) {
    desk.on_line(request("9", method, R"("taskId":")" + id + R"(","inputResponses":{})", with_tasks));
    return to.last();
  }

  PlayedRuns runs;
  MemoryNotebook notebook;
  FixedClock clock;
  std::unique_ptr<ActionProvider> provider;
  Lines lines;
};

TEST_F(ActionProviderTest, ACallRunsTheCommandAndItsEndIsTheAnswer) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(call("1"));
  ASSERT_EQ(runs.orders.size(), 1u);
  EXPECT_EQ(runs.orders[0].second.arguments, (std::vector<std::string>{"/bin/do", "v"}));
  EXPECT_EQ(runs.orders[0].second.timeout, seconds(30));
  end({.took = milliseconds(12), .output = "fine\n"});
  EXPECT_EQ(member(lines.last(), {"result", "structuredContent"}), R"({"exit_code":0,"duration_ms":12,"is_cut":false})");
  EXPECT_TRUE(has(lines.last(), R"("text":"fine\n")"));
  EXPECT_FALSE(has(lines.last(), "isError"));
}

TEST_F(ActionProviderTest, WhateverGoesWrongIsAnErrorTheModelCanRead) {
  ActionConfig action = config();
  action.at_once = 16;
  offer(action);
  const auto desk = open(lines);
  const auto answer_to = [&](RunOutcome outcome) {
    desk->on_line(call("1"));
    end(outcome);
    EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
    return lines.last();
  };
  EXPECT_TRUE(has(answer_to({.exit_code = 3, .errors = "no such pump\n"}), "exit code 3; it said on standard error:\\nno such pump"));
  EXPECT_TRUE(has(answer_to({.signal = 11}), "signal 11"));
  EXPECT_TRUE(has(answer_to({.signal = 15, .is_late = true}), "longer than 30"));
  runs.start_result = Error{ErrorCode::not_found, 0, "start program"};
  desk->on_line(call("1"));
  EXPECT_TRUE(has(lines.last(), "cannot start /bin/do: not found"));
}

TEST_F(ActionProviderTest, StructuredOutputIsTakenAsItIs) {
  ActionConfig action = config();
  action.structured = true;
  offer(action);
  const auto desk = open(lines);
  desk->on_line(call("1"));
  end({.output = R"({"serial":9007199254740993} )"});
  EXPECT_EQ(member(lines.last(), {"result", "structuredContent", "output"}), R"({"serial":9007199254740993})");
  desk->on_line(call("1"));
  end({.output = "not json"});
  EXPECT_TRUE(has(lines.last(), R"("isError":true)"));
}

TEST_F(ActionProviderTest, OneTooManyIsAnsweredBusy) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(call("1"));
  desk->on_line(call("2"));
  EXPECT_TRUE(has(lines.last(), "busy"));
  end();
  desk->on_line(call("3"));
  EXPECT_EQ(runs.orders.size(), 2u);
}

TEST_F(ActionProviderTest, ACancelledCallIsStoppedAndKeepsItsPlaceUntilItIsGone) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(call("1", with_tasks));
  desk->on_line(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  EXPECT_EQ(runs.stopped, std::vector<agent::ActionRuns::Run>{1});
  desk->on_line(call("2"));
  EXPECT_TRUE(has(lines.last(), "busy"));
  end({.signal = 15, .is_stopped = true});
  desk->on_line(call("3"));
  EXPECT_EQ(runs.orders.size(), 2u);
}

TEST_F(ActionProviderTest, SlowCommandsReportTheirTime) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(request("1", "tools/call", R"("name":"do","arguments":{"x":"v"})", plain, R"(,"progressToken":"p")"));
  alarm();
  EXPECT_TRUE(has(lines.last(), R"("progressToken":"p","progress":5)"));
}

// Tasks

TEST_F(ActionProviderTest, ASlowCallBecomesATaskOnceItsIdIsDurable) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(call("1", with_tasks));
  EXPECT_EQ(runs.alarm, TestClock::current + seconds(5));
  alarm();
  EXPECT_TRUE(lines.all.empty());
  notebook.deliver();
  EXPECT_EQ(member(lines.last(), {"result", "resultType"}), "task");
  const std::string id = member(lines.last(), {"result", "taskId"});
  EXPECT_EQ(notebook.notes.count("task/" + id), 1u);
  EXPECT_EQ(member(task_answer(*desk, "tasks/get", id, lines), {"result", "status"}), "working");
  end({.output = "late"});
  notebook.deliver();
  EXPECT_EQ(member(task_answer(*desk, "tasks/get", id, lines), {"result", "status"}), "completed");
  EXPECT_TRUE(has(lines.last(), "late"));
  EXPECT_TRUE(has(notebook.notes["task/" + id], "late"));
}

TEST_F(ActionProviderTest, AClientWithoutTasksWaits) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(call("1"));
  EXPECT_EQ(runs.alarm, never);
  end({.output = "late"});
  EXPECT_TRUE(has(lines.last(), "late"));
}

TEST_F(ActionProviderTest, ACommandThatEndsWhileItsIdIsSavedIsAnsweredPlainly) {
  offer(config());
  const auto desk = open(lines);
  desk->on_line(call("1", with_tasks));
  alarm();
  end({.output = "just in time"});
  EXPECT_TRUE(lines.all.empty());
  notebook.deliver();
  EXPECT_TRUE(has(lines.last(), "just in time"));
  EXPECT_EQ(member(lines.last(), {"result", "resultType"}), "complete");
  EXPECT_TRUE(notebook.notes.empty());
}

TEST_F(ActionProviderTest, ATaskThatCannotBeNotedStaysACall) {
  offer(config());
  const auto desk = open(lines);
  notebook.write_error = Error{ErrorCode::full, 0, "disk"};
  desk->on_line(call("1", with_tasks));
  alarm();
  notebook.deliver();
  EXPECT_TRUE(lines.all.empty());
  end({.output = "done"});
  EXPECT_TRUE(has(lines.last(), "done"));
}

TEST_F(ActionProviderTest, ATaskIsShownToNobodyElse) {
  offer(config());
  Lines other_lines;
  const auto desk = open_as("alice", lines);
  const auto other = open_as("mallory", other_lines);
  const std::string id = make_task(*desk);
  for (const char* method : {"tasks/get", "tasks/cancel", "tasks/update"}) EXPECT_TRUE(has(task_answer(*other, method, id, other_lines), "-32602")) << method;
  EXPECT_TRUE(runs.stopped.empty());
}

TEST_F(ActionProviderTest, ACancelledTaskIsStopped) {
  offer(config());
  const auto desk = open(lines);
  const std::string id = make_task(*desk);
  EXPECT_EQ(member(task_answer(*desk, "tasks/cancel", id, lines), {"result", "resultType"}), "complete");
  EXPECT_EQ(runs.stopped.size(), 1u);
  end({.signal = 15, .is_stopped = true});
  EXPECT_EQ(member(task_answer(*desk, "tasks/get", id, lines), {"result", "status"}), "cancelled");
}

TEST_F(ActionProviderTest, ATaskOutlivesTheStreamThatMadeIt) {
  offer(config());
  auto desk = open(lines);
  const std::string id = make_task(*desk);
  desk = open(lines);
  EXPECT_TRUE(runs.stopped.empty());
  end({.output = "still"});
  EXPECT_TRUE(has(task_answer(*desk, "tasks/get", id, lines), "still"));
}

TEST_F(ActionProviderTest, AfterARestartEndedTasksAreKeptAndRunningOnesHaveFailed) {
  ActionConfig action = config();
  action.at_once = 2;
  offer(action);
  auto desk = open(lines);
  const std::string ended = make_task(*desk);
  end({.output = "kept"});
  const std::string cut = make_task(*desk);
  notebook.deliver();
  desk.reset();
  agent::Gateway next(options(), nullptr, *this, quiet);
  ActionProvider again({action}, next, runs, notebook, clock, quiet, &TestClock::now);
  next.add(again);
  again.begin();
  desk = next.open_stream({}, lines);
  const size_t before = lines.all.size();
  EXPECT_EQ(task_answer(*desk, "tasks/get", ended, lines), lines.all[before - 1]) << "waits for the notes";
  notebook.deliver();
  EXPECT_TRUE(has(lines.last(), "kept"));
  EXPECT_EQ(member(task_answer(*desk, "tasks/get", cut, lines), {"result", "status"}), "failed");
  EXPECT_TRUE(has(lines.last(), "not known"));
  desk.reset();
}

// Confirmation

TEST_F(ActionProviderTest, AClientThatCannotAskIsTold) {
  ActionConfig action = config();
  action.confirm = true;
  offer(action);
  const auto desk = open(lines);
  desk->on_line(call("1"));
  EXPECT_TRUE(has(lines.last(), "-32021"));
  EXPECT_TRUE(has(lines.last(), R"("requiredCapabilities":{"elicitation")"));
  EXPECT_TRUE(runs.orders.empty());
}

TEST_F(ActionProviderTest, OnlyAYesToOurOwnQuestionRunsTheCommandAndOnlyOnce) {
  ActionConfig action = config();
  action.confirm = true;
  offer(action);
  const auto desk = open(lines);
  constexpr std::string_view yes = R"(,"inputResponses":{"confirm":{"action":"accept","content":{"confirm":true}}})";
  desk->on_line(call("1", with_forms, yes));
  EXPECT_EQ(member(lines.last(), {"result", "resultType"}), "input_required") << "an answer without a question";
  EXPECT_TRUE(has(lines.last(), R"(Arguments: {\"x\":\"v\"})"));
  const std::string state = R"(,"requestState":")" + member(lines.last(), {"result", "requestState"}) + "\"";
  desk->on_line(call("2", with_forms, std::string(yes) + state));
  EXPECT_EQ(runs.orders.size(), 1u);
  end();
  desk->on_line(call("3", with_forms, std::string(yes) + state));
  EXPECT_EQ(member(lines.last(), {"result", "resultType"}), "input_required") << "the same answer again";
  EXPECT_EQ(runs.orders.size(), 1u);
}

TEST_F(ActionProviderTest, AnythingButYesIsNo) {
  ActionConfig action = config();
  action.confirm = true;
  offer(action);
  const auto desk = open(lines);
  for (const char* answer : {R"({"action":"decline"})", R"({"action":"cancel"})", R"({"action":"accept","content":{"confirm":false}})", R"({"action":"accept"})"}) {
    desk->on_line(call("1", with_forms));
    const std::string state = member(lines.last(), {"result", "requestState"});
    desk->on_line(call("2", with_forms, R"(,"inputResponses":{"confirm":)" + std::string(answer) + R"(},"requestState":")" + state + "\""));
    EXPECT_TRUE(has(lines.last(), "did not agree")) << answer;
  }
  EXPECT_TRUE(runs.orders.empty());
}

TEST_F(ActionProviderTest, ALegacyClientIsAskedByARequest) {
  ActionConfig action = config();
  action.confirm = true;
  offer(action);
  const auto desk = open(lines);
  open_session(*desk, with_forms);
  desk->on_line(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"do","arguments":{"x":"v"}}})");
  EXPECT_TRUE(has(lines.last(), "elicitation/create"));
  desk->on_line(R"({"jsonrpc":"2.0","id":"t1","result":{"action":"accept","content":{"confirm":true}}})");
  EXPECT_EQ(runs.orders.size(), 1u);
}

}  // namespace
}  // namespace tideline::test
