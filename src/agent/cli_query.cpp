// `tideline query`, `tideline status`, `tideline verify`: questions to the daemon or to the store.
#include <charconv>
#include <cstdio>
#include <thread>

#include "agent/cli.hpp"
#include "agent/cli_answer.hpp"
#include "agent/request.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "clock.hpp"
#include "model/query.hpp"
#include "stderr_log.hpp"
#include "terminal.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent::cli {
namespace {

void write_nanos(json::Writer& w, const char* name, int64_t nanos) { w.key(name).text(std::to_string(nanos)); }

/// The request's params; false when an option is wrong, after having said so.
bool query_params(const Arguments& arguments, std::string& out, int& code) {
  const auto wrong = [&](const std::string& text) {
    code = fail(usage_error, "query", text);
    return false;
  };
  json::Writer w(out);
  w.begin_object().key("format").text(arguments.has("json") ? "json" : "text");
  const std::string selector = arguments.get("series", "*");
  if (const auto parsed = model::parse_series_selector(selector); !parsed) return wrong("--series '" + selector + "': " + parsed.error().context);
  w.key("series").text(selector).key("gaps").boolean(arguments.has("gaps"));
  if (arguments.has("since") && arguments.has("from")) return wrong("--since and --from exclude each other");
  if (arguments.has("since")) {
    Duration age;
    if (!parse_duration(arguments.get("since"), age)) return wrong("--since '" + arguments.get("since") + "': a number with unit, e.g. 90s, 15m, 24h");
    write_nanos(w, "from", platform::wall_clock().nanos - age.nanos);
  }
  for (const char* name : {"from", "to"}) {
    UtcNanos time;
    if (!arguments.has(name)) continue;
    if (!parse_utc(arguments.get(name), time)) return wrong(std::string("--") + name + " '" + arguments.get(name) + "': a time such as 2026-11-21T06:00:00Z, a date, or seconds since 1970");
    write_nanos(w, name, time.nanos);
  }
  if (arguments.has("aggregate")) {
    model::Aggregate aggregate = model::Aggregate::none;
    if (!model::parse_aggregate(arguments.get("aggregate"), aggregate)) return wrong("--aggregate '" + arguments.get("aggregate") + "': mean, min, max, sum, count, first or last");
    w.key("aggregate").text(arguments.get("aggregate"));
  }
  if (arguments.has("step")) {
    Duration step;
    if (!parse_duration(arguments.get("step"), step) || step.nanos <= 0) return wrong("--step '" + arguments.get("step") + "': a number with unit, e.g. 10s, 1m, 1h");
    write_nanos(w, "step", step.nanos);
  }
  if (arguments.has("limit")) {
    const std::string text = arguments.get("limit");
    uint32_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc{} || end != text.data() + text.size() || limit < 1 || limit > limits::query_rows) return wrong("--limit '" + text + "': a number from 1 to 100000");
    w.key("limit").unsigned_integer(limit);
  }
  w.end_object();
  return true;
}

/// Asks and prints: the member `text` for people, else the whole result.
int ask_and_print(Requester& requester, const char* command, std::string_view method, const std::string& params, bool as_json) {
  const Answer answer = requester.ask(method, params);
  if (!answer.problem.empty()) return fail(exit_code(answer.error), command, answer.problem);
  std::string printed;
  std::string problem;
  if (!printable_result(answer.line, as_json, printed, problem)) return fail(failed, command, problem);
  std::fputs(printed.c_str(), stdout);
  return done;
}

}  // namespace

int query(const Arguments& arguments) {
  std::string params;
  int code = done;
  if (!query_params(arguments, params, code)) return code;
  Config config;
  if (!load(arguments, "query", config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  Requester requester(config, log);
  return ask_and_print(requester, "query", "tideline/query", params, arguments.has("json"));
}

int status(const Arguments& arguments) {
  Config config;
  int code = done;
  if (!load(arguments, "status", config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  Requester requester(config, log);
  const bool as_json = arguments.has("json");
  const std::string params = as_json ? R"({"format":"json"})" : R"({"format":"text"})";
  while (true) {
    if (arguments.has("watch") && platform::stdout_is_terminal()) std::fputs("\x1b[H\x1b[2J", stdout);
    code = ask_and_print(requester, "status", "tideline/status", params, as_json);
    std::fflush(stdout);
    if (!arguments.has("watch") || code != done) return code;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int verify(const Arguments& arguments) {
  Config config;
  int code = done;
  if (!load(arguments, "verify", config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  Requester requester(config, log);
  // Counting without an aggregate's shortcuts reads and decodes every block.
  const Answer answer = requester.ask("tideline/query", R"({"format":"json","aggregate":"sum","limit":1000})");
  if (!answer.problem.empty()) return fail(exit_code(answer.error), "verify", answer.problem);
  VerifyResult result;
  if (std::string problem; !read_verify_result(answer.line, result, problem)) return fail(failed, "verify", problem);
  if (arguments.has("json")) {
    std::string out;
    json::Writer w(out);
    w.begin_object().key("blocks").unsigned_integer(result.blocks).key("readings").unsigned_integer(result.readings);
    w.key("unreadable_blocks").unsigned_integer(result.unreadable).key("declared_lost").unsigned_integer(result.declared_lost).end_object();
    std::printf("%s\n", out.c_str());
  } else {
    std::printf("%s blocks read, %s readings; %s blocks unreadable; %s readings declared lost in gaps\n", format_count(result.blocks).c_str(),
                format_count(result.readings).c_str(), format_count(result.unreadable).c_str(), format_count(result.declared_lost).c_str());
  }
  return result.unreadable == 0 ? done : failed;
}

}  // namespace tideline::agent::cli
