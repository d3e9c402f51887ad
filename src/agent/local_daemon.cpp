#include "agent/local_daemon.hpp"

namespace tideline::agent {
namespace {

class Waiter final : public uv::Stream::Listener {
 public:
  void on_connected(uv::Stream&) override { connected = true; }
  void on_read(uv::Stream&, Bytes) override {}
  void on_end(uv::Stream&) override {}
  void on_failed(uv::Stream&, Error) override { failed = true; }
  bool connected = false;
  bool failed = false;
};

}  // namespace

std::unique_ptr<uv::Stream> connect_daemon(uv::Loop& loop, uv::Stream::Listener& listener, const std::string& path) {
  Waiter waiter;
  auto stream = uv::Stream::connect_local(loop, waiter, path);
  if (!stream) return nullptr;
  while (!waiter.connected && !waiter.failed && loop.run_once()) {
  }
  if (!waiter.connected) return nullptr;
  (*stream)->set_listener(listener);
  return std::move(*stream);
}

bool daemon_answers(uv::Loop& loop, const std::string& path) {
  Waiter nobody;
  return connect_daemon(loop, nobody, path) != nullptr;
}

}  // namespace tideline::agent
