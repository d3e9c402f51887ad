#include "hub/mcp/fan_out.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "clock.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

std::string member_json(const FanOuts::Member& member, std::string_view status, std::string_view problem, std::string_view result) {
  std::string out;
  mcp::ObjectWriter writer(out);
  writer.text("device", member.id).text("status", status);
  if (!problem.empty()) writer.text("problem", problem);
  if (!result.empty()) writer.raw("result", result);
  writer.end();
  return out;
}

}  // namespace

void FanOuts::start(const CallRef& ref, std::vector<Member> members, std::string members_json, std::string meta, std::string principal, Instant now) {
  Job& job = jobs_[ref];
  job.results.resize(members.size());
  job.members = std::move(members);
  job.members_json = std::move(members_json);
  job.meta = std::move(meta);
  job.principal = std::move(principal);
  job.deadline = now + limits::hub_fan_out_deadline;
  go_on(ref, job, now);
}

void FanOuts::go_on(const CallRef& ref, Job& job, Instant now) {
  while (job.next < job.members.size() && job.under_way < limits::hub_fan_out_at_once) {
    const size_t index = job.next++;
    const Member& member = job.members[index];
    if (!member.status.empty()) {
      job.results[index] = member_json(member, member.status, member.problem, {});
      ++job.done;
      continue;
    }
    DeviceRequest request;
    request.device = member.device;
    request.members = job.members_json;
    request.meta = job.meta;
    request.principal = job.principal;
    request.last_deadline = job.deadline - now;
    const Result<CallId> started = calls_.start(request, static_cast<DeviceCalls::Caller&>(*this), now);
    if (started) {
      places_[*started] = {ref, index};
      ++job.under_way;
    } else {
      job.results[index] = member_json(member, started.error().code == ErrorCode::closed ? "offline" : "busy", started.error().context, {});
      ++job.done;
    }
  }
  if (job.done == job.members.size()) finish(ref);
}

void FanOuts::on_call_end(CallId call, const CallOutcome& outcome) {
  const auto found = places_.find(call);
  if (found == places_.end()) return;
  const Place place = found->second;
  places_.erase(found);
  Job& job = jobs_.at(place.ref);
  const Member& member = job.members[place.index];
  std::string& result = job.results[place.index];
  if (outcome.failure) {
    result = member_json(member, *outcome.failure == CallFailure::timed_out ? "timeout" : "unknown", call_failure_text(*outcome.failure), {});
  } else if (outcome.error.is_present()) {
    result = member_json(member, "error", mcp::find_member(outcome.error, "message").text(), {});
  } else if (mcp::result_type(outcome.result) != mcp::ResultType::complete) {
    result = member_json(member, "error", "the tool asks for input or became a task; call it on this device alone", {});
  } else if (job.bytes + outcome.result.raw().size() > limits::mcp_line_bytes / 2) {
    result = member_json(member, "left_out", "the results together are too long; call fewer devices", {});
  } else {
    const bool is_error = mcp::find_member(outcome.result, "isError").is_true();
    result = member_json(member, is_error ? "tool_error" : "ok", {}, outcome.result.raw());
    job.ok += is_error ? 0 : 1;
  }
  job.bytes += result.size();
  --job.under_way;
  ++job.done;
  host_.on_fan_out_progress(place.ref, job.done, job.members.size());
  go_on(place.ref, job, platform::now());
}

void FanOuts::drop_calls(const CallRef& ref) {
  std::vector<CallId> dropped;
  for (const auto& [call, place] : places_) {
    if (place.ref == ref) dropped.push_back(call);
  }
  for (const CallId call : dropped) {
    places_.erase(call);
    calls_.cancel(call);
  }
}

void FanOuts::cancel(const CallRef& ref) {
  drop_calls(ref);
  jobs_.erase(ref);
}

void FanOuts::on_tick(Instant now) {
  std::vector<CallRef> late;
  for (const auto& [ref, job] : jobs_) {
    if (job.deadline <= now) late.push_back(ref);
  }
  for (const CallRef& ref : late) finish(ref);
}

void FanOuts::finish(const CallRef& ref) {
  const auto found = jobs_.find(ref);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  drop_calls(ref);
  const size_t ok = job.ok;
  std::string list = "[";
  for (size_t i = 0; i < job.members.size(); ++i) {
    if (job.results[i].empty()) {
      job.results[i] = i < job.next ? member_json(job.members[i], "timeout", "no answer in time; whether the tool ran is not known", {})
                                    : member_json(job.members[i], "not_asked", "the time was over before its turn", {});
    }
    if (i > 0) list += ',';
    list += job.results[i];
  }
  list += ']';
  std::string structured;
  mcp::ObjectWriter writer(structured);
  writer.integer("devices", static_cast<int64_t>(job.members.size())).integer("ok", static_cast<int64_t>(ok)).boolean("complete", ok == job.members.size());
  writer.raw("results", list);
  writer.end();
  mcp::ToolResult result;
  result.content.push_back(mcp::text_content(format("%zu of %zu devices answered.\n", ok, job.members.size()) + structured));
  result.structured_json = structured;
  result.is_error = ok == 0;
  jobs_.erase(found);
  host_.on_fan_out_done(ref, result.to_json());
}

}  // namespace tideline::hub
