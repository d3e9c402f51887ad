// `tideline-hub query`.
#include <charconv>
#include <cstdio>

#include "clock.hpp"
#include "hub/answer_text.hpp"
#include "hub/cli.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::hub::cli {
namespace {

bool parse_range(const Arguments& arguments, UtcNanos now, model::Query& query, std::string& error) {
  if (arguments.has("since") && (arguments.has("from") || arguments.has("to"))) {
    error = "--since goes without --from and --to";
    return false;
  }
  Duration age;
  if (arguments.has("since")) {
    if (!parse_duration(arguments.get("since"), age) || age.nanos < 0) {
      error = "--since '" + arguments.get("since") + "' is not an age such as 90s, 15m or 24h";
      return false;
    }
    query.from_ns = (now - age).nanos;
  }
  const auto parse_end = [&](const char* option, int64_t& end_ns) {
    UtcNanos time;
    if (!arguments.has(option)) return true;
    if (parse_utc(arguments.get(option), time)) {
      end_ns = time.nanos;
      return true;
    }
    error = std::string("--") + option + " '" + arguments.get(option) + "' is not a time such as 2026-11-21T06:00:00Z or 1700000000";
    return false;
  };
  if (!parse_end("from", query.from_ns) || !parse_end("to", query.to_ns)) return false;
  if (query.from_ns < query.to_ns) return true;
  error = "--from lies not before --to";
  return false;
}

bool parse_rows(const Arguments& arguments, model::Query& query, std::string& error) {
  if (arguments.has("aggregate") && (!model::parse_aggregate(arguments.get("aggregate"), query.aggregate) || query.aggregate == model::Aggregate::none)) {
    error = "--aggregate '" + arguments.get("aggregate") + "' is not one of mean, min, max, sum, count, first, last";
    return false;
  }
  if (arguments.has("step") && (!parse_duration(arguments.get("step"), query.step) || query.step.nanos <= 0)) {
    error = "--step '" + arguments.get("step") + "' is not a width such as 10s, 1m or 1h";
    return false;
  }
  if (arguments.has("step") && query.aggregate == model::Aggregate::none) {
    error = "--step needs --aggregate";
    return false;
  }
  if (!arguments.has("limit")) return true;
  const std::string text = arguments.get("limit");
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), query.limit);
  if (wrong == std::errc{} && end == text.data() + text.size() && query.limit >= 1 && query.limit <= limits::query_rows) return true;
  error = "--limit '" + text + "' is not a number from 1 to " + std::to_string(limits::query_rows);
  return false;
}

bool parse_query(const Arguments& arguments, UtcNanos now, model::Query& query, std::string& error) {
  auto devices = model::parse_device_selector(arguments.get("device", "*"));
  if (!devices) {
    error = "--device '" + arguments.get("device") + "': " + devices.error().context;
    return false;
  }
  auto series = model::parse_series_selector(arguments.get("series", "*"));
  if (!series) {
    error = "--series '" + arguments.get("series") + "': " + series.error().context;
    return false;
  }
  query.devices = std::move(*devices);
  query.series = std::move(*series);
  return parse_range(arguments, now, query, error) && parse_rows(arguments, query, error);
}

int print_latest(Archive& archive, const model::Query& query, UtcNanos now, bool as_json) {
  const auto values = archive.latest(query.devices, query.series);
  if (!values && values.error().code == ErrorCode::limit) {
    return fail(failed, "query", "more than " + std::to_string(limits::query_rows) + " series match; narrow --device or --series");
  }
  if (!values) return fail(failed, "query", describe(values.error()));
  std::fputs((as_json ? latest_json(*values, now) + "\n" : latest_table(*values, now)).c_str(), stdout);
  return done;
}

/// Gaps are of devices and classes: without --series no block is read for them.
Result<model::QueryAnswer> find_answer(Archive& archive, const model::Query& query, bool only_gaps, bool has_series) {
  if (!only_gaps || has_series) {
    ASSIGN_OR_RETURN(model::QueryAnswer answer, archive.query(query));
    if (!only_gaps) return answer;
    answer.series.clear();
    answer.truncated = false;  // that was said of the readings
    return answer;
  }
  ASSIGN_OR_RETURN(auto gaps, archive.gaps(query.devices));
  model::QueryAnswer answer;
  for (auto& [device, gap] : gaps) {
    if (model::may_touch(gap, query.from_ns, query.to_ns)) answer.gaps.emplace_back(std::move(device), gap);
  }
  return answer;
}

}  // namespace

int query(const Arguments& arguments) {
  auto site = load(arguments, "query");
  if (!site) return usage_error;
  const UtcNanos now = platform::wall_clock();
  model::Query question;
  std::string error;
  if (!arguments.words().empty()) error = "'" + arguments.words().front() + "' is not an option; use --device and --series";
  if (!error.empty() || !parse_query(arguments, now, question, error)) return fail(usage_error, "query", error);
  int code = done;
  const auto archive = open_for_reading(*site, "query", code);
  if (archive == nullptr) return code;
  if (arguments.has("latest")) return print_latest(*archive, question, now, arguments.has("json"));
  const auto answer = find_answer(*archive, question, arguments.has("gaps"), arguments.has("series"));
  if (!answer) return fail(failed, "query", describe(answer.error()));
  std::fputs((arguments.has("json") ? json::answer_json(*answer) + "\n"
                                    : model::answer_text(*answer, arguments.has("gaps") ? model::AnswerParts::gaps_only : model::AnswerParts::everything)).c_str(), stdout);
  return done;
}

}  // namespace tideline::hub::cli
