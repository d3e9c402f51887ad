#include "linux/sysfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace tideline::platform {
namespace {

constexpr Duration scan_interval = seconds(60);  // for sensors plugged in later

Error file_error(int number, const char* context) {
  if (number == ENOENT || number == ENODEV || number == ENXIO) return {ErrorCode::not_found, number, context};
  if (number == EACCES || number == EPERM) return {ErrorCode::denied, number, context};
  return {ErrorCode::io, number, context};
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// "hwmon10" after "hwmon2".
bool natural_order(const std::string& a, const std::string& b) {
  const size_t digits_a = a.find_first_of("0123456789");
  const size_t digits_b = b.find_first_of("0123456789");
  const bool comparable = digits_a == digits_b && digits_a != a.npos && a.compare(0, digits_a, b, 0, digits_b) == 0;
  if (comparable && a.size() != b.size()) return a.size() < b.size();
  return a < b;
}

std::string clean_label(const std::string& text) {
  std::string label = text.substr(0, limits::label_bytes);
  while (!is_utf8(label)) label.pop_back();
  for (char& c : label) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '{' || c == '}' || c == ',') c = '_';
  }
  return label;
}

}  // namespace

Status read_file(const std::string& path, std::string& out) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return file_error(errno, "open");
  out.resize(limits::sensor_file_bytes);
  size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::read(descriptor, out.data() + size, out.size() - size);
    if (got > 0) size += static_cast<size_t>(got);
  } while ((got > 0 && size < out.size()) || (got < 0 && errno == EINTR));
  const int number = errno;
  ::close(descriptor);
  out.resize(size);
  if (got < 0) return file_error(number, "read");
  return {};
}

Result<double> read_number(const std::string& path) {
  std::string text;
  RETURN_IF_ERROR(read_file(path, text));
  size_t start = 0;
  while (start < text.size() && (is_space(text[start]) || text[start] == '+')) ++start;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data() + start, text.data() + text.size(), value);
  if (error != std::errc{} || (end != text.data() + text.size() && !is_space(*end))) return Error{ErrorCode::invalid, 0, "the file holds no number"};
  return value;
}

std::string read_word(const std::string& path) {
  std::string text;
  if (!read_file(path, text)) return "";
  while (!text.empty() && (is_space(text.back()) || text.back() == '\0')) text.pop_back();
  size_t start = 0;
  while (start < text.size() && is_space(text[start])) ++start;
  return text.substr(start);
}

std::vector<std::string> list_names(const std::string& directory) {
  std::vector<std::string> names;
  DIR* handle = ::opendir(directory.c_str());
  if (handle == nullptr) return names;
  while (const dirent* entry = ::readdir(handle)) {
    if (entry->d_name[0] != '.' && names.size() < limits::input_channels * 8) names.emplace_back(entry->d_name);
  }
  ::closedir(handle);
  std::sort(names.begin(), names.end(), natural_order);
  return names;
}

std::string link_target_name(const std::string& path) {
  char target[1024];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  if (size <= 0) return "";
  const std::string_view text(target, static_cast<size_t>(size));
  return std::string(text.substr(text.rfind('/') + 1));
}

model::Series make_series(std::string_view name, std::string_view unit, std::vector<std::pair<std::string, std::string>> labels) {
  model::Series series;
  series.name = name;
  series.unit = unit;
  series.labels = std::move(labels);
  for (auto& [label, value] : series.labels) value = clean_label(value);
  std::sort(series.labels.begin(), series.labels.end());
  return series;
}

FileSource::FileSource(FileChannel channel) {
  series_.push_back(channel.series);
  channels_.push_back(std::move(channel));
}

void FileSource::discover() {
  if (discover_ == nullptr) return;
  for (FileChannel& found : discover_(root_)) {
    const auto known = std::find_if(channels_.begin(), channels_.end(), [&](const FileChannel& channel) { return channel.series == found.series; });
    if (known != channels_.end()) {
      found.before = known->before;
      *known = std::move(found);  // the same sensor may be hwmon4 now
    } else if (channels_.size() < limits::input_channels) {
      series_.push_back(found.series);
      channels_.push_back(std::move(found));
    }
  }
}

Status FileSource::sample(Instant now, SampleSet& out) {
  if (has_failed_ || now - last_scan_ >= scan_interval) {
    discover();
    last_scan_ = now;
  }
  has_failed_ = channels_.empty();
  if (channels_.empty()) return Error{ErrorCode::not_found, 0, nothing_found_};
  for (size_t i = 0; i < channels_.size(); ++i) {
    FileChannel& channel = channels_[i];
    const auto index = static_cast<uint32_t>(i);
    const Result<double> number = channel.reader == nullptr ? read_number(channel.path) : channel.reader(channel.path, channel.before);
    if (number) {
      channel.before = *number;
      out.samples.push_back({index, (*number + channel.offset) * channel.scale / channel.divisor});
    } else {
      out.failures.push_back({index, number.error()});
      has_failed_ = true;
    }
  }
  return {};
}

std::unique_ptr<SensorSource> make_file_source(const std::string& path, const std::string& name) {
  FileChannel channel;
  channel.series = make_series(name, "", {});
  channel.path = path;
  return std::make_unique<FileSource>(std::move(channel));
}

}  // namespace tideline::platform
