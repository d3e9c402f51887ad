#include "agent/gateway/builtin_provider.hpp"

#include <algorithm>

#include "agent/gateway/builtin_offer.hpp"
#include "base/log.hpp"
#include "mcp/content.hpp"

namespace tideline::agent {

const std::array<BuiltinProvider::ToolRow, 7> BuiltinProvider::tools_ = {{
    {"list_series", Past::newest_values, &BuiltinProvider::list_series},
    {"latest", Past::newest_values, &BuiltinProvider::latest},
    {"query", Past::end_of_last_run, &BuiltinProvider::query},
    {"record", Past::nothing, &BuiltinProvider::record},
    {"sync_status", Past::nothing, &BuiltinProvider::sync_status},
    {"sync_now", Past::nothing, &BuiltinProvider::sync_now},
    {"doctor", Past::nothing, &BuiltinProvider::doctor},
}};

const char* health_name(Health health) {
  static constexpr const char* names[] = {"ok", "warning", "bad"};
  return names[static_cast<size_t>(health)];
}

void write_head(json::Writer& w, const AgentServices& services) {
  const Moment moment = services.moment();
  w.key("device").text(services.device()).key("answered_at").text(format_utc(moment.utc)).key("time_quality").text(model::time_quality_name(moment.quality));
}

std::string BuiltinProvider::tool_problem(const std::string& text) { return mcp::tool_error(text); }

Offer BuiltinProvider::offer() const { return builtin_offer(); }

bool BuiltinProvider::takes(const mcp::Call& call) const {
  switch (call.method) {
    case mcp::Method::call_tool:
      return std::any_of(tools_.begin(), tools_.end(), [&](const ToolRow& row) { return row.name == call.target; });
    case mcp::Method::read_resource: return call.target.starts_with("tideline://");
    case mcp::Method::get_prompt: return call.target == "diagnose_device" || call.target == "explain_outage";
    case mcp::Method::complete: return call.target == "diagnose_device" || call.target == "explain_outage" || call.target.starts_with("tideline://");
    default: return false;
  }
}

void BuiltinProvider::on_call(const CallKey& key, const mcp::Call& call) {
  const mcp::Slice arguments = call.method == mcp::Method::complete ? call.params : call.arguments;
  start({key, call.method, std::string(call.target), std::string(arguments.is_present() ? arguments.raw() : "{}")});
}

void BuiltinProvider::start(Job job) {
  if (under_way() >= limits::builtin_calls) {
    const std::string busy = format("busy: %zu calls are under way on this device; try again", under_way());
    if (job.method == mcp::Method::call_tool) return fail_tool(job, busy);
    answers_.fail(job.key, {mcp::RpcCode::internal_error, busy, {}});
    return;
  }
  if (knows(needed_past(job))) return run(job);
  waiting_.push_back(std::move(job));
  if (history_ == History::unread) begin_load();
}

void BuiltinProvider::run(const Job& job) {
  switch (job.method) {
    case mcp::Method::call_tool:
      for (const ToolRow& row : tools_) {
        if (row.name == job.target) return (this->*row.run)(job);
      }
      break;
    case mcp::Method::read_resource: return read(job);
    case mcp::Method::get_prompt: return prompt(job);
    case mcp::Method::complete: return complete(job);
    default: break;
  }
  answers_.fail_not_found(job.key, job.target);
}

void BuiltinProvider::on_cancel(const CallKey& key) {
  std::erase_if(waiting_, [&](const Job& job) { return job.key == key; });
  std::erase_if(asked_, [&](const auto& entry) { return entry.second.job.key == key; });
  std::erase_if(recording_, [&](const auto& entry) { return entry.second.first == key; });
}

void BuiltinProvider::ask(Asked asked) {
  const AgentServices::Token token = ++last_token_;
  model::Query query = asked.query;
  asked_.emplace(token, std::move(asked));
  services_.ask(std::move(query), token);
}

void BuiltinProvider::on_answer(AgentServices::Token token, const Result<model::QueryAnswer>& answer) {
  const bool is_reading = history_ == History::reading_end || history_ == History::reading_values;
  if (is_reading && token == load_token_) return on_loaded(answer);
  const auto found = asked_.find(token);
  if (found == asked_.end()) return;  // cancelled
  const Asked asked = std::move(found->second);
  asked_.erase(found);
  const bool is_tool = asked.job.method == mcp::Method::call_tool;
  if (!answer) {
    const std::string problem = std::string(answer.error().context) + ": " + error_name(answer.error().code) + "; try again";
    if (is_tool) return fail_tool(asked.job, problem);
    answers_.fail(asked.job.key, {mcp::RpcCode::internal_error, problem, {}});
    return;
  }
  is_tool ? on_queried(asked, *answer) : on_series_read(asked, *answer);
}

}  // namespace tideline::agent
