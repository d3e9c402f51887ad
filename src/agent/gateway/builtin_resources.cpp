// BuiltinProvider: resources, and what their watchers hear.
#include <algorithm>

#include "agent/gateway/builtin_offer.hpp"
#include "agent/gateway/builtin_provider.hpp"
#include "agent/gateway/tool_arguments.hpp"
#include "mcp/content.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::agent {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr Duration ttl_most = seconds(60);

/// How long a copy stays true: `ttl` from now. Private: the device may show other things to other callers one day.
std::string read_body(std::string_view address, std::string_view json, Duration ttl) {
  std::string body = mcp::read_result({mcp::text_resource(address, json_type, json)});
  body.pop_back();
  return body + R"(,"ttlMs":)" + std::to_string(ttl.millis()) + R"(,"cacheScope":"private"})";
}

/// Until the next reading is due, going by the last interval between two.
Duration time_to_next(const std::vector<model::SeriesAnswer>& series, UtcNanos now) {
  Duration least = ttl_most;
  for (const model::SeriesAnswer& one : series) {
    if (one.points.size() < 2) return {};
    const int64_t last = one.points.back().time_ns;
    const int64_t interval = last - one.points[one.points.size() - 2].time_ns;
    least = std::clamp(Duration{last + interval - now.nanos}, Duration{}, least);
  }
  return series.empty() ? Duration{} : least;
}

/// The series that an address names; false when it names none.
bool selector_of(std::string_view address, model::SeriesSelector& out) {
  if (!address.starts_with(uri::one_series)) return false;
  std::string key;
  if (!decode_percent(address.substr(uri::one_series.size()), key)) return false;
  const auto selector = model::parse_series_selector(key);
  if (selector) out = *selector;
  return selector.has_value();
}

}  // namespace

void BuiltinProvider::read(const Job& job) {
  if (job.target == uri::status) {
    answers_.reply(job.key, read_body(job.target, services_.status_json(), seconds(1)));
    return;
  }
  if (job.target == uri::gaps) {
    answers_.reply(job.key, read_body(job.target, gaps_json({}), seconds(1)));
    return;
  }
  if (job.target == uri::series) {
    std::string text;
    answers_.reply(job.key, read_body(job.target, series_list_json({}, false, text), seconds(1)));
    return;
  }
  Asked asked{job, {}, {}};
  asked.query.limit = limits::resource_points;
  if (!selector_of(job.target, asked.query.series) || matched(asked.query.series).ids.empty()) {
    answers_.fail_not_found(job.key, job.target);
    return;
  }
  ask(std::move(asked));
}

void BuiltinProvider::on_series_read(const Asked& asked, const model::QueryAnswer& answer) {
  const Matched matching = matched(asked.query.series);
  const Hearing hearing = this->hearing(matching);
  int64_t oldest_ns = hearing.moment.utc.nanos;
  bool has_data = false;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  w.key("series").begin_array();
  for (const model::SeriesAnswer& one : answer.series) {
    w.begin_object().key("key").text(one.series.key());
    json::write_series(w, "", one.series, one.time_quality);
    if (!one.points.empty()) {
      has_data = true;
      oldest_ns = std::min(oldest_ns, one.points.front().time_ns);
      w.key("age_s").number((hearing.moment.utc - UtcNanos{one.points.back().time_ns}).seconds());
    }
    w.key("points").begin_array();
    for (const model::Point& point : one.points) {
      w.begin_object().key("time").text(format_utc({point.time_ns})).key("value");
      json::write_value(w, point);
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
  Heard heard = heard_of(matching, {oldest_ns, INT64_MAX});
  heard.has_data = has_data;
  write_judgement(w, hearing, heard, judge(hearing, heard));
  w.end_object();
  answers_.reply(asked.job.key, read_body(asked.job.target, out, time_to_next(answer.series, hearing.moment.utc)));
}

std::string BuiltinProvider::gaps_json(const TimeRange& range) const {
  const Matched all = matched({});
  const Hearing hearing = this->hearing(all);
  Heard heard = heard_of(all, range);
  heard.has_data = true;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  write_judgement(w, hearing, heard, judge(hearing, heard));
  w.end_object();
  return out;
}

void BuiltinProvider::on_watch(std::string_view address, bool is_watched) {
  if (!address.starts_with("tideline://")) return;
  if (is_watched) {
    watched_.emplace(address);
  } else if (const auto found = watched_.find(address); found != watched_.end()) {
    watched_.erase(found);
  }
  if (address == uri::gaps) gap_mark_ = gap_mark();
  if (address == uri::status) link_state_ = services_.sync().state;
}

void BuiltinProvider::on_committed(model::Stream stream) {
  has_committed_ = true;
  for (const model::SeriesId series : latest_.take_fresh(stream)) committed_.insert(series);
}

void BuiltinProvider::on_tick(Instant now) {
  if (history_ == History::reading_values && ++load_ticks_ == limits::history_ticks) release(Past::newest_values);
  const std::set<model::SeriesId> changed = std::move(committed_);
  committed_.clear();
  if (watched_.empty()) return;
  announce_series(changed);
  if (watched_.contains(uri::gaps) && gap_mark_ != gap_mark()) {
    gap_mark_ = gap_mark();
    answers_.resource_updated(uri::gaps);
  }
  const bool is_watched = watched_.contains(uri::status) || watched_.contains(uri::series);
  if (!is_watched || now - status_at_ < limits::status_announce_interval) return;
  const std::string state = services_.sync().state;
  if (!has_committed_ && state == link_state_) return;
  if (has_committed_) answers_.resource_updated(uri::series);
  answers_.resource_updated(uri::status);
  status_at_ = now;
  link_state_ = state;
  has_committed_ = false;
}

void BuiltinProvider::announce_series(const std::set<model::SeriesId>& changed) {
  if (changed.empty()) return;
  const model::SeriesDictionary& dictionary = services_.dictionary();
  for (const std::string& address : watched_) {
    model::SeriesSelector selector;
    if (!selector_of(address, selector)) continue;
    const bool is_changed = std::any_of(changed.begin(), changed.end(), [&](model::SeriesId id) { return selector.matches(dictionary.at(id)); });
    if (is_changed) answers_.resource_updated(address);
  }
}

/// Another value whenever a gap record came or grew.
uint64_t BuiltinProvider::gap_mark() const {
  uint64_t mark = 0;
  for (const model::Stream stream : model::streams) {
    for (const model::Gap& gap : services_.gaps(stream)) mark = mark * 31 + gap.count + gap.range.last;
  }
  return mark;
}

}  // namespace tideline::agent
