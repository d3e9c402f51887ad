// Deterministic readings as sensors make them, for tests and benches of blocks: 1 Hz, quantised walks, noise, counters, states.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "model/reading.hpp"

namespace tideline::support {

enum class Signal : uint8_t { walk_tenths, walk_hundredths, noise, counter, boolean, adc12, constant };

/// Wall time of the first reading of every signal: 2025-08-01.
inline constexpr int64_t signal_start_ns = 1'754'000'000'000'000'000;
inline constexpr int64_t millisecond_ns = 1'000'000;

/// One series. `jitter_ms` is the standard deviation of a clock rounded to milliseconds; 0 is a regular clock.
class SignalSource {
 public:
  SignalSource(Signal signal, model::SeriesId series, double jitter_ms)
      : signal_(signal), series_(series), jitter_ms_(jitter_ms), random_(series * 7919 + static_cast<uint64_t>(signal) * 104729 + 17),
        walk_(20 + series % 7) {}

  void add_to(model::ReadingBatch& batch) {
    const double jitter = jitter_ms_ > 0 ? std::round(gauss() * jitter_ms_) : 0;
    int64_t time_ms = signal_start_ns / millisecond_ns + int64_t{series_} * 37 + tick_++ * 1000 + static_cast<int64_t>(jitter);
    if (time_ms <= last_ms_) time_ms = last_ms_ + 1;
    last_ms_ = time_ms;
    add_value(batch, {time_ms * millisecond_ns, model::TimeSource::agent});
  }

 private:
  void add_value(model::ReadingBatch& batch, model::ReadingBatch::Stamp stamp) {
    switch (signal_) {
      case Signal::walk_tenths: walk_ += gauss() * 0.05; return batch.add_f64(series_, stamp, std::round(walk_ * 10) / 10);
      case Signal::walk_hundredths: walk_ += gauss() * 0.02; return batch.add_f64(series_, stamp, std::round(walk_ * 100) / 100);
      case Signal::noise: return batch.add_f64(series_, stamp, gauss() * 0.73);
      case Signal::counter: count_ += static_cast<int64_t>(random_.below(12)); return batch.add_i64(series_, stamp, count_);
      case Signal::boolean: on_ ^= random_.unit() < 0.01; return batch.add_boolean(series_, stamp, on_);
      case Signal::adc12: {
        const double raw = 2048 + 1000 * std::sin(static_cast<double>(tick_) / 300.0) + gauss() * 4;
        return batch.add_f64(series_, stamp, std::round(std::fmin(4095, std::fmax(0, raw))) * 3.3 / 4096);
      }
      case Signal::constant: return batch.add_f64(series_, stamp, 21.5);
    }
  }
  /// Box and Muller 1958.
  double gauss() {
    const double u = random_.unit() + 1e-18;
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * random_.unit());
  }

  Signal signal_;
  model::SeriesId series_;
  double jitter_ms_;
  Random random_;
  double walk_;
  int64_t count_ = 0;
  int64_t tick_ = 0;
  int64_t last_ms_ = 0;
  bool on_ = false;
};

inline model::ReadingBatch make_signal(Signal signal, size_t readings, double jitter_ms) {
  model::ReadingBatch batch;
  SignalSource source(signal, 3, jitter_ms);
  for (size_t i = 0; i < readings; ++i) source.add_to(batch);
  return batch;
}

/// What a machine with 16 sensors makes: round robin, clock jitter of 1.5 ms.
inline model::ReadingBatch make_job_mix(size_t readings_each) {
  static constexpr Signal kinds[16] = {
      Signal::walk_hundredths, Signal::walk_hundredths, Signal::walk_hundredths, Signal::walk_hundredths,
      Signal::walk_hundredths, Signal::walk_tenths,     Signal::walk_tenths,     Signal::walk_tenths,
      Signal::adc12,           Signal::adc12,           Signal::noise,           Signal::noise,
      Signal::counter,         Signal::counter,         Signal::boolean,         Signal::boolean};
  std::vector<SignalSource> sources;
  for (model::SeriesId series = 0; series < 16; ++series) sources.emplace_back(kinds[series], series, 1.5);
  model::ReadingBatch batch;
  for (size_t i = 0; i < readings_each; ++i) {
    for (SignalSource& source : sources) source.add_to(batch);
  }
  return batch;
}

}  // namespace tideline::support
