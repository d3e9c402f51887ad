// BuiltinProvider: what was stored before this run, and what that says about an answer.
#include <utility>

#include "agent/gateway/builtin_offer.hpp"
#include "agent/gateway/builtin_provider.hpp"

namespace tideline::agent {
namespace {

/// A selector that matches this series; globs in names may let it match others too.
model::SeriesSelector selector_of(const model::Series& series) {
  model::SeriesSelector selector;
  selector.name_glob = series.name;
  for (const auto& [name, value] : series.labels) selector.labels.push_back({name, value});
  return selector;
}

/// Rows enough to find one series among those that its name, read as a glob, matches too.
constexpr uint32_t single_rows = 16;

}  // namespace

BuiltinProvider::Past BuiltinProvider::needed_past(const Job& job) {
  switch (job.method) {
    case mcp::Method::call_tool:
      for (const ToolRow& row : tools_) {
        if (row.name == job.target) return row.needs;
      }
      return Past::nothing;
    case mcp::Method::read_resource:
      if (job.target == uri::series) return Past::newest_values;
      return job.target == uri::status ? Past::nothing : Past::end_of_last_run;
    case mcp::Method::get_prompt: return Past::end_of_last_run;
    default: return Past::nothing;
  }
}

bool BuiltinProvider::knows(Past past) const {
  switch (past) {
    case Past::nothing: return true;
    case Past::end_of_last_run: return history_ == History::reading_values || history_ == History::read;
    case Past::newest_values: return history_ == History::read || (history_ == History::reading_values && load_ticks_ >= limits::history_ticks);
  }
  return false;
}

void BuiltinProvider::begin_load() {
  history_ = History::reading_end;
  load_ticks_ = 0;
  load_at_ = 0;
  load_end_ = services_.dictionary().size();
  model::Query query;
  query.to_ns = services_.moment().listening_since.nanos;  // everything since passed by us
  query.limit = static_cast<uint32_t>(limits::latest_rows);
  load_token_ = ++last_token_;
  services_.ask(std::move(query), load_token_);
}

void BuiltinProvider::on_loaded(const Result<model::QueryAnswer>& answer) {
  if (!answer) return end_load(std::string("the store cannot be read now: ") + answer.error().context + ", " + error_name(answer.error().code));
  take_stored(*answer);
  if (history_ == History::reading_end) {
    history_ = History::reading_values;
    release(Past::end_of_last_run);
  }
  load_next();
}

void BuiltinProvider::take_stored(const model::QueryAnswer& answer) {
  const UtcNanos started = services_.moment().listening_since;
  for (const model::SeriesAnswer& one : answer.series) {
    if (one.points.empty()) continue;
    const model::Point& newest = one.points.back();
    if (history_ == History::reading_end && newest.time_ns < started.nanos && (!last_before_ || newest.time_ns > last_before_->nanos)) last_before_ = UtcNanos{newest.time_ns};
    if (const auto id = services_.dictionary().find(one.series)) latest_.add_stored(*id, newest, one.time_quality);
  }
}

/// Series that were not among the newest rows, one by one: each costs reading back to its last block.
void BuiltinProvider::load_next() {
  const Moment moment = services_.moment();
  while (load_at_ < load_end_ && latest_.find(load_at_, moment) != nullptr) ++load_at_;
  if (load_at_ == load_end_) return end_load("");
  model::Query query;
  query.series = selector_of(services_.dictionary().at(load_at_++));
  query.limit = single_rows;
  load_token_ = ++last_token_;
  services_.ask(std::move(query), load_token_);
}

void BuiltinProvider::end_load(const std::string& problem) {
  history_ = problem.empty() ? History::read : History::unread;
  if (problem.empty()) return release(Past::newest_values);
  const std::vector<Job> jobs = std::exchange(waiting_, {});
  for (const Job& job : jobs) {
    if (job.method == mcp::Method::call_tool) fail_tool(job, problem);
    else answers_.fail(job.key, {mcp::RpcCode::internal_error, problem, {}});
  }
}

/// Runs the calls for which this is known now.
void BuiltinProvider::release(Past known) {
  std::vector<Job> ready;
  std::vector<Job> later;
  for (Job& job : waiting_) (needed_past(job) <= known ? ready : later).push_back(std::move(job));
  waiting_ = std::move(later);
  for (const Job& job : ready) run(job);
}

BuiltinProvider::Matched BuiltinProvider::matched(const model::SeriesSelector& selector) const {
  Matched out;
  const model::SeriesDictionary& dictionary = services_.dictionary();
  for (model::SeriesId id = 0; id < dictionary.size(); ++id) {
    const model::Series& series = dictionary.at(id);
    if (!selector.matches(series)) continue;
    out.ids.push_back(id);
    out.streams[model::index_of(series.stream)] = true;
  }
  return out;
}

Hearing BuiltinProvider::hearing(const Matched& asked) const {
  Hearing hearing;
  hearing.moment = services_.moment();
  hearing.last_before = last_before_;
  for (const model::Stream stream : model::streams) {
    const StreamStatus& one = services_.store().streams[model::index_of(stream)];
    // Numbers below the first held one, but for those lost, were delivered.
    if (!asked.streams[model::index_of(stream)] || one.first_held - 1 <= one.lost_readings) continue;
    const UtcNanos oldest = one.first_held_ns == INT64_MAX ? hearing.moment.utc : UtcNanos{one.first_held_ns};
    if (!hearing.held_since || oldest > *hearing.held_since) hearing.held_since = oldest;
  }
  return hearing;
}

Heard BuiltinProvider::heard_of(const Matched& asked, const TimeRange& range) const {
  Heard heard;
  heard.range = range;
  heard.knows_series = !asked.ids.empty();
  for (const model::Stream stream : model::streams) {
    if (!asked.streams[model::index_of(stream)]) continue;
    for (const model::Gap& gap : services_.gaps(stream)) {
      if (touches(gap, range) && heard.gaps.size() < limits::query_gaps) heard.gaps.push_back(gap);
    }
  }
  return heard;
}

}  // namespace tideline::agent
