// The operator's commands ([action.NAME]) as tools. A command that takes long becomes a task: its id is durable before the client sees it,
// and its result outlives the agent.
//
// Owned by Agent. Thread: loop. After a crash: tasks that had ended read as they did, those that ran as failed, with their effect unknown.
// Bounds: limits::action_*, per action at_once, of tasks TaskLedger's. Arguments of calls are never logged.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway/action_config.hpp"
#include "agent/gateway/action_runs.hpp"
#include "agent/gateway/notebook.hpp"
#include "agent/gateway/provider.hpp"
#include "agent/gateway/task_ledger.hpp"
#include "agent/inputs/stamp_clock.hpp"
#include "base/log.hpp"

namespace tideline::agent {

class ActionProvider final : public Provider, public ActionRuns::Listener, private Notebook::Listener {
 public:
  ActionProvider(std::vector<ActionConfig> actions, Answers& answers, ActionRuns& runs, Notebook& notebook, StampClock& clock, Log& log, Instant (*now)());

  /// Reads back what an earlier process noted; questions about tasks wait for it.
  void begin();

  Offer offer() const override;
  bool takes(const mcp::Call& call) const override;
  void on_call(const CallKey& key, const mcp::Call& call) override;
  void on_cancel(const CallKey& key) override;
  void on_watch(std::string_view, bool) override {}

  void on_run_ended(ActionRuns::Run run, const RunOutcome& outcome) override;
  void on_alarm() override;

 private:
  /// A command under way.
  struct Job {
    const ActionConfig* action = nullptr;
    std::optional<CallKey> caller;  ///< until it is answered
    std::string principal;
    std::string task;               ///< id, "" while it is none
    bool is_task_shown = false;     ///< the caller has its id
    bool wants_progress = false;
    Instant began;
    Instant task_at = never;
    Instant progress_at = never;
    std::optional<RunOutcome> outcome;  ///< ended before the id was durable
  };
  struct Question {
    std::string nonce;
    Instant until;
  };
  struct Waiting {
    CallKey key;
    mcp::Method method;
    std::string task;
    std::string principal;
  };
  using Jobs = std::map<ActionRuns::Run, Job>;

  // action_provider.cpp: calls and their ends
  const ActionConfig* find(std::string_view name) const;
  bool is_confirmed(const CallKey& key, const mcp::Call& call, const ActionConfig& action);
  void ask(const CallKey& key, const mcp::Call& call, const ActionConfig& action);
  bool take_question(std::string_view nonce);
  void start(const CallKey& key, const mcp::Call& call, const ActionConfig& action, std::vector<std::string> arguments);
  void set_alarm();

  // action_tasks.cpp: calls that outlive their request
  void make_task(ActionRuns::Run run, Job& job);
  void show_task(Jobs::iterator at);
  void end_task(const Job& job, const RunOutcome& outcome);
  void on_task_call(const Waiting& call);
  void save_changes();
  void load_next();
  void on_saved(const std::string& key, const Status& status) override;
  void on_read(const std::string& key, const Result<std::string>& text) override;
  Duration life_of(const LedgerEntry& entry) const;

  std::vector<ActionConfig> actions_;
  Answers& answers_;
  ActionRuns& runs_;
  Notebook& notebook_;
  StampClock& clock_;
  Log& log_;
  Instant (*now_)();
  Jobs jobs_;
  ActionRuns::Run last_run_ = 0;
  std::deque<Question> questions_;
  TaskLedger ledger_;
  std::deque<std::string> to_load_;
  bool is_loaded_ = false;
  std::vector<Waiting> waiting_;  // for the ledger
};

}  // namespace tideline::agent
