// BuiltinProvider: what was stored before this run, and what that says about an answer.
#include <algorithm>

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

bool BuiltinProvider::needs_history(const Job& job) const {
  switch (job.method) {
    case mcp::Method::call_tool: return std::any_of(tools_.begin(), tools_.end(), [&](const ToolRow& row) { return row.name == job.target && row.needs_history; });
    case mcp::Method::read_resource: return job.target.starts_with(uri::series);
    case mcp::Method::get_prompt: return true;
    default: return false;
  }
}

void BuiltinProvider::begin_load() {
  history_ = History::reading;
  is_first_load_ = true;
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
  is_first_load_ = false;
  load_next();
}

void BuiltinProvider::take_stored(const model::QueryAnswer& answer) {
  const UtcNanos started = services_.moment().listening_since;
  for (const model::SeriesAnswer& one : answer.series) {
    if (one.points.empty()) continue;
    const model::Point& newest = one.points.back();
    if (is_first_load_ && newest.time_ns < started.nanos && (!last_before_ || newest.time_ns > last_before_->nanos)) last_before_ = UtcNanos{newest.time_ns};
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
  const std::vector<Job> jobs = std::move(waiting_);
  waiting_.clear();
  for (const Job& job : jobs) {
    if (problem.empty()) run(job);
    else if (job.method == mcp::Method::call_tool) fail_tool(job, problem);
    else answers_.fail(job.key, {mcp::RpcCode::internal_error, problem, {}});
  }
}

Hearing BuiltinProvider::hearing(const model::SeriesSelector& selector) const {
  Hearing hearing;
  hearing.moment = services_.moment();
  hearing.last_before = last_before_;
  const model::SeriesDictionary& dictionary = services_.dictionary();
  std::array<bool, model::stream_count> asked{};
  for (model::SeriesId id = 0; id < dictionary.size(); ++id) {
    if (selector.matches(dictionary.at(id))) asked[model::index_of(dictionary.at(id).stream)] = true;
  }
  for (const model::Stream stream : model::streams) {
    const StreamStatus& one = services_.store().streams[model::index_of(stream)];
    // Numbers below the first held one, but for those lost, were delivered.
    if (!asked[model::index_of(stream)] || one.first_held - 1 <= one.lost_readings) continue;
    const UtcNanos oldest = one.first_held_ns == INT64_MAX ? hearing.moment.utc : UtcNanos{one.first_held_ns};
    if (!hearing.held_since || oldest > *hearing.held_since) hearing.held_since = oldest;
  }
  return hearing;
}

Heard BuiltinProvider::heard_of(const model::SeriesSelector& selector, const TimeRange& range) const {
  Heard heard;
  heard.range = range;
  heard.knows_series = false;
  std::array<bool, model::stream_count> asked{};
  const model::SeriesDictionary& dictionary = services_.dictionary();
  for (model::SeriesId id = 0; id < dictionary.size(); ++id) {
    if (!selector.matches(dictionary.at(id))) continue;
    heard.knows_series = true;
    asked[model::index_of(dictionary.at(id).stream)] = true;
  }
  for (const model::Stream stream : model::streams) {
    if (!asked[model::index_of(stream)]) continue;
    for (const model::Gap& gap : services_.gaps(stream)) {
      if (touches(gap, range) && heard.gaps.size() < limits::query_gaps) heard.gaps.push_back(gap);
    }
  }
  return heard;
}

}  // namespace tideline::agent
