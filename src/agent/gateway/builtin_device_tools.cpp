// BuiltinProvider: storing readings, syncing, the doctor.
#include "agent/gateway/builtin_provider.hpp"
#include "agent/gateway/tool_arguments.hpp"
#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "mcp/content.hpp"

namespace tideline::agent {
namespace {

uint64_t total(const SyncView& sync) {
  uint64_t sum = 0;
  for (const uint64_t one : sync.backlog) sum += one;
  return sum;
}

std::string sync_text(const SyncView& sync) {
  if (sync.hub.empty()) return "No hub is configured: " + format_count(total(sync)) + " readings are kept here.";
  std::string text = "Link to " + sync.hub + ": " + sync.state + (sync.idle_reason.empty() ? "" : ", " + sync.idle_reason) + ". ";
  text += (sync.backlog_is_upper_bound ? "Up to " : "") + format_count(total(sync)) + " readings to send";
  text += sync.last_ack_age ? ", last acknowledgement " + format_duration(*sync.last_ack_age) + " ago." : ", none acknowledged yet.";
  if (!sync.last_error.empty() && sync.state != "online") text += " Last error: " + sync.last_error + ".";
  if (sync.next_attempt) text += " Next attempt in " + format_duration(*sync.next_attempt) + ".";
  return text;
}

}  // namespace

void BuiltinProvider::record(const Job& job) {
  std::vector<NewReading> readings;
  if (const std::string problem = read_readings(mcp::Slice(job.arguments), services_.moment().utc, readings); !problem.empty()) return fail_tool(job, problem);
  const AgentServices::Token token = ++last_token_;
  if (const Status taken = services_.record(readings, token); !taken) {
    const bool is_full = taken.error().code == ErrorCode::full;
    return fail_tool(job, is_full ? "Nothing was stored: there is no room just now; try again in a moment." : std::string("Nothing was stored: ") + taken.error().context);
  }
  recording_.emplace(token, std::pair(job.key, readings.size()));
}

void BuiltinProvider::on_recorded(AgentServices::Token token, const Status& status) {
  const auto found = recording_.find(token);
  if (found == recording_.end()) return;
  const auto [key, count] = found->second;
  recording_.erase(found);
  if (!status) {
    answers_.reply(key, tool_problem(std::string("Not all is on the disk: ") + status.error().context + ", " + error_name(status.error().code) + "; doctor tells more."));
    return;
  }
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  w.key("recorded").unsigned_integer(count).key("durable").boolean(true).end_object();
  answers_.reply_own(key, mcp::tool_answer(format("%zu reading%s stored and on the disk.", count, count == 1 ? "" : "s"), out));
}

void BuiltinProvider::sync_status(const Job& job) {
  std::string text;
  const std::string json = sync_json(false, text);
  answers_.reply_own(job.key, mcp::tool_answer(text, json));
}

void BuiltinProvider::sync_now(const Job& job) {
  services_.sync_now();
  std::string text;
  const std::string json = sync_json(true, text);
  answers_.reply_own(job.key, mcp::tool_answer("Asked for. " + text, json));
}

std::string BuiltinProvider::sync_json(bool is_requested, std::string& text) const {
  const SyncView sync = services_.sync();
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  w.key("hub").text(sync.hub).key("state").text(sync.state).key("synced").boolean(sync.is_synced);
  if (!sync.idle_reason.empty()) w.key("idle_reason").text(sync.idle_reason);
  if (!sync.last_error.empty()) w.key("last_error").text(sync.last_error);
  if (sync.last_ack_age) w.key("last_ack_age_s").number(sync.last_ack_age->seconds());
  if (sync.next_attempt) w.key("next_attempt_s").number(sync.next_attempt->seconds());
  w.key("backlog_readings").unsigned_integer(total(sync)).key("backlog_is_upper_bound").boolean(sync.backlog_is_upper_bound).key("backlog").begin_object();
  for (const model::Stream stream : model::streams) w.key(model::stream_name(stream)).unsigned_integer(sync.backlog[model::index_of(stream)]);
  w.end_object().key("readings_acknowledged").unsigned_integer(sync.readings_acknowledged).key("loss_window_s").number(sync.loss_window.seconds());
  if (is_requested) w.key("requested").boolean(true);
  const Matched all = matched({});
  const Hearing hearing = this->hearing(all);
  Heard heard = heard_of(all, {});
  heard.has_data = true;
  heard.range.from_ns = hearing.moment.listening_since.nanos;  // syncing goes on when nobody measured
  const Judgement judgement = judge(hearing, heard);
  write_judgement(w, hearing, heard, judgement);
  w.end_object();
  text = sync_text(sync) + (heard.gaps.empty() ? "" : " " + judgement.explanation);
  return out;
}

void BuiltinProvider::doctor(const Job& job) {
  std::string text;
  const std::string json = doctor_json(text);
  answers_.reply_own(job.key, mcp::tool_answer(text, json));
}

std::string BuiltinProvider::doctor_json(std::string& text) const {
  const std::vector<Finding> findings = services_.diagnose();
  Health worst = Health::good;
  Table table;
  for (const char* title : {"check", "health", "what", "advice"}) table.add_column(title);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  w.key("findings").begin_array();
  for (const Finding& one : findings) {
    worst = std::max(worst, one.health);
    w.begin_object().key("check").text(one.check).key("health").text(health_name(one.health)).key("what").text(one.what).key("advice").text(one.advice).end_object();
    table.add_row({one.check, health_name(one.health), one.what, one.advice});
  }
  w.end_array().key("health").text(health_name(worst)).end_object();
  text = table.text();
  return out;
}

}  // namespace tideline::agent
