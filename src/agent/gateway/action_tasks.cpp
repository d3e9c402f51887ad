// ActionProvider: calls that outlive their request.
#include <algorithm>

#include "agent/gateway/action_provider.hpp"
#include "agent/gateway/action_result.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::agent {
namespace {

constexpr Duration poll_interval = seconds(2);

}  // namespace

void ActionProvider::begin() {
  for (std::string& key : notebook_.keys(ledger_.key_of(""))) to_load_.push_back(std::move(key));
  load_next();
}

void ActionProvider::load_next() {
  if (!to_load_.empty()) return notebook_.read(to_load_.front(), *this);
  is_loaded_ = true;
  for (const Waiting& call : std::exchange(waiting_, {})) on_task_call(call);
  set_alarm();
}

void ActionProvider::on_read(const std::string& key, const Result<std::string>& text) {
  const bool is_gone = !text && text.error().code == ErrorCode::not_found;
  if (!is_gone) ledger_.load(key, text ? std::string_view(*text) : std::string_view(), now_());
  to_load_.pop_front();
  load_next();
}

Duration ActionProvider::life_of(const LedgerEntry& entry) const {
  const ActionConfig* const action = find(entry.call.tool);
  return limits::ledger_keep + (action != nullptr ? action->timeout : Duration{});
}

/// Its id is made durable first; until then the caller waits.
void ActionProvider::make_task(ActionRuns::Run run, Job& job) {
  job.task_at = never;
  if (!job.caller || job.outcome) return;
  job.task = std::string(own_task_start) + format("%llx-", static_cast<unsigned long long>(run)) + tls::random_hex(16);
  const LedgerCall call{job.task, job.action->name, job.principal, job.action->idempotent};
  if (ledger_.begin(call, clock_.stamp(), now_()) != TaskLedger::Begin::run) job.task.clear();  // too many: it stays an ordinary call
}

void ActionProvider::save_changes() {
  for (LedgerChange& change : ledger_.take_changes()) {
    const Status taken = notebook_.save(change.key, std::move(change.text), *this);
    if (!taken) on_saved(change.key, taken);
  }
}

void ActionProvider::on_saved(const std::string& key, const Status& status) {
  if (!status) log_warning(log_, "action", "a task could not be noted: %s", error_name(status.error().code));
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return !entry.second.task.empty() && !entry.second.is_task_shown && ledger_.key_of(entry.second.task) == key;
  });
  if (found == jobs_.end()) return;
  Job& job = found->second;
  if (status && job.caller && !job.outcome) return show_task(found);
  // Not durable, already done, or nobody wants it: the call ends as it would have without a task.
  ledger_.forget(job.task);
  job.task.clear();
  if (job.outcome) {
    const RunOutcome outcome = std::move(*job.outcome);
    on_run_ended(found->first, outcome);
  }
  save_changes();
}

void ActionProvider::show_task(Jobs::iterator at) {
  Job& job = at->second;
  job.is_task_shown = true;
  job.progress_at = never;
  const CallKey key = *job.caller;
  job.caller.reset();
  const LedgerEntry* const entry = ledger_.find(job.task);
  mcp::Task task = task_of(*entry, life_of(*entry));
  task.poll_interval_ms = poll_interval.millis();
  answers_.reply_task(key, task);
  set_alarm();
}

void ActionProvider::end_task(const Job& job, const RunOutcome& outcome) {
  if (ledger_.finish(job.task, action_result(*job.action, outcome, limits::ledger_result_bytes), clock_.stamp(), now_())) {
    const LedgerEntry* const entry = ledger_.find(job.task);
    answers_.task_changed(task_of(*entry, life_of(*entry)));
  }
  save_changes();
}

void ActionProvider::on_task_call(const Waiting& call) {
  if (!is_loaded_ && ledger_.find(call.task) == nullptr) {
    if (waiting_.size() < limits::ledger_waiting) return waiting_.push_back(call);
    return (void)answers_.fail(call.key, {mcp::RpcCode::internal_error, "busy: the tasks are being read; try again", {}});
  }
  const LedgerEntry* const entry = ledger_.find(call.task, call.principal);
  if (entry == nullptr) return (void)answers_.fail_not_found(call.key, call.task);
  if (call.method == mcp::Method::get_task) {
    mcp::Task task = task_of(*entry, life_of(*entry));
    task.poll_interval_ms = poll_interval.millis();
    return (void)answers_.reply_task(call.key, task);
  }
  if (call.method == mcp::Method::cancel_task && ledger_.cancel(call.task, clock_.stamp(), now_())) {
    for (auto& [run, job] : jobs_) {
      if (job.task == call.task) runs_.stop(run);
    }
    answers_.task_changed(task_of(*entry, life_of(*entry)));
    save_changes();
  }
  // Also when it has ended, and when it asked for nothing: both are no error.
  answers_.reply(call.key, "{}");
}

}  // namespace tideline::agent
