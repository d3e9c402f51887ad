// Industrial I/O devices (Documentation/ABI/testing/sysfs-bus-iio): in_<type>..._input is processed, in_<type>..._raw needs
// (raw + offset) * scale, whose files stand for one channel (in_voltage0_scale) or for all of a type (in_voltage_scale).
#include <algorithm>

#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

struct Quantity {
  std::string_view type;
  const char* series;
  const char* unit;
  double divisor;  ///< from the unit of the ABI
};
constexpr Quantity quantities[] = {
    {"voltage", "iio.voltage", "V", 1e3},           {"altvoltage", "iio.altvoltage", "V", 1e3}, {"current", "iio.current", "A", 1e3},
    {"power", "iio.power", "W", 1e3},               {"temp", "iio.temperature", "Cel", 1e3},    {"humidityrelative", "iio.humidity", "%", 1e3},
    {"pressure", "iio.pressure", "kPa", 1},         {"illuminance", "iio.illuminance", "lx", 1}, {"intensity", "iio.intensity", "", 1},
    {"accel", "iio.acceleration", "m/s2", 1},       {"anglvel", "iio.angular_velocity", "rad/s", 1}, {"magn", "iio.magnetic_field", "G", 1},
    {"resistance", "iio.resistance", "Ohm", 1},     {"distance", "iio.distance", "m", 1},       {"proximity", "iio.proximity", "", 1},
    {"concentration", "iio.concentration", "%", 1}, {"capacitance", "iio.capacitance", "nF", 1}, {"ph", "iio.ph", "[pH]", 1},
};

/// "in_voltage0_raw" is channel "voltage0" of type "voltage".
struct Attribute {
  std::string channel;
  std::string type;
  bool is_raw = false;
};

bool parse_attribute(const std::string& file, Attribute& out) {
  if (!file.starts_with("in_")) return false;
  out.is_raw = file.ends_with("_raw");
  const size_t suffix = out.is_raw ? 4 : file.ends_with("_input") ? 6 : 0;
  if (suffix == 0 || file.size() <= 3 + suffix) return false;
  out.channel = file.substr(3, file.size() - 3 - suffix);
  out.type = out.channel.substr(0, out.channel.find_first_not_of("abcdefghijklmnopqrstuvwxyz"));
  return true;
}

double factor(const std::string& path, const Attribute& attribute, const std::string& what, double otherwise) {
  for (const std::string& owner : {attribute.channel, attribute.type}) {
    if (const Result<double> number = read_number(path + "in_" + owner + "_" + what); number) return *number;
  }
  return otherwise;
}

void discover_device(const std::string& path, const std::string& name, const std::string& place, std::vector<FileChannel>& out) {
  const std::vector<std::string> files = list_names(path);
  for (const std::string& file : files) {
    Attribute attribute;
    if (!parse_attribute(file, attribute)) continue;
    const bool has_processed = std::find(files.begin(), files.end(), "in_" + attribute.channel + "_input") != files.end();
    if (attribute.is_raw && has_processed) continue;
    const auto quantity = std::find_if(std::begin(quantities), std::end(quantities), [&](const Quantity& q) { return q.type == attribute.type; });
    if (quantity == std::end(quantities)) continue;
    std::vector<std::pair<std::string, std::string>> labels = {{"device", name}, {"channel", attribute.channel}};
    if (!place.empty()) labels.emplace_back("number", place);
    FileChannel channel;
    channel.series = make_series(quantity->series, quantity->unit, std::move(labels));
    channel.path = path + file;
    channel.divisor = quantity->divisor;
    if (attribute.is_raw) {
      channel.offset = factor(path, attribute, "offset", 0);
      channel.scale = factor(path, attribute, "scale", 1);
    }
    out.push_back(std::move(channel));
  }
}

std::vector<FileChannel> discover(const std::string& root) {
  const std::string directory = root + "/sys/bus/iio/devices/";
  std::vector<std::pair<std::string, std::string>> devices;  // directory name, device name
  for (const std::string& device : list_names(directory)) {
    if (device.starts_with("iio:device")) devices.emplace_back(device, read_word(directory + device + "/name"));
  }
  std::vector<FileChannel> found;
  for (const auto& [device, name] : devices) {
    const auto same = std::count_if(devices.begin(), devices.end(), [&, wanted = name](const auto& other) { return other.second == wanted; });
    discover_device(directory + device + "/", name, same > 1 ? device.substr(10) : "", found);
  }
  return found;
}

}  // namespace

std::unique_ptr<SensorSource> make_iio_source(const std::string& root) {
  return std::make_unique<FileSource>(root, discover, "no device in /sys/bus/iio/devices");
}

}  // namespace tideline::platform
