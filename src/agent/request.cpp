#include "agent/request.hpp"

#include <thread>

#include "agent/local_daemon.hpp"
#include "agent/options.hpp"
#include "agent/standalone.hpp"
#include "base/limits.hpp"
#include "clock.hpp"

namespace tideline::agent {

class Requester::Way final : public uv::Stream::Listener, public Control::Caller, public uv::Timer::Listener {
 public:
  Way(const Config& config, Log& log) : config_(config), log_(log), deadline_(loop_, *this) {}

  Answer ask(std::string_view method, std::string_view params) {
    answer_ = {};
    if (!open()) return std::move(answer_);
    const std::string line = R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + R"(","params":)" + std::string(params) + "}";
    deadline_.start(limits::request_deadline);
    if (stream_ != nullptr) {
      const Bytes bytes = as_bytes(line);
      ByteBuffer buffer(bytes.begin(), bytes.end());
      buffer.push_back('\n');
      stream_->write(std::move(buffer));
    } else {
      standalone_->control().handle(line, *this);
    }
    while (answer_.line.empty() && answer_.problem.empty()) loop_.run();
    deadline_.stop();
    return std::move(answer_);
  }

  bool has_daemon() const { return stream_ != nullptr; }

 private:
  bool open() {
    if (stream_ != nullptr || standalone_ != nullptr) return true;
    const Instant patience = platform::now() + limits::lock_patience;
    while (true) {
      stream_ = connect_daemon(loop_, *this, control_socket(config_));
      if (stream_ != nullptr) {
        stream_->start_reading();
        answer_.problem.clear();
        return true;
      }
      auto standalone = std::make_unique<Standalone>(config_, loop_, log_);
      const Status opened = standalone->open(answer_.problem);
      if (opened) {
        standalone_ = std::move(standalone);
        answer_.problem.clear();
        return true;
      }
      answer_.error = opened.error();
      // Held, but nobody answers: a daemon that is starting, or another command.
      if (opened.error().code != ErrorCode::busy || platform::now() >= patience) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  void on_read(uv::Stream&, Bytes bytes) override {
    received_.append(as_text(bytes));
    const size_t end = received_.find('\n');
    if (end == std::string::npos) return;
    on_reply(received_.substr(0, end + 1));
    received_.erase(0, end + 1);
  }
  void on_end(uv::Stream&) override { fail({ErrorCode::closed, 0, "request"}, "the agent went away while it was asked"); }
  void on_failed(uv::Stream&, Error error) override { fail(error, "the agent went away while it was asked"); }
  void on_timer(uv::Timer&) override { fail({ErrorCode::timeout, 0, "request"}, "the agent did not answer within " + format_duration(limits::request_deadline)); }
  void on_reply(std::string line) override {
    answer_.line = std::move(line);
    loop_.stop();
  }
  void fail(const Error& error, const std::string& problem) {
    answer_.error = error;
    answer_.problem = problem;
    loop_.stop();
  }

  const Config& config_;
  Log& log_;
  uv::Loop loop_;
  uv::Timer deadline_;
  std::unique_ptr<uv::Stream> stream_;
  std::unique_ptr<Standalone> standalone_;
  std::string received_;
  Answer answer_;
};

Requester::Requester(const Config& config, Log& log) : way_(std::make_unique<Way>(config, log)) {}
Requester::~Requester() = default;
Answer Requester::ask(std::string_view method, std::string_view params) { return way_->ask(method, params); }
bool Requester::has_daemon() const { return way_->has_daemon(); }

}  // namespace tideline::agent
