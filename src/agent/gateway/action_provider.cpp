#include "agent/gateway/action_provider.hpp"

#include <algorithm>

#include "agent/gateway/action_command.hpp"
#include "agent/gateway/action_result.hpp"
#include "agent/gateway/child_environment.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::agent {
namespace {

constexpr std::string_view task_prefix = "task-";
constexpr std::string_view confirm_key = "confirm";

std::string question_params(const ActionConfig& action, mcp::Slice arguments) {
  std::string shown;
  if (arguments.is_present()) mcp::append_compact(shown, arguments);
  std::string message = "Run '" + action.name + "' on this device? " + action.description;
  if (!shown.empty() && shown != "{}") message += "\nArguments: " + shown;
  std::string params;
  mcp::ObjectWriter(params).text("mode", "form").text("message", message).raw(
      "requestedSchema", R"({"type":"object","properties":{"confirm":{"type":"boolean","title":"Run it","description":"true runs the command"}},"required":["confirm"]})").end();
  return params;
}

}  // namespace

ActionProvider::ActionProvider(std::vector<ActionConfig> actions, Answers& answers, ActionRuns& runs, Notebook& notebook, StampClock& clock, Log& log,
                               Instant (*now)())
    : actions_(std::move(actions)), answers_(answers), runs_(runs), notebook_(notebook), clock_(clock), log_(log), now_(now) {
  std::erase_if(actions_, [](const ActionConfig& action) { return !action.enabled; });
}

Offer ActionProvider::offer() const {
  Offer offer;
  for (const ActionConfig& action : actions_) offer.tools.push_back(action_tool(action));
  return offer;
}

const ActionConfig* ActionProvider::find(std::string_view name) const {
  const auto found = std::find_if(actions_.begin(), actions_.end(), [&](const ActionConfig& action) { return action.name == name; });
  return found != actions_.end() ? &*found : nullptr;
}

bool ActionProvider::takes(const mcp::Call& call) const {
  if (call.method == mcp::Method::call_tool) return find(call.target) != nullptr;
  const bool is_task = call.method == mcp::Method::get_task || call.method == mcp::Method::update_task || call.method == mcp::Method::cancel_task;
  return is_task && call.target.starts_with(task_prefix);
}

void ActionProvider::on_call(const CallKey& key, const mcp::Call& call) {
  if (call.method != mcp::Method::call_tool) return on_task_call({key, call.method, std::string(call.target), std::string(call.principal)});
  const ActionConfig& action = *find(call.target);
  ActionCommand command = make_command(action, call.arguments);
  if (!command.problem.empty()) return (void)answers_.reply(key, mcp::tool_error(command.problem));
  if (action.confirm && !is_confirmed(key, call, action)) return;
  const auto runs_it = [&](const auto& entry) { return entry.second.action == &action; };
  const auto running = static_cast<int64_t>(std::count_if(jobs_.begin(), jobs_.end(), runs_it));
  if (running >= action.at_once || jobs_.size() >= limits::action_runs) {
    const std::string why = running >= action.at_once ? format("busy: %s is running %lld times already; try again later", action.name.c_str(), static_cast<long long>(running))
                                                      : format("busy: %zu commands are running on this device; try again later", jobs_.size());
    return (void)answers_.reply(key, mcp::tool_error(why));
  }
  start(key, call, action, std::move(command.arguments));
}

/// True when the person at the client said yes to this call; else the call has been answered, or asked for.
bool ActionProvider::is_confirmed(const CallKey& key, const mcp::Call& call, const ActionConfig& action) {
  const mcp::Slice answer = mcp::find_member(call.input_responses, confirm_key);
  // An answer counts once, and only to a question that this process asked.
  if (!answer.is_present() || !take_question(call.state)) return ask(key, call, action), false;
  const bool is_yes = mcp::find_member(answer, "action").equals("accept") && mcp::find_member(mcp::find_member(answer, "content"), confirm_key).is_true();
  if (!is_yes) (void)answers_.reply(key, mcp::tool_error("not run: the person asked did not agree"));
  return is_yes;
}

void ActionProvider::ask(const CallKey& key, const mcp::Call& call, const ActionConfig& action) {
  if (!call.capabilities.elicitation_form) {
    answers_.fail_missing(key, action.name + " must be confirmed by a person, and this client cannot ask one: it needs the capability elicitation",
                          R"({"elicitation":{"form":{}}})");
    return;
  }
  if (questions_.size() == limits::action_questions) questions_.pop_front();
  questions_.push_back({tls::random_hex(16), now_() + limits::mcp_seal_life});
  answers_.ask(key, {{{std::string(confirm_key), mcp::Method::elicit, question_params(action, call.arguments)}}, questions_.back().nonce});
}

bool ActionProvider::take_question(std::string_view nonce) {
  std::erase_if(questions_, [now = now_()](const Question& question) { return question.until <= now; });
  return std::erase_if(questions_, [&](const Question& question) { return question.nonce == nonce; }) > 0;
}

void ActionProvider::start(const CallKey& key, const mcp::Call& call, const ActionConfig& action, std::vector<std::string> arguments) {
  RunOrder order;
  order.arguments = std::move(arguments);
  order.environment = chosen_environment(command_environment, action.environment, {});
  order.directory = action.directory;
  order.timeout = action.timeout;
  order.output_bytes = static_cast<size_t>(action.output_limit);
  const ActionRuns::Run run = ++last_run_;
  if (const Status started = runs_.start(run, order); !started) {
    log_warning(log_, "action", "%s: cannot start %s: %s", action.name.c_str(), action.command.front().c_str(), error_name(started.error().code));
    answers_.reply(key, mcp::tool_error("cannot start " + action.command.front() + ": " + error_name(started.error().code)));
    return;
  }
  log_info(log_, "action", "%s: started for %.*s", action.name.c_str(), static_cast<int>(std::min<size_t>(call.principal.size(), 64)), call.principal.data());
  Job job;
  job.action = &action;
  job.caller = key;
  job.principal = call.principal;
  job.wants_progress = call.wants_progress;
  job.began = now_();
  if (call.capabilities.tasks) job.task_at = job.began + action.task_after;
  if (call.wants_progress) job.progress_at = job.began + limits::action_progress_interval;
  jobs_.emplace(run, std::move(job));
  set_alarm();
}

void ActionProvider::on_cancel(const CallKey& key) {
  for (auto& [run, job] : jobs_) {
    if (job.caller != key) continue;
    job.caller.reset();
    job.task_at = job.progress_at = never;
    if (!job.outcome) runs_.stop(run);  // it keeps its place until it is gone
    return;
  }
}

void ActionProvider::on_run_ended(ActionRuns::Run run, const RunOutcome& outcome) {
  const auto found = jobs_.find(run);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  log_info(log_, "action", "%s: %s after %s", job.action->name.c_str(),
           outcome.is_late ? "its time was over" : outcome.signal != 0 ? format("ended by signal %d", outcome.signal).c_str() : format("exit code %lld", static_cast<long long>(outcome.exit_code)).c_str(),
           format_duration(outcome.took).c_str());
  if (!job.task.empty() && !job.is_task_shown) {  // its id is being saved: on_saved() answers
    job.outcome = outcome;
    return;
  }
  const Job ended = std::move(job);
  jobs_.erase(found);
  if (!ended.task.empty()) end_task(ended, outcome);
  else if (ended.caller) answers_.reply(*ended.caller, action_result(*ended.action, outcome, limits::mcp_line_bytes / 2));
  set_alarm();
}

void ActionProvider::on_alarm() {
  const Instant now = now_();
  for (auto& [run, job] : jobs_) {
    if (job.task_at <= now) make_task(run, job);
    if (job.progress_at > now) continue;
    job.progress_at = now + limits::action_progress_interval;
    const std::string text = job.action->name + " has been running for " + format_duration(now - job.began);
    if (job.caller) answers_.progress(*job.caller, {(now - job.began).seconds(), {}, text});
  }
  ledger_.expire(now);
  save_changes();
  set_alarm();
}

void ActionProvider::set_alarm() {
  Instant next = ledger_.next_expiry();
  for (const auto& [run, job] : jobs_) next = std::min({next, job.task_at, job.progress_at});
  runs_.wake_at(next);
}

}  // namespace tideline::agent
