// Small reads of /proc and /sys, and the source of sensors that are one file each: hwmon, thermal, IIO, 1-wire, power supplies, a
// named file. Private to platform/linux. Thread: that of the source. Bounds: limits::sensor_file_bytes, limits::input_channels.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sensors.hpp"

namespace tideline::platform {

/// Errors: not_found, denied, io; native is errno.
Status read_file(const std::string& path, std::string& out);
/// The first word of the file as a number. Errors also: invalid.
Result<double> read_number(const std::string& path);
/// The file without white space around it, "" when it cannot be read.
std::string read_word(const std::string& path);
/// Names in a directory, hwmon2 before hwmon10; empty when there is none.
std::vector<std::string> list_names(const std::string& directory);
/// Name of what the symbolic link `path` points to, "" if it is none: a device's place on its bus, the same after a restart.
std::string link_target_name(const std::string& path);

/// A gauge; characters that labels cannot hold become '_'.
model::Series make_series(std::string_view name, std::string_view unit, std::vector<std::pair<std::string, std::string>> labels);

/// How a file is read that is more than a number; `before` is what it gave last, NaN at first.
using FileReader = Result<double> (*)(const std::string& path, double before);

/// A file that holds one number: value = (number + offset) * scale / divisor. Division keeps 45123 / 1000 the nearest double to
/// 45.123, which multiplication by 0.001 does not.
struct FileChannel {
  model::Series series;
  std::string path;
  double offset = 0;
  double scale = 1;
  double divisor = 1;
  FileReader reader = nullptr;  ///< nullptr: read_number()
  double before = std::numeric_limits<double>::quiet_NaN();
};

class FileSource final : public SensorSource {
 public:
  /// Finds what is there now; called again from time to time and after failures.
  using Discover = std::vector<FileChannel> (*)(const std::string& root);
  FileSource(std::string root, Discover find, const char* nothing_found)
      : root_(std::move(root)), discover_(find), nothing_found_(nothing_found) {}
  /// One file, always there.
  explicit FileSource(FileChannel channel);

  Status sample(Instant now, SampleSet& out) override;
  const std::vector<model::Series>& channels() const override { return series_; }

 private:
  void discover();
  std::string root_;
  Discover discover_ = nullptr;
  const char* nothing_found_ = "";
  std::vector<FileChannel> channels_;
  std::vector<model::Series> series_;
  Instant last_scan_;
  bool has_failed_ = true;
};

}  // namespace tideline::platform
