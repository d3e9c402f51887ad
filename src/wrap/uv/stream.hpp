// A byte stream over TCP, a Unix socket, a pipe or a terminal.
//
// Owned by whoever speaks over it. Thread: loop. No event arrives after close() or destruction; bytes still queued are then
// dropped. Must not be destroyed inside one of its own events: close() it there and hand it to Loop::retire. Writes are not
// bounded here: the writer asks queued_bytes(). Reading goes through the loop's one read buffer: an idle stream holds none.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "wrap/uv/address.hpp"
#include "wrap/uv/loop.hpp"

struct uv_stream_s;

namespace tideline::uv {

struct StreamCloser {
  void operator()(uv_stream_s* handle) const;
};

class Stream final : private TurnEnd::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Only after connect_tcp() or connect_local(). Reading is not started yet.
    virtual void on_connected(Stream&) {}
    /// `bytes` are valid during the call.
    virtual void on_read(Stream& stream, Bytes bytes) = 0;
    /// The peer sends no more; writing may still be possible.
    virtual void on_end(Stream& stream) = 0;
    /// Broken for both directions (not connected, reset, write failed). The last event.
    virtual void on_failed(Stream& stream, Error error) = 0;
    /// All that was queued has been given to the kernel. Comes only if something had to wait.
    virtual void on_drained(Stream&) {}
  };

  /// Starts to connect; on_connected() or on_failed() follows. Errors: those of making a socket.
  static Result<std::unique_ptr<Stream>> connect_tcp(Loop& loop, Listener& listener, const Address& address);
  /// `path` of a Unix socket. Errors: invalid (too long), and those of making a socket.
  static Result<std::unique_ptr<Stream>> connect_local(Loop& loop, Listener& listener, const std::string& path);
  /// Takes over `fd`: a pipe, a Unix or TCP socket or a terminal. On an error `fd` stays the caller's.
  static Result<std::unique_ptr<Stream>> open(Loop& loop, Listener& listener, int fd);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void set_listener(Listener& listener) { listener_ = &listener; }

  void start_reading();
  void stop_reading();

  /// Sends `bytes` after what is queued. Never fails at once: an error arrives as on_failed().
  void write(ByteBuffer bytes);
  /// The same for bytes that stay the caller's: only what the kernel does not take at once is copied.
  void write_copy(Bytes bytes);
  /// Not yet taken by the kernel.
  size_t queued_bytes() const;
  /// Tells the peer that nothing more comes, once the queue is sent.
  void finish_writing();
  /// Ends it now: no more events, queued bytes are dropped.
  void close();
  bool is_closed() const { return handle_ == nullptr; }

  // TCP only; harmless elsewhere.
  void set_no_delay();
  /// Probes an idle peer after `idle`, and gives up when sent data stays unacknowledged for `give_up` (TCP_USER_TIMEOUT).
  void set_keepalive(Duration idle, Duration give_up);
  /// Bounds what the kernel queues beyond what is in flight (TCP_NOTSENT_LOWAT).
  void set_unsent_limit(size_t bytes);
  /// Empty for Unix sockets and pipes.
  Address peer() const;

 private:
  enum class Kind : uint8_t { tcp, pipe, tty };
  static std::unique_ptr<uv_stream_s, StreamCloser> make_handle(Loop& loop, Kind kind);
  friend struct StreamCallbacks;
  friend class ListenSocket;
  friend class Process;

  Stream(Loop& loop, Listener& listener, Kind kind);
  uv_stream_s* raw() { return handle_.get(); }
  void on_turn_end() override;
  size_t write_now(Bytes bytes);
  void queue(ByteBuffer bytes, size_t from);
  void deliver_failure(Error error);
  void fail_later(int code, const char* context);

  Loop& loop_;
  Listener* listener_;
  std::unique_ptr<uv_stream_s, StreamCloser> handle_;
  TurnEnd turn_end_;
  Error failure_;
  int events_ = 0;  // running now: guards against destruction from inside one
  Kind kind_;
};

}  // namespace tideline::uv
