// `tideline record` and `tideline ingest`: lines to the daemon or into the store, and what became of them.
#include <cstdio>

#include "agent/cli.hpp"
#include "agent/ingest_port.hpp"
#include "agent/inputs/record_args.hpp"
#include "base/text.hpp"
#include "stderr_log.hpp"
#include "terminal.hpp"
#include "wrap/json/document.hpp"
#include "wrap/json/writer.hpp"
#include "wrap/uv/standard_io.hpp"

namespace tideline::agent::cli {
namespace {

/// One command's worth of lines: feeds a port from memory or from standard input, adds up the replies.
class Delivery final : IngestPort::Listener, uv::StandardInput::Listener {
 public:
  Delivery(const Config& config, std::string_view command) : config_(config), command_(command), log_(LogLevel::warning) {}

  /// Returns the exit code.
  int deliver(const std::string& lines) {
    if (const int code = open(); code != done) return code;
    append(unfed_, as_bytes(lines));
    input_ended_ = true;
    go_on();
    return run();
  }

  int deliver_standard_input() {
    if (const int code = open(); code != done) return code;
    auto input = uv::StandardInput::open(loop_, *this, 0);
    if (!input) return fail(failed, command_, "standard input: " + describe(input.error()));
    input_ = std::move(*input);
    input_->start_reading();
    return run();
  }

  uint64_t accepted() const { return accepted_; }
  uint64_t rejected() const { return rejected_; }

 private:
  int open() {
    Error error;
    std::string problem;
    port_ = IngestPort::open(config_, loop_, log_, *this, error, problem);
    return port_ != nullptr ? done : fail(exit_code(error), command_, problem);
  }

  int run() {
    loop_.run();
    input_.reset();
    port_.reset();
    if (!problem_.empty()) return fail(failed, command_, problem_);
    return done;
  }

  void go_on() {
    if (!unfed_.empty()) {
      const size_t used = port_->feed(unfed_);
      unfed_.erase(unfed_.begin(), unfed_.begin() + static_cast<std::ptrdiff_t>(used));
    }
    if (!unfed_.empty()) return;
    if (!input_ended_) {
      input_->start_reading();
    } else if (!finished_) {
      finished_ = true;
      port_->finish();
    }
  }

  void on_input(Bytes bytes) override {
    append(unfed_, bytes);
    go_on();
    if (!unfed_.empty()) input_->stop_reading();
  }
  void on_input_end() override {
    input_ended_ = true;
    go_on();
  }
  void on_input_failed(Error error) override { stop("standard input: " + describe(error)); }

  void on_port_ready() override { go_on(); }
  void on_port_failed(const std::string& problem) override { stop(problem); }

  void on_reply(std::string_view line) override {
    const auto document = json::Document::parse(line);
    if (!document) return stop("the agent's answer cannot be read");
    const json::Value reply = document->root();
    const auto count = [&](const char* name) { return static_cast<uint64_t>(reply[name].integer() ? *reply[name].integer() : 0); };
    accepted_ += count("accepted");
    rejected_ += count("rejected");
    for (json::Value error = reply["errors"].first(); error.is_present(); error = error.next()) {
      const auto number = error["line"].integer();
      const auto reason = error["reason"].text();
      std::fprintf(stderr, "tideline %s: line %lld: %s\n", std::string(command_).c_str(), number ? static_cast<long long>(*number) : 0LL,
                   reason ? std::string(*reason).c_str() : "refused");
    }
    if (const auto text = reply["error"].text()) return stop("not stored: " + std::string(*text));
    if (finished_) loop_.stop();
  }

  void stop(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
    loop_.stop();
  }

  const Config& config_;
  std::string_view command_;
  platform::StderrLog log_;
  uv::Loop loop_;
  std::unique_ptr<IngestPort> port_;
  std::unique_ptr<uv::StandardInput> input_;
  ByteBuffer unfed_;
  uint64_t accepted_ = 0;
  uint64_t rejected_ = 0;
  std::string problem_;
  bool input_ended_ = false;
  bool finished_ = false;
};

}  // namespace

int record(const Arguments& arguments) {
  if (arguments.words().empty()) return fail(usage_error, "record", "nothing to record: give NAME=VALUE, e.g. temp=21.4");
  std::string lines;
  for (const std::string& word : arguments.words()) {
    RecordArgument argument;
    std::string problem;
    if (!parse_record_argument(word, argument, problem)) return fail(usage_error, "record", "'" + word + "': " + problem);
    lines += to_ingest_line(argument) + "\n";
  }
  Config config;
  int code = done;
  if (!load(arguments, "record", config, code)) return code;
  Delivery delivery(config, "record");
  if (code = delivery.deliver(lines); code != done) return code;
  return delivery.rejected() == 0 ? done : failed;
}

int ingest(const Arguments& arguments) {
  Config config;
  int code = done;
  if (!load(arguments, "ingest", config, code)) return code;
  if (platform::stdin_is_terminal()) std::fprintf(stderr, "tideline ingest: reading lines from the terminal; end with Ctrl-D\n");
  Delivery delivery(config, "ingest");
  code = delivery.deliver_standard_input();
  if (arguments.has("json")) {
    std::string out;
    json::Writer(out).begin_object().key("accepted").unsigned_integer(delivery.accepted()).key("rejected").unsigned_integer(delivery.rejected()).end_object();
    std::printf("%s\n", out.c_str());
  } else if (code == done) {
    std::printf("%s lines accepted, %s refused\n", format_count(delivery.accepted()).c_str(), format_count(delivery.rejected()).c_str());
  }
  return code != done ? code : delivery.rejected() == 0 ? done : failed;
}

}  // namespace tideline::agent::cli
