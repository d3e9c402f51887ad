#include "wrap/uv/listen_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

namespace tideline::uv {
namespace {

constexpr int backlog = 4096;  // cut by net.core.somaxconn
constexpr mode_t socket_mode = 0660;

/// Makes room for a socket at `path`, unless somebody lives there.
Status clear_stale(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return {};  // nothing there, or bind() will say what is wrong
  if (!S_ISSOCK(info.st_mode)) return Error{ErrorCode::exists, 0, "the path exists and is not a socket"};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return to_error(uv_translate_sys_error(errno), "socket");
  // A live server answers at once or, with a full backlog, with EAGAIN.
  const int code = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  if (code != ECONNREFUSED) return Error{ErrorCode::busy, code, "another process serves this socket"};
  if (::unlink(path.c_str()) != 0) return to_error(uv_translate_sys_error(errno), "remove stale socket");
  return {};
}

}  // namespace

struct ListenCallbacks {
  static void on_connection(uv_stream_t* handle, int status) {
    auto* const socket = static_cast<ListenSocket*>(handle->data);
    // A failed accept (no descriptors left, peer gone) concerns no one yet; libuv goes on listening.
    if (socket != nullptr && status == 0) socket->listener_.on_connection(*socket);
  }
};

ListenSocket::ListenSocket(Loop& loop, Listener& listener, Stream::Kind kind)
    : loop_(loop), listener_(listener), handle_(Stream::make_handle(loop, kind)), kind_(kind) {
  handle_->data = this;
}
ListenSocket::~ListenSocket() = default;

Result<std::unique_ptr<ListenSocket>> ListenSocket::listen_tcp(Loop& loop, Listener& listener, const Address& address) {
  std::unique_ptr<ListenSocket> socket(new ListenSocket(loop, listener, Stream::Kind::tcp));
  const int code = uv_tcp_bind(reinterpret_cast<uv_tcp_t*>(socket->handle_.get()), address.raw(), 0);
  if (code < 0) return to_error(code, "bind");
  RETURN_IF_ERROR(socket->start());
  return socket;
}

Result<std::unique_ptr<ListenSocket>> ListenSocket::listen_local(Loop& loop, Listener& listener, const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return Error{ErrorCode::invalid, 0, "socket path is too long"};
  RETURN_IF_ERROR(clear_stale(path));
  std::unique_ptr<ListenSocket> socket(new ListenSocket(loop, listener, Stream::Kind::pipe));
  const int code = uv_pipe_bind(reinterpret_cast<uv_pipe_t*>(socket->handle_.get()), path.c_str());
  if (code < 0) return to_error(code, "bind");
  // Nobody can connect between bind() and listen(), so nobody sees the mode of the umask.
  if (::chmod(path.c_str(), socket_mode) != 0) return to_error(uv_translate_sys_error(errno), "set mode of socket");
  RETURN_IF_ERROR(socket->start());
  return socket;
}

Status ListenSocket::start() {
  const int code = uv_listen(handle_.get(), backlog, &ListenCallbacks::on_connection);
  return code < 0 ? Status(to_error(code, "listen")) : Status();
}

Result<std::unique_ptr<Stream>> ListenSocket::accept(Stream::Listener& listener) {
  std::unique_ptr<Stream> stream(new Stream(loop_, listener, kind_));
  const int code = uv_accept(handle_.get(), stream->raw());
  if (code == UV_EAGAIN) return Error{ErrorCode::not_found, code, "no connection waits"};
  if (code < 0) return to_error(code, "accept");
  return stream;
}

Address ListenSocket::address() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  if (kind_ != Stream::Kind::tcp) return {};
  if (uv_tcp_getsockname(reinterpret_cast<const uv_tcp_t*>(handle_.get()), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return {};
  }
  return Address::from(reinterpret_cast<const sockaddr*>(&storage));
}

}  // namespace tideline::uv
