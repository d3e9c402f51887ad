#include "agent/local_socket.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {

class LocalSocket::Connection final : public uv::Stream::Listener, private LocalSession::Wire {
 public:
  explicit Connection(LocalSocket& socket) : socket_(socket), session_(socket.gateway_, socket.control_, *this) {}

  void adopt(std::unique_ptr<uv::Stream> stream) {
    stream_ = std::move(stream);
    stream_->start_reading();
  }

  /// The session ends here; the stream as soon as its queue is sent.
  void finish() {
    if (has_ended_) return;
    has_ended_ = true;
    stream_->stop_reading();
    session_.on_end();
    stream_->finish_writing();
    if (stream_->queued_bytes() == 0) socket_.remove(*this);
  }

 private:
  void on_read(uv::Stream& stream, Bytes bytes) override {
    if (!session_.on_bytes(bytes)) stream.stop_reading();
  }
  void on_end(uv::Stream&) override { finish(); }
  void on_failed(uv::Stream&, Error) override { socket_.remove(*this); }
  void on_drained(uv::Stream& stream) override {
    if (has_ended_) return socket_.remove(*this);
    if (session_.go_on()) stream.start_reading();
  }

  void send(Bytes bytes) override { stream_->write_copy(bytes); }
  size_t queued_bytes() const override { return stream_->queued_bytes(); }
  void on_overrun() override {
    log_warning(socket_.log_, "local", "a program on agent.sock was let go: it left %zu bytes unread", stream_->queued_bytes());
    socket_.remove(*this);
  }

  LocalSocket& socket_;
  std::unique_ptr<uv::Stream> stream_;
  LocalSession session_;
  bool has_ended_ = false;
};

LocalSocket::LocalSocket(Gateway& gateway, Control& control, uv::Loop& loop, Log& log)
    : gateway_(gateway), control_(control), loop_(loop), log_(log), turn_end_(loop, *this) {}
LocalSocket::~LocalSocket() = default;

Status LocalSocket::listen(const std::string& path) {
  ASSIGN_OR_RETURN(socket_, uv::ListenSocket::listen_local(loop_, *this, path));
  return {};
}

void LocalSocket::stop() {
  socket_.reset();
  const std::vector<std::unique_ptr<Connection>>& all = connections_;
  for (size_t i = all.size(); i-- > 0;) all[i]->finish();  // from the end: finish() may remove
}

void LocalSocket::on_connection(uv::ListenSocket& socket) {
  auto connection = std::make_unique<Connection>(*this);
  auto stream = socket.accept(*connection);
  if (!stream) return;
  if (connections_.size() >= limits::control_connections) {
    log_warning(log_, "local", "a program was turned away from agent.sock: %zu are connected already", connections_.size());
    return;
  }
  connection->adopt(std::move(*stream));
  connections_.push_back(std::move(connection));
}

void LocalSocket::remove(Connection& connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const auto& known) { return known.get() == &connection; });
  if (found == connections_.end()) return;
  leaving_.push_back(std::move(*found));
  connections_.erase(found);
  turn_end_.request();
}

void LocalSocket::on_turn_end() { leaving_.clear(); }

}  // namespace tideline::agent
