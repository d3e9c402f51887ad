// The host's own load as a source, out of /proc and statvfs(2). Private to platform/linux. Thread: that of the source.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "linux/sysfs.hpp"

namespace tideline::platform {

class HostSource final : public SensorSource {
 public:
  HostSource(std::string root, const HostSelection& selection) : root_(std::move(root)), selection_(selection) {}

  Status sample(Instant now, SampleSet& out) override;
  const std::vector<model::Series>& channels() const override { return series_; }

 private:
  struct CpuTimes {
    uint64_t busy = 0;
    uint64_t waiting = 0;  ///< for disks
    uint64_t total = 0;
  };
  struct Label {
    const char* name = nullptr;  ///< nullptr: none
    std::string_view value;
  };
  // host.cpp
  Status sample_cpu(SampleSet& out);
  void put_cpu(const std::string& name, const CpuTimes& times, SampleSet& out);
  Status sample_memory(SampleSet& out);
  Status sample_load(SampleSet& out);
  void put(const char* name, const char* unit, Label label, double value, SampleSet& out);
  void put_rate(const char* name, const char* unit, Label label, uint64_t counter, double scale, SampleSet& out);
  // host_io.cpp
  Status sample_disk_rates(SampleSet& out);
  Status sample_file_systems(SampleSet& out);
  Status sample_network(SampleSet& out);
  bool is_whole_disk(const std::string& name) const;

  std::string root_;
  HostSelection selection_;
  std::string text_;  // of the file being read
  std::vector<model::Series> series_;
  std::unordered_map<std::string, uint32_t> channel_of_;
  std::unordered_map<std::string, CpuTimes> cpu_before_;
  std::unordered_map<std::string, uint64_t> counter_before_;
  double elapsed_s_ = 0;  // since the sample before; 0 at the first
  Instant last_;
};

/// Splits at white space; at most `most` words.
std::vector<std::string_view> split_words(std::string_view line, size_t most = 64);
/// Cuts the first line off `text`. False at its end.
bool next_line(std::string_view& text, std::string_view& line);
/// 0 when it is no number.
uint64_t to_count(std::string_view word);

}  // namespace tideline::platform
