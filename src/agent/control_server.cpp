#include "agent/control_server.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {

class ControlServer::Connection final : public uv::Stream::Listener, public Control::Caller {
 public:
  explicit Connection(ControlServer& server) : server_(server) {}
  ~Connection() override { server_.control_.forget(*this); }

  void adopt(std::unique_ptr<uv::Stream> stream) {
    stream_ = std::move(stream);
    stream_->start_reading();
  }

 private:
  void on_read(uv::Stream&, Bytes bytes) override {
    received_.append(as_text(bytes));
    take_lines();
  }

  void take_lines() {
    size_t begin = 0;
    while (stream_->queued_bytes() < limits::send_queue_bytes) {
      const size_t end = received_.find('\n', begin);
      if (end == std::string::npos) break;
      const std::string_view line(received_.data() + begin, end - begin);
      begin = end + 1;
      if (!line.empty() && line != "\r") server_.control_.handle(line, *this);
    }
    received_.erase(0, begin);
    if (received_.size() > limits::request_bytes) return server_.remove(*this);
    if (stream_->queued_bytes() >= limits::send_queue_bytes) stream_->stop_reading();
  }

  void on_end(uv::Stream&) override { server_.remove(*this); }
  void on_failed(uv::Stream&, Error) override { server_.remove(*this); }
  void on_drained(uv::Stream& stream) override {
    stream.start_reading();
    take_lines();
  }
  void on_reply(std::string line) override {
    const Bytes bytes = as_bytes(line);
    stream_->write(ByteBuffer(bytes.begin(), bytes.end()));
  }

  ControlServer& server_;
  std::unique_ptr<uv::Stream> stream_;
  std::string received_;
};

ControlServer::ControlServer(Control& control, uv::Loop& loop, Log& log) : control_(control), loop_(loop), log_(log) {}
ControlServer::~ControlServer() = default;

Status ControlServer::listen(const std::string& path) {
  ASSIGN_OR_RETURN(socket_, uv::ListenSocket::listen_local(loop_, *this, path));
  return {};
}

void ControlServer::close() {
  socket_.reset();
  connections_.clear();
}

void ControlServer::on_connection(uv::ListenSocket& socket) {
  auto connection = std::make_unique<Connection>(*this);
  auto stream = socket.accept(*connection);
  if (!stream) return;
  if (connections_.size() >= limits::control_connections) {
    log_warning(log_, "control", "a program was turned away: %zu are connected already", connections_.size());
    return;
  }
  connection->adopt(std::move(*stream));
  connections_.push_back(std::move(connection));
}

void ControlServer::remove(Connection& connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const auto& known) { return known.get() == &connection; });
  if (found == connections_.end()) return;
  control_.forget(connection);
  loop_.retire(std::move(*found));
  connections_.erase(found);
}

}  // namespace tideline::agent
