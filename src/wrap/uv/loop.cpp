#include "wrap/uv/loop.hpp"

#include <uv.h>

#include <algorithm>
#include <cassert>
#include <csignal>

#include "base/limits.hpp"

namespace tideline::uv {
namespace {

template <class Handle>
void close_and_delete(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

uint64_t to_timer_millis(Duration delay) {
  return delay.nanos <= 0 ? 0 : static_cast<uint64_t>((delay.nanos + 999'999) / 1'000'000);
}

}  // namespace

/// libuv's callbacks: the only place where void* becomes an object.
struct LoopCallbacks {
  static void on_timer(uv_timer_t* handle) {
    if (auto* timer = static_cast<Timer*>(handle->data)) timer->listener_.on_timer(*timer);
  }
  static void on_wake(uv_async_t* handle) {
    if (auto* waker = static_cast<Waker*>(handle->data)) waker->listener_.on_wake();
  }
  static void on_signal(uv_signal_t* handle, int number) {
    if (auto* watch = static_cast<SignalWatch*>(handle->data)) watch->listener_.on_signal(number);
  }
  static void on_check(uv_check_t* handle) {
    if (auto* loop = static_cast<Loop*>(handle->data)) loop->end_turn();
  }
  static void on_prepare(uv_prepare_t* handle) {
    if (auto* loop = static_cast<Loop*>(handle->data)) loop->end_turn();
  }
};

void Closer::operator()(uv_timer_s* handle) const { close_and_delete(handle); }
void Closer::operator()(uv_async_s* handle) const { close_and_delete(handle); }
void Closer::operator()(uv_signal_s* handle) const { close_and_delete(handle); }
void Closer::operator()(uv_check_s* handle) const { close_and_delete(handle); }
void Closer::operator()(uv_prepare_s* handle) const { close_and_delete(handle); }

Loop::Loop()
    : loop_(std::make_unique<uv_loop_t>()), read_buffer_(limits::read_buffer_bytes), work_buffer_(limits::read_buffer_bytes) {
  // A write to a peer that left must be an error of that stream, not the end of the process; libuv 1.44 leaves this to us.
  std::signal(SIGPIPE, SIG_IGN);
  const int opened = uv_loop_init(loop_.get());
  assert(opened == 0);
  (void)opened;
  check_.reset(new uv_check_t);
  uv_check_init(loop_.get(), check_.get());
  check_->data = this;
  uv_check_start(check_.get(), &LoopCallbacks::on_check);
  uv_unref(reinterpret_cast<uv_handle_t*>(check_.get()));
  prepare_.reset(new uv_prepare_t);
  uv_prepare_init(loop_.get(), prepare_.get());
  prepare_->data = this;
  uv_prepare_start(prepare_.get(), &LoopCallbacks::on_prepare);
  uv_unref(reinterpret_cast<uv_handle_t*>(prepare_.get()));
}

Loop::~Loop() {
  end_turn();
  check_.reset();
  prepare_.reset();
  while (uv_run(loop_.get(), UV_RUN_NOWAIT) != 0) {
  }
  const int closed = uv_loop_close(loop_.get());
  assert(closed == 0 && "a handle outlived its loop");
  (void)closed;
}

// end_turn() first: libuv takes no turn at all while no handle is active, and what was queued before must not wait for one.
void Loop::run() {
  end_turn();
  uv_run(loop_.get(), UV_RUN_DEFAULT);
}
void Loop::stop() { uv_stop(loop_.get()); }
bool Loop::run_once() {
  end_turn();
  return uv_run(loop_.get(), UV_RUN_NOWAIT) != 0;
}

void Loop::retire_raw(void* object, void (*destroy)(void*)) { retired_.push_back({object, destroy}); }

void Loop::end_turn() {
  while (!turn_ends_.empty() || !retired_.empty()) {
    ending_.swap(turn_ends_);
    for (size_t i = 0; i < ending_.size(); ++i) {  // cancel() may set later entries to null meanwhile
      TurnEnd* const turn_end = ending_[i];
      if (turn_end == nullptr) continue;
      ending_[i] = nullptr;
      turn_end->requested_ = false;
      turn_end->listener_.on_turn_end();
    }
    ending_.clear();
    std::vector<Retired> now;
    now.swap(retired_);
    for (const Retired& item : now) item.destroy(item.object);
  }
}

void TurnEnd::request() {
  if (requested_) return;
  requested_ = true;
  loop_.turn_ends_.push_back(this);
}

void TurnEnd::cancel() {
  if (!requested_) return;
  requested_ = false;
  std::replace(loop_.turn_ends_.begin(), loop_.turn_ends_.end(), this, static_cast<TurnEnd*>(nullptr));
  std::replace(loop_.ending_.begin(), loop_.ending_.end(), this, static_cast<TurnEnd*>(nullptr));
}

Timer::Timer(Loop& loop, Listener& listener) : listener_(listener), handle_(new uv_timer_t) {
  uv_timer_init(loop.raw(), handle_.get());
  handle_->data = this;
}
Timer::~Timer() = default;

void Timer::start(Duration delay) {
  uv_update_time(handle_->loop);
  uv_timer_start(handle_.get(), &LoopCallbacks::on_timer, to_timer_millis(delay), 0);
}
void Timer::start_repeating(Duration interval) {
  const uint64_t millis = to_timer_millis(interval) == 0 ? 1 : to_timer_millis(interval);
  uv_timer_start(handle_.get(), &LoopCallbacks::on_timer, millis, millis);
}
void Timer::stop() { uv_timer_stop(handle_.get()); }
bool Timer::is_active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0; }

Waker::Waker(Loop& loop, Listener& listener) : listener_(listener), handle_(new uv_async_t) {
  const int opened = uv_async_init(loop.raw(), handle_.get(), &LoopCallbacks::on_wake);
  assert(opened == 0);
  (void)opened;
  handle_->data = this;
}
Waker::~Waker() = default;
void Waker::wake() { uv_async_send(handle_.get()); }

SignalWatch::SignalWatch(Loop& loop, Listener& listener, int number) : listener_(listener), handle_(new uv_signal_t) {
  uv_signal_init(loop.raw(), handle_.get());
  handle_->data = this;
  uv_signal_start(handle_.get(), &LoopCallbacks::on_signal, number);
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}
SignalWatch::~SignalWatch() = default;

const char* error_text(int code) { return uv_strerror(code); }

Error to_error(int code, const char* context) {
  switch (code) {
    case UV_ENOENT: return {ErrorCode::not_found, code, context};
    case UV_EACCES:
    case UV_EPERM: return {ErrorCode::denied, code, context};
    case UV_EADDRINUSE:
    case UV_EBUSY: return {ErrorCode::busy, code, context};
    case UV_EEXIST: return {ErrorCode::exists, code, context};
    case UV_ENOSPC: return {ErrorCode::full, code, context};
    case UV_ECONNREFUSED:
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
    case UV_EAI_NONAME:
    case UV_EAI_AGAIN: return {ErrorCode::unreachable, code, context};
    case UV_ETIMEDOUT: return {ErrorCode::timeout, code, context};
    case UV_EOF:
    case UV_ECONNRESET:
    case UV_EPIPE:
    case UV_ECANCELED: return {ErrorCode::closed, code, context};
    case UV_EINVAL: return {ErrorCode::invalid, code, context};
    default: return {ErrorCode::io, code, context};
  }
}

}  // namespace tideline::uv
