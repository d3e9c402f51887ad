// BuiltinProvider: series, newest values, questions.
#include <algorithm>

#include "agent/gateway/builtin_provider.hpp"
#include "agent/gateway/tool_arguments.hpp"
#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "mcp/content.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::agent {
namespace {

double age_seconds(const Moment& moment, int64_t time_ns) { return (moment.utc - UtcNanos{time_ns}).seconds(); }

std::string age_text(const Moment& moment, int64_t time_ns) {
  const Duration age = moment.utc - UtcNanos{time_ns};
  return age.nanos < 0 ? "in " + format_duration({-age.nanos}) : format_duration(age) + " ago";
}

void write_latest(json::Writer& w, const LatestReading& one, const Moment& moment) {
  w.key("latest").begin_object().key("time").text(format_utc({one.point.time_ns})).key("age_s").number(age_seconds(moment, one.point.time_ns)).key("value");
  json::write_value(w, one.point);
  if (one.is_cut) w.key("value_is_cut").boolean(true);
  w.end_object();
}

std::string query_table(const model::QueryAnswer& answer, size_t rows) {
  Table table;
  table.add_column("time");
  table.add_column("series");
  table.add_column("value", Table::Align::right);
  table.add_column("unit");
  size_t skip = rows > limits::tool_text_rows ? rows - limits::tool_text_rows : 0;
  for (const model::SeriesAnswer& one : answer.series) {
    for (const model::Point& point : one.points) {
      if (skip > 0) {
        --skip;
        continue;
      }
      table.add_row({model::short_time(point.time_ns), one.series.key(), model::value_text(point), one.series.unit});
    }
  }
  return table.rows() == 0 ? std::string() : table.text();
}

std::string too_large(size_t bytes) {
  return "The answer has " + format_size(bytes) + ", more than the " + format_size(limits::tool_answer_bytes) +
         " allowed. Ask for a shorter time, fewer series, a smaller limit, or an aggregate with a step.";
}

}  // namespace

void BuiltinProvider::list_series(const Job& job) {
  model::SeriesSelector selector;
  if (const std::string problem = mcp::read_series_argument(mcp::Slice(job.arguments), selector); !problem.empty()) return fail_tool(job, problem);
  std::string text;
  const std::string json = series_list_json(selector, false, text);
  if (json.size() > limits::tool_answer_bytes) return fail_tool(job, too_large(json.size()));
  answers_.reply_own(job.key, mcp::tool_answer(text, json));
}

void BuiltinProvider::latest(const Job& job) {
  model::SeriesSelector selector;
  if (const std::string problem = mcp::read_series_argument(mcp::Slice(job.arguments), selector); !problem.empty()) return fail_tool(job, problem);
  std::string text;
  const std::string json = series_list_json(selector, true, text);
  if (json.size() > limits::tool_answer_bytes) return fail_tool(job, too_large(json.size()));
  answers_.reply_own(job.key, mcp::tool_answer(text, json));
}

std::string BuiltinProvider::series_list_json(const model::SeriesSelector& selector, bool says_why, std::string& text) {
  const Matched asked = matched(selector);
  const Hearing hearing = this->hearing(asked);
  const Moment& moment = hearing.moment;
  const model::SeriesDictionary& dictionary = services_.dictionary();
  Table table;
  for (const char* title : {"series", "value", "unit", "age"}) table.add_column(title, std::string_view(title) == "value" ? Table::Align::right : Table::Align::left);
  int64_t oldest_ns = moment.utc.nanos;
  bool has_data = false;
  std::string out;
  out.reserve(1024);  // what one series takes
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  w.key("series").begin_array();
  const Heard everything = heard_of(asked, {});
  const char* const unknown = history_ == History::read ? "no reading held" : "long ago, being read back";
  for (const model::SeriesId id : asked.ids) {
    const model::Series& series = dictionary.at(id);
    const LatestReading* const one = latest_.find(id, moment);
    w.begin_object().key("key").text(series.key());
    json::write_series(w, "", series, one != nullptr ? one->quality : model::TimeQuality::none);
    if (one != nullptr) {
      has_data = true;
      oldest_ns = std::min(oldest_ns, one->point.time_ns);
      write_latest(w, *one, moment);
    } else if (history_ != History::read) {
      w.key("reading_back").boolean(true);
    }
    if (one != nullptr && says_why) {
      Heard since{{one->point.time_ns + 1, moment.utc.nanos}, true, false, {}, false, 0};
      for (const model::Gap& gap : everything.gaps) {
        if (gap.stream == series.stream && touches(gap, since.range)) since.gaps.push_back(gap);
      }
      if (!since.range.is_empty()) w.key("since_then").text(worth_name(judge_worth(hearing, since)));
    }
    w.end_object();
    const bool is_shown = table.rows() < limits::tool_text_rows;
    if (is_shown) table.add_row({series.key(), one != nullptr ? model::value_text(one->point) : "-", series.unit, one != nullptr ? age_text(moment, one->point.time_ns) : unknown});
  }
  w.end_array().key("total").unsigned_integer(dictionary.size());
  Heard heard = heard_of(asked, {oldest_ns, INT64_MAX});
  heard.has_data = has_data;
  const Judgement judgement = judge(hearing, heard);
  write_judgement(w, hearing, heard, judgement);
  w.end_object();
  text = (table.rows() > 0 ? table.text() + "\n" : "") + judgement.explanation;
  return out;
}

void BuiltinProvider::query(const Job& job) {
  Asked asked{job, {}, {}};
  if (const std::string problem = read_query(mcp::Slice(job.arguments), services_.moment().utc, asked.query, asked.range); !problem.empty()) return fail_tool(job, problem);
  ask(std::move(asked));
}

void BuiltinProvider::on_queried(const Asked& asked, const model::QueryAnswer& answer) {
  const Matched matching = matched(asked.query.series);
  const Hearing hearing = this->hearing(matching);
  Heard heard = heard_of(matching, asked.range);
  size_t rows = 0;
  int64_t newest_ns = INT64_MIN;
  for (const model::SeriesAnswer& one : answer.series) {
    rows += one.points.size();
    if (!one.points.empty()) newest_ns = std::max(newest_ns, one.points.back().time_ns);
  }
  heard.has_data = rows > 0;
  heard.is_truncated = answer.truncated;
  heard.blocks_unreadable = answer.blocks_unreadable;
  const Judgement judgement = judge(hearing, heard);
  const bool is_raw = asked.query.aggregate == model::Aggregate::none;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_head(w, services_);
  w.key("from").text(format_utc({asked.range.from_ns}));
  if (asked.range.to_ns != INT64_MAX) w.key("to").text(format_utc({asked.range.to_ns}));
  w.key("aggregate").text(model::aggregate_name(asked.query.aggregate));
  if (asked.query.step.nanos > 0) w.key("step_s").number(asked.query.step.seconds());
  w.key("rows").unsigned_integer(rows);
  if (rows > 0) w.key("age_s").number(age_seconds(hearing.moment, newest_ns));
  w.key("series").begin_array();
  for (const model::SeriesAnswer& one : answer.series) {
    w.begin_object().key("key").text(one.series.key());
    json::write_series(w, "", one.series, one.time_quality);
    w.key("points").begin_array();
    for (const model::Point& point : one.points) {
      w.begin_object().key("time").text(format_utc({point.time_ns})).key("value");
      json::write_value(w, point);
      if (!is_raw) w.key("count").unsigned_integer(point.count);
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
  write_judgement(w, hearing, heard, judgement);
  w.end_object();
  if (out.size() > limits::tool_answer_bytes) return fail_tool(asked.job, too_large(out.size()));
  std::string text = query_table(answer, rows);
  if (rows > limits::tool_text_rows) text += format("%zu rows in all; the last %zu are shown here.\n", rows, limits::tool_text_rows);
  answers_.reply_own(asked.job.key, mcp::tool_answer(text + (text.empty() ? "" : "\n") + judgement.explanation, out));
}

}  // namespace tideline::agent
