// What a board can tell when it is asked: its load, chips, thermal zones, IIO devices, 1-wire thermometers, power supplies. One implementation per operating system
// (platform/linux) and one for tests (platform/sim).
//
// A source belongs to one thread at a time: the sampling worker, because a read may block as long as the hardware takes.
// Nothing durable. Bounds: limits::input_channels per source, limits::sensor_file_bytes per file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/series.hpp"

namespace tideline::platform {

/// One value of one channel of a source.
struct Sample {
  uint32_t channel = 0;
  double value = 0;
};
struct SampleFailure {
  uint32_t channel = 0;
  Error error;
};
struct SampleSet {
  std::vector<Sample> samples;
  std::vector<SampleFailure> failures;  ///< channels that are known and could not be read now
};

class SensorSource {
 public:
  virtual ~SensorSource() = default;
  /// Appends what can be read now. New sensors get new channels; one that went away fails until it is back.
  /// Errors: not_found (no sensor of this kind at all), io, denied. `now` is monotonic; rates are per second of it.
  virtual Status sample(Instant now, SampleSet& out) = 0;
  /// What the channels measure. Only grows.
  virtual const std::vector<model::Series>& channels() const = 0;
};

struct HostSelection {
  bool cpu = true;
  bool memory = true;
  bool load = true;
  bool disk = true;
  bool network = true;
  bool per_core = false;
};

// `root` stands before /proc and /sys; "" for the running machine, a recorded tree in tests.
std::unique_ptr<SensorSource> make_host_source(const std::string& root, const HostSelection& selection);
std::unique_ptr<SensorSource> make_hwmon_source(const std::string& root);
std::unique_ptr<SensorSource> make_thermal_source(const std::string& root);
std::unique_ptr<SensorSource> make_iio_source(const std::string& root);
/// Thermometers on a 1-wire bus. A read takes up to 0.75 s for each of them.
std::unique_ptr<SensorSource> make_w1_source(const std::string& root);
/// Mains, batteries and UPSs that the kernel knows.
std::unique_ptr<SensorSource> make_power_source(const std::string& root);
/// One number in the file `path`, as the series `name`.
std::unique_ptr<SensorSource> make_file_source(const std::string& path, const std::string& name);

}  // namespace tideline::platform
