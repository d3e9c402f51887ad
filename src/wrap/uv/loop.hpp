// libuv's loop, timers and wake-ups behind objects with one owner (libuv docs/src/design.rst: a handle's memory is ours again
// only in its close callback). No libuv header is visible here.
//
// Thread: all of it belongs to the thread that runs the loop, except Waker::wake().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

struct uv_loop_s;
struct uv_timer_s;
struct uv_async_s;
struct uv_signal_s;
struct uv_check_s;
struct uv_prepare_s;

namespace tideline::uv {

/// Frees a libuv handle: stops events at once, closes it, deletes the memory in the close callback.
struct Closer {
  void operator()(uv_timer_s* handle) const;
  void operator()(uv_async_s* handle) const;
  void operator()(uv_signal_s* handle) const;
  void operator()(uv_check_s* handle) const;
  void operator()(uv_prepare_s* handle) const;
};

class TurnEnd;

class Loop {
 public:
  /// Makes the process ignore SIGPIPE.
  Loop();
  /// Every handle must have been destroyed; the closes that are still under way are run here.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop().
  void run();
  /// Returns from run() at the end of this turn.
  void stop();
  /// One turn without waiting; true while handles or requests are active. For tests and for closing down.
  bool run_once();

  /// Destroys `object` at the end of this turn: the way to give up an object from inside one of its own callbacks.
  template <class T>
  void retire(std::unique_ptr<T> object) {
    retire_raw(object.release(), [](void* p) { delete static_cast<T*>(p); });
  }

  /// Where streams read into: one buffer for all, because an event ends before the next read begins. Valid in on_read only.
  std::span<uint8_t> read_buffer() { return read_buffer_; }
  /// A second one, for what is made of the bytes read (plaintext); the same rule.
  std::span<uint8_t> work_buffer() { return work_buffer_; }

  uv_loop_s* raw() { return loop_.get(); }

 private:
  struct Retired {
    void* object;
    void (*destroy)(void*);
  };
  void retire_raw(void* object, void (*destroy)(void*));
  void end_turn();
  friend struct LoopCallbacks;
  friend class TurnEnd;

  std::unique_ptr<uv_loop_s> loop_;
  std::unique_ptr<uv_check_s, Closer> check_;      // after events of sockets and files
  std::unique_ptr<uv_prepare_s, Closer> prepare_;  // after timers, before the loop may wait
  std::vector<Retired> retired_;
  std::vector<TurnEnd*> turn_ends_;  // asked for; null where its owner went away
  std::vector<TurnEnd*> ending_;     // those being called now
  std::vector<uint8_t> read_buffer_;
  std::vector<uint8_t> work_buffer_;
};

/// Calls its listener once at the end of the turn in which it was requested, always before the loop waits: the place to send
/// together what was queued one by one.
class TurnEnd {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_turn_end() = 0;
  };
  TurnEnd(Loop& loop, Listener& listener) : loop_(loop), listener_(listener) {}
  ~TurnEnd() { cancel(); }
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;
  void request();
  void cancel();

 private:
  friend class Loop;
  Loop& loop_;
  Listener& listener_;
  bool requested_ = false;
};

/// One timer. Destroying it cancels.
class Timer {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_timer(Timer& timer) = 0;
  };
  /// `listener` outlives the timer.
  Timer(Loop& loop, Listener& listener);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Fires once after `delay` (rounded up to 1 ms), replacing what was set before.
  void start(Duration delay);
  /// Fires every `interval` (rounded up to 1 ms).
  void start_repeating(Duration interval);
  void stop();
  bool is_active() const;

 private:
  friend struct LoopCallbacks;
  Listener& listener_;
  std::unique_ptr<uv_timer_s, Closer> handle_;
};

/// Wakes the loop from any thread; several wakes may be delivered as one.
class Waker {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_wake() = 0;
  };
  Waker(Loop& loop, Listener& listener);
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  /// Any thread, as long as the Waker lives.
  void wake();

 private:
  friend struct LoopCallbacks;
  Listener& listener_;
  std::unique_ptr<uv_async_s, Closer> handle_;
};

/// Delivers one POSIX signal on the loop.
class SignalWatch {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_signal(int number) = 0;
  };
  SignalWatch(Loop& loop, Listener& listener, int number);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  friend struct LoopCallbacks;
  Listener& listener_;
  std::unique_ptr<uv_signal_s, Closer> handle_;
};

/// The error text of a negative libuv code, e.g. "address already in use". Static storage.
const char* error_text(int code);
/// Maps a negative libuv code to ours; `context` is a literal.
Error to_error(int code, const char* context);

}  // namespace tideline::uv
