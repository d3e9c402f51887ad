#include "agent/inputs/sample_worker.hpp"

#include <algorithm>
#include <utility>

#include "clock.hpp"

namespace tideline::agent {

SampleWorker::SampleWorker(uv::Loop& loop, Listener& listener) : listener_(listener), waker_(loop, *this) {}
SampleWorker::~SampleWorker() { stop(); }

void SampleWorker::add(std::unique_ptr<platform::SensorSource> source, size_t number) { sources_.push_back({std::move(source), number, 0}); }

void SampleWorker::start() {
  if (sources_.empty() || thread_.joinable()) return;
  is_stopping_ = false;
  is_finished_ = false;
  thread_ = std::thread([this] {
    run();
    is_finished_.store(true, std::memory_order_release);
  });
}

void SampleWorker::begin_stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    requests_.clear();
  }
  changed_.notify_one();
}

void SampleWorker::stop() {
  if (!thread_.joinable()) return;
  begin_stop();
  thread_.join();
  results_.clear();
}

void SampleWorker::request(size_t number) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(number);
  }
  changed_.notify_one();
}

void SampleWorker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !requests_.empty(); });
    if (is_stopping_) return;
    const size_t number = requests_.front();
    requests_.pop_front();
    lock.unlock();
    SampleResult result = sample(number);
    lock.lock();
    results_.push_back(std::move(result));
    waker_.wake();
  }
}

SampleResult SampleWorker::sample(size_t number) {
  Source& source = *std::find_if(sources_.begin(), sources_.end(), [&](const Source& one) { return one.number == number; });
  SampleResult result;
  result.source = number;
  result.taken = platform::now();
  result.status = source.source->sample(result.taken, result.set);
  const std::vector<model::Series>& channels = source.source->channels();
  result.new_channels.assign(channels.begin() + static_cast<std::ptrdiff_t>(source.channels_told), channels.end());
  source.channels_told = channels.size();
  return result;
}

void SampleWorker::on_wake() {
  std::vector<SampleResult> results;
  {
    const std::lock_guard lock(mutex_);
    results.swap(results_);
  }
  for (SampleResult& result : results) listener_.on_sampled(std::move(result));
}

}  // namespace tideline::agent
