// The hub's Unix socket for commands (admin.sock in the state directory, which only its owner can enter): one line of JSON in, one
// out, then the connection ends.
//
// Owned by the hub. Thread: loop. Bounds: limits::admin_connections, limits::admin_line_bytes; an answer may come late or find that
// nobody waits any more.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hub/admin.hpp"
#include "wrap/uv/listen_socket.hpp"

namespace tideline::hub {

class AdminServer final : private uv::ListenSocket::Listener, private uv::Stream::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Answer with respond(), now or later.
    virtual void on_admin_request(uint64_t connection, const AdminRequest& request) = 0;
  };
  AdminServer(uv::Loop& loop, Listener& listener) : loop_(loop), listener_(listener) {}

  /// Errors: busy (another hub answers there), denied, invalid (path too long), io.
  Status listen(const std::string& path);
  void respond(uint64_t connection, const AdminAnswer& answer);
  /// Takes no more commands and drops those under way.
  void stop();

 private:
  struct Peer {
    std::unique_ptr<uv::Stream> stream;
    std::string line;
    bool is_answered = false;
    bool is_asked = false;
  };
  void on_connection(uv::ListenSocket& socket) override;
  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream& stream) override;
  void on_failed(uv::Stream& stream, Error error) override;
  void drop(uv::Stream& stream);
  std::map<uint64_t, Peer>::iterator find(const uv::Stream& stream);

  uv::Loop& loop_;
  Listener& listener_;
  std::unique_ptr<uv::ListenSocket> socket_;
  std::map<uint64_t, Peer> peers_;
  uint64_t next_id_ = 1;
  bool is_waiting_ = false;  ///< a connection was announced while there was no room
};

}  // namespace tideline::hub
