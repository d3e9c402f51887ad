// Processor, memory and load (proc(5)).
#include "linux/host.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/limits.hpp"

namespace tideline::platform {
namespace {

/// Two decimals are more than such a figure is worth, and short decimals take less space in a block.
double percent(double part, double whole) { return std::round(part / whole * 1e4) / 1e2; }

uint64_t meminfo(std::string_view text, std::string_view name) {
  std::string_view line;
  while (next_line(text, line)) {
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') return to_count(split_words(line.substr(name.size() + 1), 1).front()) * 1024;
  }
  return 0;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view line, size_t most) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while (words.size() < most) {
    at = line.find_first_not_of(" \t", at);
    if (at == line.npos) break;
    const size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  if (words.empty()) words.emplace_back();
  return words;
}

bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const size_t end = std::min(text.find('\n'), text.size());
  line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return true;
}

uint64_t to_count(std::string_view word) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  return error == std::errc{} ? count : 0;
}

/// One part that cannot be read (a container without /proc/diskstats) does not take the others down.
Status HostSource::sample(Instant now, SampleSet& out) {
  elapsed_s_ = last_ == Instant{} ? 0 : (now - last_).seconds();
  last_ = now;
  Status first;
  const auto run = [&](bool is_selected, Status (HostSource::*part)(SampleSet&)) {
    if (!is_selected) return;
    const Status status = (this->*part)(out);
    if (!status && first) first = status;
  };
  run(selection_.cpu, &HostSource::sample_cpu);
  run(selection_.memory, &HostSource::sample_memory);
  run(selection_.load, &HostSource::sample_load);
  run(selection_.disk, &HostSource::sample_disk_rates);
  run(selection_.disk, &HostSource::sample_file_systems);
  run(selection_.network, &HostSource::sample_network);
  return first;
}

void HostSource::put(const char* name, const char* unit, Label label, double value, SampleSet& out) {
  std::string key = name;
  if (label.name != nullptr) key.append("\n").append(label.value);
  auto place = channel_of_.find(key);
  if (place == channel_of_.end()) {
    if (series_.size() >= limits::input_channels) return;
    std::vector<std::pair<std::string, std::string>> labels;
    if (label.name != nullptr) labels.emplace_back(label.name, label.value);
    place = channel_of_.emplace(std::move(key), static_cast<uint32_t>(series_.size())).first;
    series_.push_back(make_series(name, unit, std::move(labels)));
  }
  out.samples.push_back({place->second, value});
}

/// Counters give a value from the second sample on; one that went backwards (a device was replaced) begins anew.
void HostSource::put_rate(const char* name, const char* unit, Label label, uint64_t counter, double scale, SampleSet& out) {
  std::string key = name;
  if (label.name != nullptr) key.append("\n").append(label.value);
  if (counter_before_.size() >= limits::input_channels && !counter_before_.contains(key)) return;
  const auto [place, is_new] = counter_before_.try_emplace(std::move(key), counter);
  const uint64_t before = place->second;
  place->second = counter;
  if (is_new || counter < before || elapsed_s_ <= 0) return;
  put(name, unit, label, std::round(static_cast<double>(counter - before) * scale / elapsed_s_ * 1e2) / 1e2, out);
}

Status HostSource::sample_cpu(SampleSet& out) {
  RETURN_IF_ERROR(read_file(root_ + "/proc/stat", text_));
  std::string_view rest = text_;
  std::string_view line;
  while (next_line(rest, line) && line.starts_with("cpu")) {
    const std::vector<std::string_view> words = split_words(line, 9);
    if (words.size() < 5 || (words[0] != "cpu" && !selection_.per_core)) continue;
    // user nice system idle iowait irq softirq steal; guest time is in user already.
    CpuTimes times;
    for (size_t i = 1; i < words.size(); ++i) times.total += to_count(words[i]);
    times.waiting = words.size() > 5 ? to_count(words[5]) : 0;
    times.busy = times.total - to_count(words[4]) - times.waiting;
    put_cpu(std::string(words[0]), times, out);
  }
  return {};
}

void HostSource::put_cpu(const std::string& name, const CpuTimes& times, SampleSet& out) {
  const auto [place, is_new] = cpu_before_.try_emplace(name, times);
  const CpuTimes before = place->second;
  place->second = times;
  if (is_new || times.total <= before.total || times.busy < before.busy || times.waiting < before.waiting) return;
  const auto whole = static_cast<double>(times.total - before.total);
  const double busy = percent(static_cast<double>(times.busy - before.busy), whole);
  if (name != "cpu") return put("cpu.core.percent", "%", {"core", std::string_view(name).substr(3)}, busy, out);
  put("cpu.percent", "%", {}, busy, out);
  put("cpu.iowait_percent", "%", {}, percent(static_cast<double>(times.waiting - before.waiting), whole), out);
}

Status HostSource::sample_memory(SampleSet& out) {
  RETURN_IF_ERROR(read_file(root_ + "/proc/meminfo", text_));
  const uint64_t total = meminfo(text_, "MemTotal");
  const uint64_t available = meminfo(text_, "MemAvailable");
  if (total == 0) return Error{ErrorCode::io, 0, "/proc/meminfo has no MemTotal"};
  put("memory.available", "By", {}, static_cast<double>(available), out);
  put("memory.used_percent", "%", {}, percent(static_cast<double>(total - std::min(available, total)), static_cast<double>(total)), out);
  const uint64_t swap = meminfo(text_, "SwapTotal");
  if (swap > 0) put("memory.swap_percent", "%", {}, percent(static_cast<double>(swap - std::min(meminfo(text_, "SwapFree"), swap)), static_cast<double>(swap)), out);
  return {};
}

Status HostSource::sample_load(SampleSet& out) {
  RETURN_IF_ERROR(read_file(root_ + "/proc/loadavg", text_));
  const std::vector<std::string_view> words = split_words(text_, 3);
  constexpr const char* names[] = {"load.1m", "load.5m", "load.15m"};
  for (size_t i = 0; i < words.size(); ++i) {
    double value = 0;
    if (std::from_chars(words[i].data(), words[i].data() + words[i].size(), value).ec == std::errc{}) put(names[i], "1", {}, value, out);
  }
  return {};
}

std::unique_ptr<SensorSource> make_host_source(const std::string& root, const HostSelection& selection) {
  return std::make_unique<HostSource>(root, selection);
}

}  // namespace tideline::platform
