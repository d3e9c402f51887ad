// A listening TCP or Unix socket.
//
// Owned by whoever serves on it. Thread: loop. Back-pressure: while a connection announced by on_connection() is not taken with
// accept(), no further one is announced; they wait in the kernel's backlog.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "wrap/uv/address.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::uv {

class ListenSocket {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Call accept() now or when there is room.
    virtual void on_connection(ListenSocket& socket) = 0;
  };

  /// Port 0 lets the kernel choose; address() tells. Errors: busy (in use), denied, io.
  static Result<std::unique_ptr<ListenSocket>> listen_tcp(Loop& loop, Listener& listener, const Address& address);
  /// Readable and writable by owner and group (0660) before anybody can connect. A socket file that is left over is replaced
  /// when nobody answers on it. Removed on destruction. Errors: busy (a live server), exists (not a socket), denied, invalid.
  static Result<std::unique_ptr<ListenSocket>> listen_local(Loop& loop, Listener& listener, const std::string& path);
  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  /// The connection that was announced. Errors: not_found when there is none.
  Result<std::unique_ptr<Stream>> accept(Stream::Listener& listener);
  /// As bound; empty for a Unix socket.
  Address address() const;

 private:
  friend struct ListenCallbacks;
  ListenSocket(Loop& loop, Listener& listener, Stream::Kind kind);
  Status start();

  Loop& loop_;
  Listener& listener_;
  std::unique_ptr<uv_stream_s, StreamCloser> handle_;
  Stream::Kind kind_;
};

}  // namespace tideline::uv
