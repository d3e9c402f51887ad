// Runs sensor reads on a thread of its own and hands the results back to the loop.
//
// Owned by Inputs. Threads: everything is called on the loop; sources are used by the worker only between start() and stop().
// Bounds: one request per source at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "sensors.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

/// One sample of one source.
struct SampleResult {
  size_t source = 0;                        ///< as its owner numbered it
  Instant taken;                            ///< just before the read
  Status status;
  platform::SampleSet set;
  std::vector<model::Series> new_channels;  ///< those added since the result before
};

class SampleWorker final : private uv::Waker::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_sampled(SampleResult result) = 0;
  };
  SampleWorker(uv::Loop& loop, Listener& listener);
  ~SampleWorker() override;
  SampleWorker(const SampleWorker&) = delete;
  SampleWorker& operator=(const SampleWorker&) = delete;

  /// Before start(). `number` is the owner's, for request() and results.
  void add(std::unique_ptr<platform::SensorSource> source, size_t number);
  void start();
  /// Waits for the read under way; nothing is delivered afterwards.
  void stop();
  /// The same without waiting: is_finished() tells when stop() has nothing left to wait for.
  void begin_stop();
  bool is_finished() const { return is_finished_.load(std::memory_order_acquire); }
  /// One on_sampled() follows. Not while one is awaited.
  void request(size_t number);

 private:
  struct Source {
    std::unique_ptr<platform::SensorSource> source;
    size_t number = 0;
    size_t channels_told = 0;
  };
  void run();
  SampleResult sample(size_t number);
  void on_wake() override;

  Listener& listener_;
  std::vector<Source> sources_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<size_t> requests_;       // guarded by mutex_
  std::vector<SampleResult> results_; // guarded by mutex_
  bool is_stopping_ = false;          // guarded by mutex_
  std::atomic<bool> is_finished_ = true;
  uv::Waker waker_;
  std::thread thread_;
};

}  // namespace tideline::agent
