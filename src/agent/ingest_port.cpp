#include "agent/ingest_port.hpp"

#include <thread>

#include "agent/local_daemon.hpp"
#include "agent/options.hpp"
#include "agent/standalone.hpp"
#include "base/limits.hpp"
#include "clock.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::agent {
namespace {

constexpr std::string_view final_lines = "\n#sync\n";

/// Lines go to the daemon; how they were taken comes back.
class SocketPort final : public IngestPort, uv::Stream::Listener {
 public:
  explicit SocketPort(IngestPort::Listener& listener) : listener_(listener) {}

  bool connect(uv::Loop& loop, const std::string& path) {
    stream_ = connect_daemon(loop, *this, path);
    if (stream_ != nullptr) stream_->start_reading();
    return stream_ != nullptr;
  }

  size_t feed(Bytes bytes) override {
    if (stream_->queued_bytes() >= limits::send_queue_bytes) return 0;
    stream_->write(ByteBuffer(bytes.begin(), bytes.end()));
    return bytes.size();
  }
  void finish() override {
    const Bytes bytes = as_bytes(final_lines);
    stream_->write(ByteBuffer(bytes.begin(), bytes.end()));
  }

 private:
  void on_read(uv::Stream&, Bytes bytes) override {
    received_.append(as_text(bytes));
    for (size_t end = received_.find('\n'); end != std::string::npos; end = received_.find('\n')) {
      const std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      listener_.on_reply(line);
    }
  }
  void on_end(uv::Stream&) override { listener_.on_port_failed("the agent went away before it confirmed; send the readings again"); }
  void on_failed(uv::Stream&, Error) override { on_end(*stream_); }
  void on_drained(uv::Stream&) override { listener_.on_port_ready(); }

  IngestPort::Listener& listener_;
  std::unique_ptr<uv::Stream> stream_;
  std::string received_;
};

/// Lines go into the store of this process.
class StorePort final : public IngestPort, IngestSession::Owner, Standalone::Feeder {
 public:
  StorePort(const Config& config, uv::Loop& loop, Log& log, IngestPort::Listener& listener)
      : config_(config), standalone_(config, loop, log), listener_(listener) {}

  Status open(std::string& problem) {
    RETURN_IF_ERROR(standalone_.open(problem));
    standalone_.set_feeder(this);
    session_ = std::make_unique<IngestSession>(standalone_.rules(), standalone_.collector(), static_cast<IngestSession::Owner&>(*this), line_options(config_));
    return {};
  }

  size_t feed(Bytes bytes) override { return session_->feed(bytes, standalone_.stamp()); }
  void finish() override { end_at_ = feed(as_bytes(final_lines)); }

 private:
  void on_room() override { go_on(); }
  void on_durable(Collector::Ticket ticket, const Status& status) override {
    session_->on_durable(ticket, status);
    go_on();
  }
  void go_on() {
    if (end_at_ < final_lines.size()) {
      end_at_ += feed(as_bytes(final_lines.substr(end_at_)));
      return;
    }
    listener_.on_port_ready();
  }
  void request_sync(IngestSession&, IngestSession::SyncId id) override { since_ = standalone_.collector().sync(id, since_); }
  void send_reply(IngestSession&, std::string line) override { listener_.on_reply(std::string_view(line).substr(0, line.size() - 1)); }

  const Config& config_;
  Standalone standalone_;
  IngestPort::Listener& listener_;
  std::unique_ptr<IngestSession> session_;
  Collector::Position since_ = 0;
  size_t end_at_ = final_lines.size();  // how much of the final lines was taken
};

}  // namespace

std::unique_ptr<IngestPort> IngestPort::open(const Config& config, uv::Loop& loop, Log& log, Listener& listener, Error& error, std::string& problem) {
  const Instant patience = platform::now() + limits::lock_patience;
  while (true) {
    auto socket = std::make_unique<SocketPort>(listener);
    if (socket->connect(loop, ingest_socket(config))) return socket;
    auto store = std::make_unique<StorePort>(config, loop, log, listener);
    const Status opened = store->open(problem);
    if (opened) {
      problem.clear();
      return store;
    }
    error = opened.error();
    // Held, but nobody answers: a daemon that is starting, or another command.
    if (error.code != ErrorCode::busy || platform::now() >= patience) return nullptr;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace tideline::agent
