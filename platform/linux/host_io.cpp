// Disks, file systems and network interfaces (Documentation/admin-guide/iostats.rst, proc_pid_mounts(5), proc_pid_net(5)).
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "linux/host.hpp"

namespace tideline::platform {
namespace {

constexpr double sector_bytes = 512;  // of /proc/diskstats, whatever the disk's own

/// Mount points write space, tab, newline and backslash as octal escapes.
std::string unescape_mount(std::string_view raw) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    const bool is_escape = raw[i] == '\\' && i + 3 < raw.size() && raw[i + 1] >= '0' && raw[i + 1] <= '3';
    if (!is_escape) {
      text.push_back(raw[i]);
      continue;
    }
    text.push_back(static_cast<char>((raw[i + 1] - '0') * 64 + (raw[i + 2] - '0') * 8 + (raw[i + 3] - '0')));
    i += 3;
  }
  return text;
}

}  // namespace

/// Partitions have no directory of their own in /sys/block; loop and RAM devices are not hardware.
bool HostSource::is_whole_disk(const std::string& name) const {
  for (const char* prefix : {"loop", "ram", "zram", "dm-", "md", "sr", "fd"}) {
    if (name.starts_with(prefix)) return false;
  }
  return ::access((root_ + "/sys/block/" + name).c_str(), F_OK) == 0;
}

Status HostSource::sample_disk_rates(SampleSet& out) {
  RETURN_IF_ERROR(read_file(root_ + "/proc/diskstats", text_));
  std::string_view rest = text_;
  std::string_view line;
  while (next_line(rest, line)) {
    const std::vector<std::string_view> words = split_words(line, 14);
    if (words.size() < 13 || !is_whole_disk(std::string(words[2]))) continue;
    const Label disk{"disk", words[2]};
    put_rate("disk.read_rate", "By/s", disk, to_count(words[5]), sector_bytes, out);
    put_rate("disk.write_rate", "By/s", disk, to_count(words[9]), sector_bytes, out);
    put_rate("disk.busy_percent", "%", disk, to_count(words[12]), 0.1, out);  // milliseconds busy in a second
  }
  return {};
}

/// Only file systems on a device: statvfs() on a network file system can hang for good.
Status HostSource::sample_file_systems(SampleSet& out) {
  RETURN_IF_ERROR(read_file(root_ + "/proc/mounts", text_));
  std::vector<std::string> devices;
  std::string_view rest = text_;
  std::string_view line;
  while (next_line(rest, line)) {
    const std::vector<std::string_view> words = split_words(line, 3);
    if (words.size() < 3 || !words[0].starts_with("/dev/") || words[0].starts_with("/dev/loop") || words[2] == "squashfs") continue;
    const std::string device(words[0]);
    if (std::find(devices.begin(), devices.end(), device) != devices.end()) continue;  // bind mounts
    devices.push_back(device);
    const std::string mount = unescape_mount(words[1]);
    struct statvfs space {};
    if (::statvfs((root_ + mount).c_str(), &space) != 0 || space.f_blocks == 0) continue;
    const double unit = static_cast<double>(space.f_frsize);
    const auto used = static_cast<double>(space.f_blocks - space.f_bfree);
    const auto available = static_cast<double>(space.f_bavail);
    const Label label{"mount", mount};
    put("disk.free", "By", label, available * unit, out);
    if (used + available > 0) put("disk.used_percent", "%", label, std::round(used / (used + available) * 1e4) / 1e2, out);
  }
  return {};
}

Status HostSource::sample_network(SampleSet& out) {
  RETURN_IF_ERROR(read_file(root_ + "/proc/net/dev", text_));
  std::string_view rest = text_;
  std::string_view line;
  while (next_line(rest, line)) {
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;  // the two lines of heading
    const std::string_view name = split_words(line.substr(0, colon), 1).front();
    const std::vector<std::string_view> words = split_words(line.substr(colon + 1), 16);
    if (name == "lo" || words.size() < 12) continue;
    const Label interface{"interface", name};
    put_rate("network.receive_rate", "By/s", interface, to_count(words[0]), 1, out);
    put_rate("network.send_rate", "By/s", interface, to_count(words[8]), 1, out);
    put_rate("network.error_rate", "/s", interface, to_count(words[2]) + to_count(words[3]) + to_count(words[10]) + to_count(words[11]), 1, out);
  }
  return {};
}

}  // namespace tideline::platform
