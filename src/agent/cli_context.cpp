// `tideline context get|set|delete|list|watch`: the shared state of this device, from the command line.
#include <charconv>
#include <cstdio>

#include "agent/cli.hpp"
#include "agent/cli_answer.hpp"
#include "agent/gateway/context_commands.hpp"
#include "agent/local_daemon.hpp"
#include "agent/options.hpp"
#include "agent/request.hpp"
#include "context/json_values.hpp"
#include "context/path.hpp"
#include "mcp/line_buffer.hpp"
#include "mcp/message.hpp"
#include "stderr_log.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent::cli {
namespace {

constexpr int denied_code = -32001;
constexpr int invalid_code = -32602;

/// Asks; false when the answer is an error, which is told, with the exit code for it.
bool ask(Requester& requester, const char* command, const std::string& method, const std::string& params, std::string& line, int& code) {
  Answer answer = requester.ask("tideline/context_" + method, params);
  if (!answer.problem.empty()) {
    code = fail(exit_code(answer.error), command, answer.problem);
    return false;
  }
  line = std::move(answer.line);
  const mcp::Slice error = mcp::parse_message(line).error;
  if (!error.is_present()) return true;
  const int64_t kind = mcp::find_member(error, "code").integer().value_or(0);
  code = fail(kind == denied_code ? not_authorised : kind == invalid_code ? usage_error : failed, command, mcp::find_member(error, "message").text());
  return false;
}

/// Asks and prints the text, or with --json the whole result.
int ask_and_print(const Arguments& arguments, const char* command, const std::string& method, const std::string& params) {
  Config config;
  int code = done;
  if (!load(arguments, command, config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  Requester requester(config, log);
  std::string line;
  if (!ask(requester, command, method, params, line, code)) return code;
  std::string printed;
  std::string problem;
  if (!printable_result(line, arguments.has("json"), printed, problem)) return fail(failed, command, problem);
  std::fputs(printed.c_str(), stdout);
  return done;
}

/// "" when there are `least` to `most` words and the first is a path.
std::string words_problem(const Arguments& arguments, size_t count, const char* usage) {
  const std::vector<std::string>& words = arguments.words();
  if (words.size() != count) return std::string("write ") + usage;
  return context::is_path(words[0]) ? "" : "'" + words[0] + "': " + context::path_problem(words[0]);
}

json::Writer& begin_params(json::Writer& w, const Arguments& arguments) {
  w.begin_object().key("format").text(arguments.has("json") ? "json" : "text");
  if (!arguments.words().empty()) w.key("path").text(arguments.words()[0]);
  if (arguments.has("if-version")) w.key("if_version").text(arguments.get("if-version"));
  return w;
}

/// The value as JSON; "" with a hint when it is none.
std::string read_value(const Arguments& arguments, std::string& problem) {
  const std::string& word = arguments.words()[1];
  std::string quoted;
  json::append_quoted(word, quoted);
  if (arguments.has("text")) return quoted;
  auto value = context::compact(word);
  if (value) return std::move(*value);
  problem = "'" + word.substr(0, 60) + "' is not JSON (" + value.error().context + ")";
  if (word.find_first_of("{}[]\"") == word.npos) problem += "; a text is written '" + quoted + "', or give --text";
  return "";
}

/// Prints what comes until the agent ends or the command is interrupted.
class Watch final : private uv::Stream::Listener {
 public:
  Watch(bool as_json, std::string prefix) : as_json_(as_json), prefix_(std::move(prefix)) {}

  int run(const Config& config) {
    stream_ = connect_daemon(loop_, *this, control_socket(config));
    if (stream_ == nullptr) return fail(unreachable, "context watch", "no agent runs here, so nothing changes: start it with 'tideline run'");
    std::string line = R"({"jsonrpc":"2.0","id":1,"method":"tideline/context_watch","params":{"prefix":)";
    json::append_quoted(prefix_, line);
    line += "}}\n";
    const Bytes bytes = as_bytes(line);
    stream_->start_reading();
    stream_->write(ByteBuffer(bytes.begin(), bytes.end()));
    loop_.run();
    return fail(unreachable, "context watch", problem_);
  }

 private:
  void on_read(uv::Stream&, Bytes bytes) override {
    lines_.push(as_text(bytes));
    while (const auto line = lines_.next()) take(line->text);
    std::fflush(stdout);
  }
  void on_end(uv::Stream&) override { stop("the agent went away"); }
  void on_failed(uv::Stream&, Error error) override { stop("the agent went away: " + describe(error)); }

  void take(std::string_view line) {
    const mcp::Message message = mcp::parse_message(line);
    if (message.error.is_present()) return stop(mcp::find_member(message.error, "message").text());
    if (!message.method_name.equals("tideline/context_changed")) return;
    const std::string entry(message.params.raw());
    if (as_json_) return void(std::printf("%s\n", entry.c_str()));
    const mcp::Slice value = mcp::find_member(message.params, "value");
    const std::string shown = value.is_present() ? std::string(value.raw()) : "(" + mcp::find_member(message.params, "gone").text() + ")";
    std::printf("%s  %s = %s  by the %s\n", mcp::find_member(message.params, "time").text().c_str(), mcp::find_member(message.params, "path").text().c_str(), shown.c_str(),
                mcp::find_member(message.params, "writer").text().c_str());
  }
  void stop(const std::string& problem) {
    problem_ = problem;
    loop_.stop();
  }

  bool as_json_;
  std::string prefix_;
  uv::Loop loop_;
  std::unique_ptr<uv::Stream> stream_;
  mcp::LineBuffer lines_;
  std::string problem_;
};

}  // namespace

int context_get(const Arguments& arguments) {
  constexpr const char* command = "context get";
  if (const std::string problem = words_problem(arguments, 1, "'tideline context get PATH'"); !problem.empty()) return fail(usage_error, command, problem);
  std::string params;
  json::Writer w(params);
  begin_params(w, arguments);
  if (arguments.has("history")) w.key("history").integer(1000);
  w.end_object();
  if (arguments.has("history")) return ask_and_print(arguments, command, "get", params);
  Config config;
  int code = done;
  if (!load(arguments, command, config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  Requester requester(config, log);
  std::string line;
  std::string plain;
  json::Writer(plain).begin_object().key("path").text(arguments.words()[0]).end_object();
  if (!ask(requester, command, "get", plain, line, code)) return code;
  const mcp::Slice entry = mcp::parse_message(line).result;
  const mcp::Slice value = mcp::find_member(entry, "value");
  if (arguments.has("json")) std::printf("%s\n", std::string(entry.raw()).c_str());
  else if (value.is_present()) std::printf("%s\n", std::string(value.raw()).c_str());
  if (mcp::find_member(entry, "conflict").is_present()) std::fprintf(stderr, "tideline context get: device and hub differ here: see 'tideline context list --conflicts'\n");
  if (value.is_present()) return done;
  return arguments.has("json") ? failed : fail(failed, command, arguments.words()[0] + ": nothing is there");
}

int context_set(const Arguments& arguments) {
  constexpr const char* command = "context set";
  if (const std::string problem = words_problem(arguments, 2, "'tideline context set PATH VALUE'; VALUE is JSON"); !problem.empty()) return fail(usage_error, command, problem);
  std::string problem;
  const std::string value = read_value(arguments, problem);
  if (!problem.empty()) return fail(usage_error, command, problem);
  std::string params;
  json::Writer w(params);
  begin_params(w, arguments).key("value").raw(value).key("merge").boolean(arguments.has("merge"));
  if (arguments.has("ttl")) {
    Duration ttl;
    if (!parse_duration(arguments.get("ttl"), ttl) || ttl < milliseconds(1)) return fail(usage_error, command, "--ttl '" + arguments.get("ttl") + "': a number with unit, e.g. 90s, 5m, 24h");
    w.key("ttl_seconds").number(ttl.seconds());
  }
  w.end_object();
  return ask_and_print(arguments, command, "set", params);
}

int context_delete(const Arguments& arguments) {
  constexpr const char* command = "context delete";
  if (const std::string problem = words_problem(arguments, 1, "'tideline context delete PATH'"); !problem.empty()) return fail(usage_error, command, problem);
  std::string params;
  json::Writer w(params);
  begin_params(w, arguments).end_object();
  return ask_and_print(arguments, command, "delete", params);
}

int context_list(const Arguments& arguments) {
  constexpr const char* command = "context list";
  if (arguments.words().size() > 1) return fail(usage_error, command, "write 'tideline context list [PREFIX]'");
  Config config;
  int code = done;
  if (!load(arguments, command, config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  Requester requester(config, log);
  const bool as_json = arguments.has("json");
  std::string cursor;
  // A page at a time; as JSON one entry a line.
  do {
    std::string params;
    json::Writer w(params);
    w.begin_object().key("prefix").text(arguments.words().empty() ? "" : arguments.words()[0]).key("limit").unsigned_integer(ContextCommands::list_most);
    w.key("conflicts_only").boolean(arguments.has("conflicts")).key("cursor").text(cursor).end_object();
    std::string line;
    if (!ask(requester, command, "list", params, line, code)) return code;
    const mcp::Slice result = mcp::parse_message(line).result;
    for (mcp::Walk walk(mcp::find_member(result, "entries")); walk.next();) {
      const mcp::Slice entry = walk.value();
      if (as_json) {
        std::printf("%s\n", std::string(entry.raw()).c_str());
        continue;
      }
      const mcp::Slice value = mcp::find_member(entry, "value");
      const mcp::Slice conflict = mcp::find_member(entry, "conflict");
      const std::string shown = value.is_present() ? std::string(value.raw()) : mcp::find_member(entry, "value_bytes").is_present() ? std::string("(long)") : std::string("(gone)");
      std::printf("%s = %s\n", mcp::find_member(entry, "path").text().c_str(), shown.c_str());
      if (!conflict.is_present()) continue;
      const mcp::Slice other = mcp::find_member(conflict, "value");
      std::printf("    conflict: the %s has %s since %s\n", mcp::find_member(conflict, "writer").text().c_str(), other.is_present() ? std::string(other.raw()).c_str() : "(deleted)",
                  mcp::find_member(conflict, "time").text().c_str());
    }
    cursor = mcp::find_member(result, "next_cursor").text();
  } while (!cursor.empty());
  return done;
}

int context_watch(const Arguments& arguments) {
  constexpr const char* command = "context watch";
  if (arguments.words().size() > 1) return fail(usage_error, command, "write 'tideline context watch [PREFIX]'");
  Config config;
  int code = done;
  if (!load(arguments, command, config, code)) return code;
  return Watch(arguments.has("json"), arguments.words().empty() ? "" : arguments.words()[0]).run(config);
}

}  // namespace tideline::agent::cli
