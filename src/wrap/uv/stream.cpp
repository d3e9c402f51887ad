#include "wrap/uv/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <cassert>

namespace tideline::uv {
namespace {

/// One allocation serves every kind; begins with the part that is common.
union AnyStream {
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
  uv_tty_t tty;
};

AnyStream* as_any(uv_stream_t* stream) { return reinterpret_cast<AnyStream*>(stream); }
uv_handle_t* as_handle(uv_stream_t* stream) { return reinterpret_cast<uv_handle_t*>(stream); }
void delete_any(uv_handle_t* handle) { delete reinterpret_cast<AnyStream*>(handle); }

/// A write in flight owns its bytes, whatever happens to its stream.
struct Write {
  uv_write_t request;
  ByteBuffer bytes;
};

struct IncreaseDuring {
  explicit IncreaseDuring(int& value) : count(value) { ++count; }
  ~IncreaseDuring() { --count; }
  int& count;
};

}  // namespace

/// libuv's callbacks: the only place where void* becomes a Stream.
struct StreamCallbacks {
  static Stream* owner(uv_stream_t* handle) { return static_cast<Stream*>(handle->data); }

  static void on_connect(uv_connect_t* request, int status) {
    Stream* const stream = owner(request->handle);
    delete request;
    if (stream == nullptr) return;
    if (status < 0) return stream->deliver_failure(to_error(status, "connect"));
    IncreaseDuring event(stream->events_);
    stream->listener_->on_connected(*stream);
  }

  static void on_buffer(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    auto* const stream = static_cast<Stream*>(handle->data);
    if (stream == nullptr) return;
    const std::span<uint8_t> memory = stream->loop_.read_buffer();
    *buffer = uv_buf_init(reinterpret_cast<char*>(memory.data()), static_cast<unsigned>(memory.size()));
  }

  static void on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
    Stream* const stream = owner(handle);
    if (stream == nullptr || count == 0) return;
    if (count < 0 && count != UV_EOF) return stream->deliver_failure(to_error(static_cast<int>(count), "read"));
    IncreaseDuring event(stream->events_);
    if (count == UV_EOF) {
      uv_read_stop(handle);
      return stream->listener_->on_end(*stream);
    }
    stream->listener_->on_read(*stream, {reinterpret_cast<const uint8_t*>(buffer->base), static_cast<size_t>(count)});
  }

  static void on_write(uv_write_t* request, int status) {
    Stream* const stream = owner(request->handle);
    delete static_cast<Write*>(request->data);
    if (stream == nullptr || status == UV_ECANCELED) return;
    if (status < 0) return stream->deliver_failure(to_error(status, "write"));
    if (stream->queued_bytes() > 0) return;
    IncreaseDuring event(stream->events_);
    stream->listener_->on_drained(*stream);
  }

  /// ENOTCONN only says that the peer was quicker; a read or write tells what matters.
  static void on_shutdown(uv_shutdown_t* request, int) { delete request; }
};

void StreamCloser::operator()(uv_stream_s* handle) const {
  handle->data = nullptr;
  uv_close(as_handle(handle), delete_any);
}

Stream::Stream(Loop& loop, Listener& listener, Kind kind)
    : loop_(loop), listener_(&listener), handle_(make_handle(loop, kind)), turn_end_(loop, *this), kind_(kind) {
  if (handle_ != nullptr) handle_->data = this;
}

std::unique_ptr<uv_stream_s, StreamCloser> Stream::make_handle(Loop& loop, Kind kind) {
  if (kind == Kind::tty) return nullptr;  // open() makes it
  auto* const any = new AnyStream;
  if (kind == Kind::tcp) uv_tcp_init(loop.raw(), &any->tcp);
  else uv_pipe_init(loop.raw(), &any->pipe, 0);
  return std::unique_ptr<uv_stream_s, StreamCloser>(&any->stream);
}

Stream::~Stream() { assert(events_ == 0 && "destroyed inside its own event: use Loop::retire"); }

Result<std::unique_ptr<Stream>> Stream::connect_tcp(Loop& loop, Listener& listener, const Address& address) {
  std::unique_ptr<Stream> stream(new Stream(loop, listener, Kind::tcp));
  auto* const request = new uv_connect_t;
  const int code = uv_tcp_connect(request, &as_any(stream->raw())->tcp, address.raw(), &StreamCallbacks::on_connect);
  if (code == 0) return stream;
  delete request;
  return to_error(code, "connect");
}

Result<std::unique_ptr<Stream>> Stream::connect_local(Loop& loop, Listener& listener, const std::string& path) {
  // libuv before 1.46 would silently cut a longer path and reach another socket.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return Error{ErrorCode::invalid, 0, "socket path is too long"};
  std::unique_ptr<Stream> stream(new Stream(loop, listener, Kind::pipe));
  uv_pipe_connect(new uv_connect_t, &as_any(stream->raw())->pipe, path.c_str(), &StreamCallbacks::on_connect);
  return stream;
}

Result<std::unique_ptr<Stream>> Stream::open(Loop& loop, Listener& listener, int fd) {
  const uv_handle_type type = uv_guess_handle(fd);
  if (type != UV_TCP && type != UV_NAMED_PIPE && type != UV_TTY) {
    return Error{ErrorCode::unsupported, 0, "neither a pipe nor a socket nor a terminal"};
  }
  const Kind kind = type == UV_TCP ? Kind::tcp : type == UV_TTY ? Kind::tty : Kind::pipe;
  std::unique_ptr<Stream> stream(new Stream(loop, listener, kind));
  int code = 0;
  if (kind == Kind::tcp) code = uv_tcp_open(&as_any(stream->raw())->tcp, fd);
  if (kind == Kind::pipe) code = uv_pipe_open(&as_any(stream->raw())->pipe, fd);
  if (kind == Kind::tty) {
    auto* const any = new AnyStream;
    code = uv_tty_init(loop.raw(), &any->tty, fd, 0);
    if (code < 0) {
      delete any;
      return to_error(code, "open terminal");
    }
    stream->handle_.reset(&any->stream);
    stream->handle_->data = stream.get();
  }
  if (code < 0) return to_error(code, "open stream");
  return stream;
}

void Stream::start_reading() {
  if (is_closed()) return;
  const int code = uv_read_start(raw(), &StreamCallbacks::on_buffer, &StreamCallbacks::on_read);
  if (code < 0 && code != UV_EALREADY) fail_later(code, "read");
}

void Stream::stop_reading() {
  if (!is_closed()) uv_read_stop(raw());
}

void Stream::write(ByteBuffer bytes) {
  if (is_closed() || bytes.empty()) return;
  const size_t sent = write_now(bytes);
  if (sent < bytes.size()) queue(std::move(bytes), sent);
}

void Stream::write_copy(Bytes bytes) {
  if (is_closed() || bytes.empty()) return;
  const Bytes rest = bytes.subspan(write_now(bytes));
  if (!rest.empty()) queue(ByteBuffer(rest.begin(), rest.end()), 0);
}

/// How much the kernel takes: mostly all of it, then there is no request and no second turn.
size_t Stream::write_now(Bytes bytes) {
  if (queued_bytes() > 0) return 0;
  // libuv only reads what it is given to write.
  const uv_buf_t all = uv_buf_init(reinterpret_cast<char*>(const_cast<uint8_t*>(bytes.data())), static_cast<unsigned>(bytes.size()));
  const int count = uv_try_write(raw(), &all, 1);
  return count > 0 ? static_cast<size_t>(count) : 0;
}

/// The bytes after `from` wait for the kernel.
void Stream::queue(ByteBuffer bytes, size_t from) {
  auto* const write = new Write{{}, std::move(bytes)};
  write->request.data = write;
  const uv_buf_t rest = uv_buf_init(reinterpret_cast<char*>(write->bytes.data()) + from,
                                    static_cast<unsigned>(write->bytes.size() - from));
  const int code = uv_write(&write->request, raw(), &rest, 1, &StreamCallbacks::on_write);
  if (code == 0) return;
  delete write;
  fail_later(code, "write");
}

size_t Stream::queued_bytes() const { return is_closed() ? 0 : uv_stream_get_write_queue_size(handle_.get()); }

void Stream::finish_writing() {
  if (is_closed()) return;
  auto* const request = new uv_shutdown_t;
  if (uv_shutdown(request, raw(), &StreamCallbacks::on_shutdown) < 0) delete request;
}

void Stream::close() {
  turn_end_.cancel();
  handle_.reset();
}

void Stream::set_no_delay() {
  if (!is_closed() && kind_ == Kind::tcp) uv_tcp_nodelay(&as_any(raw())->tcp, 1);
}

void Stream::set_keepalive(Duration idle, Duration give_up) {
  if (is_closed() || kind_ != Kind::tcp) return;
  const int64_t idle_seconds = idle.nanos < seconds(1).nanos ? 1 : idle.millis() / 1000;
  uv_tcp_keepalive(&as_any(raw())->tcp, 1, static_cast<unsigned>(idle_seconds));
  int fd = -1;
  if (uv_fileno(as_handle(raw()), &fd) != 0) return;
  const auto give_up_millis = static_cast<unsigned>(give_up.millis());
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up_millis, sizeof give_up_millis);
}

void Stream::set_unsent_limit(size_t bytes) {
  int fd = -1;
  if (is_closed() || kind_ != Kind::tcp || uv_fileno(as_handle(raw()), &fd) != 0) return;
  const int value = static_cast<int>(bytes);
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof value);
}

Address Stream::peer() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  if (is_closed() || kind_ != Kind::tcp) return {};
  if (uv_tcp_getpeername(&as_any(handle_.get())->tcp, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return Address::from(reinterpret_cast<const sockaddr*>(&storage));
}

void Stream::on_turn_end() { deliver_failure(failure_); }

void Stream::fail_later(int code, const char* context) {
  failure_ = to_error(code, context);
  turn_end_.request();
}

void Stream::deliver_failure(Error error) {
  close();
  IncreaseDuring event(events_);
  listener_->on_failed(*this, error);
}

}  // namespace tideline::uv
