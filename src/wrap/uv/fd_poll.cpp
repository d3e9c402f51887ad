#include "wrap/uv/fd_poll.hpp"

#include <uv.h>

namespace tideline::uv {

struct PollCallbacks {
  static void on_poll(uv_poll_t* handle, int status, int) {
    auto* const poll = static_cast<FdPoll*>(handle->data);
    if (poll == nullptr) return;
    if (status == 0) return poll->listener_.on_ready(*poll);
    uv_poll_stop(handle);
    poll->listener_.on_poll_failed(*poll, to_error(status, "poll"));
  }
};

void PollCloser::operator()(uv_poll_s* handle) const {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) { delete reinterpret_cast<uv_poll_t*>(closed); });
}

FdPoll::~FdPoll() = default;

Result<std::unique_ptr<FdPoll>> FdPoll::open(Loop& loop, Listener& listener, int fd, Event event) {
  auto* const handle = new uv_poll_t;
  int code = uv_poll_init(loop.raw(), handle, fd);
  if (code < 0) {
    delete handle;
    if (code == UV_EPERM) return Error{ErrorCode::unsupported, code, "this file cannot be polled"};
    return to_error(code, "poll");
  }
  std::unique_ptr<FdPoll> poll(new FdPoll(listener));
  poll->handle_.reset(handle);
  handle->data = poll.get();
  const int events = event == Event::readable ? UV_READABLE : event == Event::writable ? UV_WRITABLE : UV_PRIORITIZED;
  code = uv_poll_start(handle, events, &PollCallbacks::on_poll);
  if (code < 0) return to_error(code, "poll");
  return poll;
}

}  // namespace tideline::uv
