#include "agent/gateway/task_ledger.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "mcp/content.hpp"
#include "mcp/error_code.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"

namespace tideline::agent {
namespace {

constexpr std::array state_names = {"running", "finished", "cancelled", "interrupted"};

std::string note_text(const LedgerEntry& entry) {
  std::string text;
  mcp::ObjectWriter writer(text);
  writer.text("tool", entry.call.tool).text("principal", entry.call.principal).boolean("idempotent", entry.call.is_idempotent);
  writer.text("state", call_state_name(entry.state)).integer("begun", entry.begun_at.nanos).integer("changed", entry.changed_at.nanos);
  if (!entry.result_json.empty()) writer.raw("result", entry.result_json);
  writer.end();
  return text;
}

bool read_state(mcp::Slice text, CallState& state) {
  for (size_t i = 0; i < state_names.size(); ++i) {
    if (text.equals(state_names[i])) return state = static_cast<CallState>(i), true;
  }
  return false;
}

/// False when the note makes no sense.
bool read_note(std::string_view text, LedgerEntry& entry) {
  const Result<mcp::Slice> json = mcp::check_json(text);
  mcp::Slice tool, principal, idempotent, state, begun, changed, result;
  if (!json || !mcp::read_members(*json, {{"tool", &tool}, {"principal", &principal}, {"idempotent", &idempotent}, {"state", &state},
                                          {"begun", &begun}, {"changed", &changed}, {"result", &result}})) {
    return false;
  }
  if (!read_state(state, entry.state) || !begun.integer() || !changed.integer()) return false;
  if (entry.state == CallState::finished && !result.is(mcp::JsonKind::object)) return false;
  entry.call.tool = tool.text();
  entry.call.principal = principal.text();
  entry.call.is_idempotent = idempotent.is_true();
  entry.begun_at = {*begun.integer()};
  entry.changed_at = {*changed.integer()};
  entry.result_json = result.raw();
  return true;
}

bool is_key(std::string_view id, size_t prefix_bytes) {
  const auto is_plain = [](char c) { return c > ' ' && c < 0x7f; };
  return !id.empty() && id.size() + prefix_bytes <= limits::note_key_bytes && std::all_of(id.begin(), id.end(), is_plain);
}

}  // namespace

const char* call_state_name(CallState state) { return state_names[static_cast<size_t>(state)]; }

TaskLedger::Begin TaskLedger::begin(const LedgerCall& call, UtcNanos utc, Instant now) {
  const auto found = entries_.find(call.id);
  if (found != entries_.end()) {
    LedgerEntry& entry = found->second;
    const bool is_same = entry.call.principal == call.principal && entry.call.tool == call.tool;
    // Of an unreadable note only the state is known, and that is enough to say no.
    if (!is_same && !(entry.state == CallState::interrupted && entry.call.tool.empty())) return Begin::refused;
    if (entry.state == CallState::running) return Begin::running;
    if (entry.state != CallState::interrupted) return Begin::ended;
    if (!is_same || !call.is_idempotent) return Begin::interrupted;
    entry.state = CallState::running;
    entry.changed_at = utc;
    entry.ended_at = never;
    note(call.id);
    return Begin::run;
  }
  if (!is_key(call.id, options_.prefix.size())) return Begin::refused;
  expire(now);
  if (entries_.size() >= options_.most && !make_room(nullptr)) return Begin::full;
  entries_.emplace(call.id, LedgerEntry{call, CallState::running, utc, utc, never, {}});
  note(call.id);
  return Begin::run;
}

void TaskLedger::end(LedgerEntry& entry, CallState state, UtcNanos utc, Instant now) {
  entry.state = state;
  entry.changed_at = utc;
  entry.ended_at = now;
  note(entry.call.id);
}

bool TaskLedger::finish(std::string_view id, std::string_view result_json, UtcNanos utc, Instant now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != CallState::running) return false;
  LedgerEntry& entry = found->second;
  entry.result_json = result_json;
  if (result_json.size() > limits::ledger_result_bytes) {
    entry.result_json = mcp::tool_error(format("the call ran to its end, but its result of %zu bytes is longer than the %zu that are kept", result_json.size(),
                                               limits::ledger_result_bytes));
  }
  bytes_ += entry.result_json.size();
  end(entry, CallState::finished, utc, now);
  while (bytes_ > options_.bytes && make_room(&entry)) continue;
  return true;
}

bool TaskLedger::cancel(std::string_view id, UtcNanos utc, Instant now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != CallState::running) return false;
  end(found->second, CallState::cancelled, utc, now);
  return true;
}

void TaskLedger::forget(std::string_view id) {
  if (const auto found = entries_.find(id); found != entries_.end()) drop(found);
}

void TaskLedger::drop(Entries::iterator entry) {
  bytes_ -= entry->second.result_json.size();
  note(entry->first);
  entries_.erase(entry);
}

/// Drops the call that ended first.
bool TaskLedger::make_room(const LedgerEntry* spared) {
  auto oldest = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->second.state == CallState::running || &at->second == spared) continue;
    if (oldest == entries_.end() || at->second.ended_at < oldest->second.ended_at) oldest = at;
  }
  if (oldest == entries_.end()) return false;
  drop(oldest);
  return true;
}

const LedgerEntry* TaskLedger::find(std::string_view id) const {
  const auto found = entries_.find(id);
  return found != entries_.end() ? &found->second : nullptr;
}

const LedgerEntry* TaskLedger::find(std::string_view id, std::string_view principal) const {
  const LedgerEntry* const entry = find(id);
  return entry != nullptr && entry->call.principal == principal ? entry : nullptr;
}

void TaskLedger::load(std::string_view key, std::string_view text, Instant now) {
  if (!key.starts_with(options_.prefix)) return;
  LedgerEntry entry;
  if (!read_note(text, entry)) entry = LedgerEntry{{}, CallState::interrupted, {}, {}, now, {}};
  entry.call.id = key.substr(options_.prefix.size());
  if (entry.state == CallState::running) entry.state = CallState::interrupted;
  entry.ended_at = now;
  const std::string id = entry.call.id;
  if (entries_.size() >= options_.most && entries_.find(id) == entries_.end() && !make_room(nullptr)) return;
  const auto [place, is_new] = entries_.try_emplace(id, std::move(entry));
  if (is_new) bytes_ += place->second.result_json.size();
}

void TaskLedger::note(const std::string& id) {
  if (std::find(changed_.begin(), changed_.end(), id) == changed_.end()) changed_.push_back(id);
}

std::vector<LedgerChange> TaskLedger::take_changes() {
  std::vector<LedgerChange> changes;
  for (const std::string& id : std::exchange(changed_, {})) {
    const LedgerEntry* const entry = find(id);
    changes.push_back({key_of(id), entry != nullptr ? note_text(*entry) : std::string()});
  }
  return changes;
}

void TaskLedger::expire(Instant now) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto next = std::next(at);
    if (at->second.ended_at != never && at->second.ended_at + options_.keep <= now) drop(at);
    at = next;
  }
}

Instant TaskLedger::next_expiry() const {
  Instant next = never;
  for (const auto& [id, entry] : entries_) next = std::min(next, entry.ended_at + options_.keep);
  return next;
}

mcp::Task task_of(const LedgerEntry& entry, Duration ttl) {
  mcp::Task task;
  task.id = entry.call.id;
  task.created_at = entry.begun_at;
  task.updated_at = entry.changed_at;
  task.ttl_ms = ttl.millis();
  switch (entry.state) {
    case CallState::running: break;
    case CallState::finished:
      task.status = mcp::TaskStatus::completed;
      task.result_json = entry.result_json;
      break;
    case CallState::cancelled: task.status = mcp::TaskStatus::cancelled; break;
    case CallState::interrupted:
      task.status = mcp::TaskStatus::failed;
      task.status_message = "the agent was restarted while this ran: whether it had its effect is not known";
      mcp::ObjectWriter(task.error_json).integer("code", static_cast<int>(mcp::RpcCode::internal_error)).text("message", task.status_message).end();
      break;
  }
  return task;
}

}  // namespace tideline::agent
